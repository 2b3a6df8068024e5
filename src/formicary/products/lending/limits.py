"""Every limit of lending, with its unit and its reason, as ``base.limits`` has those of the factory."""

from __future__ import annotations

from typing import Final

LENDING_AMOUNT_MAX: Final = 10**12
"""Minor units of an amount that is underwritten or provided for, ten billion euros.

So an amount times a share in millionths fits a word of 64 bits nine times.
"""

LENDING_YEARS_MAX: Final = 40
"""Years whose defaults are provided for, one turn of a loop each: a mortgage, not a typing error."""

ADVERSE_ACTION_DAYS_MAX: Final = 30
"""Days within which whoever was refused is told why (12 CFR 1002.9(a)(1))."""

SCHEDULE_INSTALMENTS_MAX: Final = 2_000
"""Instalments of a loan: five years of days or 38 of weeks; sums of the fixed point stay below 2^58."""

SCHEDULE_DISBURSEMENTS_MAX: Final = 100
"""Disbursements of a loan: a building has a dozen; what draws more is a line of credit."""

SCHEDULE_AMOUNT_MAX: Final = 10**14
"""Minor units of all disbursements of a loan: a trillion euros, whose interest at any rate is below 2^58."""

SCHEDULE_RATE_MAX: Final = 10**10
"""Billionths a year: 1,000 %. Short loans exist at that rate; what is above it was mistyped."""

SCHEDULE_PERIOD_DAYS_MAX: Final = 3_660
"""Days of one period, ten years: a longer one is no schedule."""

SCHEDULE_DAYS_MAX: Final = 36_600
"""Days from the first to the last date of a loan, a hundred years: interest stays below 2^58 at any rate."""

SCHEDULE_FEES_MAX: Final = 16
"""Fees that terms declare: nobody who signs reads more."""

REPAYMENTS_MAX: Final = 4_000
"""Payments of a loan followed in one go, twice the instalments it may have: each looks at all rows."""

EFFECTIVE_RATE_MAX: Final = 10**12
"""Millionths a year, a hundred million percent: what a fee of a tenth for a week comes to is far below."""

REFINANCINGS_MAX: Final = 2
"""Loans in a row of which each pays off the one before: more is a debt that only grows."""

PREAPPROVE_PARTIES_MAX: Final = 1_200
"""Parties that one command of a run looks at: as many new offers as a sweep holds."""

CLOSE_LOANS_MAX: Final = 65_536
"""Loans that one command of a close of business brings to a date: some milliseconds, which others wait."""

PROVIDE_LOANS_MAX: Final = 16_384
"""Loans for which one command of a close puts aside: some tens of milliseconds, which others wait."""

COLLECT_LOANS_MAX: Final = 9_000
"""Loans from the first to the last that one command collects of: as many amounts as a sweep holds."""

COLLECTIONS_MAX: Final = 1_470
"""Loans that one command collects of: five transfers each at most and four of each currency, in one chain."""

CHARGE_OFFS_MAX: Final = 1_600
"""Loans whose losses one command takes: three transfers each at most, which is one chain."""

SKIPPED_SHOWN_MAX: Final = 100
"""Ids in one event of loans that the ledger would refuse: as many as somebody looks at; all are counted."""

PASSED_OVER_MAX: Final = 1_000
"""Loans of one date that are passed over because the ledger refuses them: more is a fault of its own."""

REMINDERS_MAX: Final = 1_500
"""Loans that one event tells of: 34 bytes each, so that it stays below 64 KiB."""

CURRENCIES_MAX: Final = 200
"""Currencies of one book: ISO 4217 has some 180."""

MOVED_MAX: Final = 3 * CURRENCIES_MAX
"""Rows of one event on allowances: three stages of each currency."""

FUNDING_AMOUNT_MAX: Final = 10**15
"""Minor units that owners or lenders bring or take at once: ten trillion euros, or a typing error."""

BORROWED_MAX: Final = 10**16
"""Minor units that are borrowed in a currency, so that what a hundred years cost fits a word."""

FUNDING_RATE_MAX: Final = 10**9
"""Billionths a year of borrowed money, 100 %: nobody lends on at more."""

BORROWED_RATES_MAX: Final = 16
"""Rates at which money is borrowed at once: each is a line of credit from somebody else."""

"""What is put aside for loans at the close of a business date, and how it moved since the one before.

A loan keeps its stage and its allowance as of the last close. So a part of a close knows what moved without
looking at another day, and the rows of all parts add up to the movements of the day. What a loan owes is what
the books hold of it: interest that is not booked is no loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.factory.ledger import Transfer
from formicary.products.lending.limits import LENDING_AMOUNT_MAX, LENDING_YEARS_MAX
from formicary.products.lending.millionths import MILLION, part_half_even
from formicary.products.lending.servicing.close_rules import CloseRules, CurrencyRules, rules_for
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.joint import own_part
from formicary.products.lending.servicing.layout import LoanKind, LoanState
from formicary.products.lending.servicing.postings import (
    Line,
    LoanAccount,
    LoanTransfer,
    house_account_id,
    transfers,
)
from formicary.products.lending.servicing.terms import DAY
from formicary.products.lending.underwriting.provisions import (
    Loans,
    Stage,
    provisions,
)

__all__ = [
    "ALLOWANCES",
    "Moved",
    "joined",
    "moved_between",
    "provide",
    "provision_transfers",
    "provisions_of",
]

Numbers = npt.NDArray[np.int64]

ALLOWANCES: Final = {
    Stage.PERFORMING: LoanAccount.ALLOWANCE_PERFORMING,
    Stage.INCREASED: LoanAccount.ALLOWANCE_INCREASED,
    Stage.IMPAIRED: LoanAccount.ALLOWANCE_IMPAIRED,
}
"""The house's account of each stage."""

_ON_BOOK: Final = (LoanState.ACCEPTED, LoanState.ACTIVE)
_DAYS_MAX: Final = LENDING_YEARS_MAX * 365
_WEEKS: Final = 1
_MONTHS: Final = 2


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """How the allowances of a currency and stage moved, in minor units; see ``MOVEMENT`` for the lines."""

    currency: int
    stage: int
    opening: int
    new: int
    moved_in: int
    moved_out: int
    remeasured: int
    gone: int
    closing: int


_LINES: Final = Moved.__struct_fields__[2:]


def provide(loans: Rows, day: int, rules: CloseRules, own: Sequence[CurrencyRules] = ()) -> None:
    """Put aside for loans (n,) at a day, in place: by a currency's ``own`` rules, else by ``rules``.

    What was accepted after the day, before it was closed, belongs to the next one.
    """
    is_new = (loans["stage"] == 0) & (loans["timestamp"] // DAY > day)
    is_on_book = np.isin(loans["state"], _ON_BOOK) & ~is_new
    loans["stage"] = loans["allowance"] = 0
    for currency in np.unique(loans["currency"]).tolist():
        places = np.flatnonzero(is_on_book & (loans["currency"] == currency))
        after = provisions_of(loans[places], day, rules_for(currency, own, rules))
        loans["stage"][places], loans["allowance"][places] = after["stage"], after["allowance"]


def provisions_of(loans: Rows, day: int, rules: CloseRules) -> Rows:
    """Return what is put aside for loans (n,) on the book at a day, (n,) of ``PROVISION``."""
    drawn, undrawn = _exposures(loans)
    start = np.where(loans["default"] > 0, loans["default"], rules.default)
    now = np.where(loans["default_now"] > 0, loans["default_now"], start)
    loss = np.where(loans["loss"] > 0, loans["loss"], rules.loss)
    late = np.where(loans["arrears_since"] > 0, day - loans["arrears_since"], 0)
    # What passes the amounts of underwriting is provided for apart: a share of it is exact.
    millions, undrawn_rest = np.divmod(undrawn, MILLION)
    expected = millions * rules.drawn_millionths + part_half_even(undrawn_rest, rules.drawn_millionths)
    many, rest = np.divmod(drawn + expected, LENDING_AMOUNT_MAX)
    told = provisions(
        rules.policy,
        Loans(
            loan=_ids(loans),
            currency=loans["currency"].astype(np.uint16),
            drawn=rest,
            undrawn=np.zeros(len(loans), np.int64),
            days_past_due=np.maximum(late, 0).astype(np.int64),
            days_left=_days_left(loans, day, rules),
            default=now.astype(np.int64),
            default_at_start=start.astype(np.int64),
            loss=loss.astype(np.int64),
            is_impaired=loans["is_impaired"] > 0,
        ),
    )
    # 10^12 times two shares in millionths is the product of the shares.
    told["allowance"] += many * told["chance"].astype(np.int64) * loss.astype(np.int64)
    told["exposure"] += many * LENDING_AMOUNT_MAX
    # A partner bears its share of a loss.
    told["allowance"] = own_part(told["allowance"], loans["partner_share"])
    return told


def _exposures(loans: Rows) -> tuple[Numbers, Numbers]:
    """Return what is owed and booked, and what can still be drawn, in minor units, (n,) each."""
    booked = loans["interest_due"] + loans["accrued"] - loans["unbooked"]
    drawn = loans["balance"] + booked + loans["fees_due"]
    is_open = (loans["kind"] == LoanKind.LINE) | (loans["state"] == LoanState.ACCEPTED)
    # Whoever has not paid by the end of the date what is due draws nothing from then on.
    left = np.where(is_open & (loans["arrears_since"] == 0), loans["limit"] - loans["balance"], 0)
    return drawn, np.maximum(left, 0)


def _days_left(loans: Rows, day: int, rules: CloseRules) -> Numbers:
    """Return the days until the last instalment is due, (n,); of lines those of the rules."""
    ahead = np.maximum(loans["left"].astype(np.int64) - 1, 0) * np.maximum(loans["every"], 1)
    # Before it is drawn an instalment loan has no date yet: it is as if it were drawn today.
    is_drawn = loans["state"] == LoanState.ACTIVE
    since = np.where(is_drawn, loans["next_due"], day).astype(np.int64)
    ahead += np.where(is_drawn, 0, np.maximum(loans["every"], 1))
    months = since.astype("datetime64[D]").astype("datetime64[M]")
    # The day of the month makes at most three days of difference, and none of money that can be seen.
    first = months.astype("datetime64[D]").astype(np.int64)
    later = (months + ahead).astype("datetime64[D]").astype(np.int64) + since - first
    whole_days = since + ahead * np.where(loans["unit"] == _WEEKS, 7, 1)
    last = np.where(loans["unit"] == _MONTHS, later, whole_days)
    is_line = loans["kind"] == LoanKind.LINE
    left: Numbers = np.where(is_line, rules.line_days, last - day)
    return np.clip(left, 0, _DAYS_MAX)


def _ids(loans: Rows) -> npt.NDArray[np.uint64]:
    return np.column_stack([loans["id_high"], loans["id_low"]])


def moved_between(before: Rows, after: Rows) -> tuple[Moved, ...]:
    """Return how allowances moved by currency and stage, between two states of the same loans (n,).

    The lines are those of ``underwriting.movements``, of rows that stand side by side: nothing is looked for.
    """
    currencies, places = np.unique(after["currency"], return_inverse=True)
    was, now = before["stage"], after["stage"]
    kept, made = before["allowance"], after["allowance"]
    there = (was > 0) & (now > 0)
    changed = there & (was != now)
    lines = {
        "opening": (was > 0, was, kept),
        "new": ((was == 0) & (now > 0), now, made),
        "moved_in": (changed, now, kept),
        "moved_out": (changed, was, kept),
        "remeasured": (there, now, made - kept),
        "gone": ((was > 0) & (now == 0), was, kept),
        "closing": (now > 0, now, made),
    }
    sums = {name: np.zeros((len(currencies), 1 + len(Stage)), np.int64) for name in lines}
    counts = np.zeros((len(currencies), 1 + len(Stage)), np.int64)
    for name, (counted, stages, amounts) in lines.items():
        at = (places[counted], stages[counted])
        np.add.at(sums[name], at, amounts[counted])
        np.add.at(counts, at, 1)
    return tuple(
        Moved(
            currency=int(currencies[row]),
            stage=stage,
            **{name: int(sums[name][row, stage]) for name in lines},
        )
        for row, stage in np.argwhere(counts).tolist()
    )


def joined(moved: Iterable[Moved]) -> tuple[Moved, ...]:
    """Return the sums of movements by currency and stage: those of a date are those of its parts."""
    sums: dict[tuple[int, int], Moved] = {}
    for row in moved:
        before = sums.get((row.currency, row.stage))
        if before is not None:
            added = {name: getattr(row, name) + getattr(before, name) for name in _LINES}
            row = msgspec.structs.replace(row, **added)  # noqa: PLW2901
        sums[row.currency, row.stage] = row
    return tuple(sums[key] for key in sorted(sums))


def provision_transfers(moved: tuple[Moved, ...]) -> list[Transfer]:
    """Return what is posted of movements: expense against allowance, or the other way round."""
    made: list[Transfer] = []
    for row in moved:
        grown = row.closing - row.opening
        allowance, expense = (
            house_account_id(code, row.currency)
            for code in (ALLOWANCES[Stage(row.stage)], LoanAccount.IMPAIRMENT)
        )
        line = (
            Line(expense, allowance, grown, LoanTransfer.PROVISION)
            if grown > 0
            else Line(allowance, expense, -grown, LoanTransfer.RELEASE)
        )
        made += transfers([line], loan=0, currency=row.currency)
    return made

"""The notice of adverse action: what was refused or cut and why, by whom, and where to appeal; as a document.

What it says is what Regulation B asks for: the action, the creditor's name and address, the principal
reasons, the notice on equal credit and the agency that supervises (12 CFR 1002.9(a)(2), (b)(1), (b)(2)). What
European law adds is in it, too: that a machine decided alone, where a person looks at it again (GDPR, article
22(3)), and what would have had to be otherwise.

It names the party and the decision by their ids and nobody by name: name and address are in the vault and
belong on the envelope. Values of the party are not repeated either; what would have been enough is told. The
same notice gives the same bytes, as HTML, as plain text and as JSON. What a score of a credit bureau would
ask for in addition (15 U.S.C. 1681m) is not in it, since none is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from formicary.base.currencies import Currency
from formicary.base.errors import ProgrammingError
from formicary.base.money import Money
from formicary.base.rounding import div_half_even
from formicary.base.times import time_text
from formicary.factory.decisions.counterfactuals import Change, Counterfactual
from formicary.factory.journal.rows import REASONS
from formicary.products.lending.limits import ADVERSE_ACTION_DAYS_MAX

__all__ = ["EQUAL_CREDIT", "Creditor", "Notice", "Phrase", "Unit", "counterfactual_sentence", "notice_of"]

EQUAL_CREDIT: Final = (
    "The federal Equal Credit Opportunity Act prohibits creditors from discriminating against credit "
    "applicants on the basis of race, color, religion, national origin, sex, marital status, age "
    "(provided the applicant has the capacity to enter into a binding contract); because all or part of "
    "the applicant's income derives from any public assistance program; or because the applicant has in "
    "good faith exercised any right under the Consumer Credit Protection Act. The federal agency that "
    "administers compliance with this law concerning this creditor is {agency}."
)
"""The words of 12 CFR 1002.9(b)(1); ``agency`` is its name and address."""

_DAY: Final = 86_400_000_000_000
_PERCENT: Final = 100

_FOLDER: Final = Path(__file__).parent
_PAGES: Final = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEXTS: Final = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=False,  # noqa: S701, plain text is shown as it is
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


class Unit(StrEnum):
    """What a column's numbers are, so that people can read them."""

    AMOUNT = "amount"
    """Minor units of the policy's currency."""
    NUMBER = "number"
    """A count, or days."""
    SHARE = "share"
    """Of one whole: told in percent."""


class Phrase(msgspec.Struct, frozen=True, kw_only=True):
    """A column in words, as a part of a sentence: "sales of the last 30 days"."""

    words: str
    unit: Unit


class Creditor(msgspec.Struct, frozen=True, kw_only=True):
    """Who lends; a deployment's setting.

    Attributes
    ----------
    name, address
        As the law wants them.
    appeal
        Where a person looks at the decision again: an address, or a page.
    agency
        Name and address of who supervises equal credit; empty where Regulation B does not apply.
    """

    name: str
    address: str
    appeal: str
    agency: str = ""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice, whole: everything that is rendered stands here.

    Attributes
    ----------
    party, decision
        Ids as the world sees them.
    action
        What was done, a sentence.
    decided_on, tell_until
        The day, and until when it must be told, in UTC, as 2026-11-26.
    reasons
        One to four sentences, the most important first.
    counterfactual
        What would have been enough, a sentence, or empty.
    creditor
        Who lends.
    """

    party: str
    decision: str
    action: str
    decided_on: str
    tell_until: str
    reasons: tuple[str, ...]
    counterfactual: str
    creditor: Creditor

    @property
    def equal_credit(self) -> str:
        """The notice on equal credit, empty where no agency supervises it."""
        return EQUAL_CREDIT.format(agency=self.creditor.agency) if self.creditor.agency else ""

    def as_html(self) -> str:
        """Return the notice as a page without script or anything from elsewhere; all words are escaped."""
        return self._rendered(_PAGES.get_template("notice.html"))

    def as_text(self) -> str:
        """Return the notice as plain text."""
        return self._rendered(_TEXTS.get_template("notice.txt"))

    def as_json(self) -> bytes:
        """Return the notice as a document, keys in the order of the alphabet."""
        document = {**msgspec.to_builtins(self), "equal_credit": self.equal_credit}
        return msgspec.json.encode(document, order="sorted")

    def _rendered(self, template: Template) -> str:
        return template.render(notice=self)


def notice_of(
    *,
    party: str,
    decision: str,
    granted: Money | None,
    decided_at: int,
    reasons: Sequence[str],
    creditor: Creditor,
    counterfactual: str = "",
) -> Notice:
    """Return the notice of a decision that went against somebody.

    Parameters
    ----------
    party, decision
        Ids as the world sees them.
    granted
        What is lent in place of what was asked for; None for nothing.
    decided_at
        In nanoseconds since 1970.
    reasons
        Sentences, one to four.
    creditor
        Who lends.
    counterfactual
        Of ``counterfactual_sentence``.
    """
    if not 0 < len(reasons) <= REASONS:
        message = f"a notice has one to {REASONS} reasons, not {len(reasons)}"
        raise ProgrammingError(message)
    action = (
        "Your application for credit was declined."
        if granted is None
        else f"Of the credit you applied for we offer {granted.currency} {granted.format(grouped=True)}."
    )
    return Notice(
        party=party,
        decision=decision,
        action=action,
        decided_on=_day(decided_at),
        tell_until=_day(decided_at + ADVERSE_ACTION_DAYS_MAX * _DAY),
        reasons=tuple(reasons),
        counterfactual=counterfactual,
        creditor=creditor,
    )


def counterfactual_sentence(found: Counterfactual, phrases: Mapping[int, Phrase], currency: Currency) -> str:
    """Return what would have been enough, in words: values that were judged, and no others.

    It does not say "or more", as of a model that is not monotone more may be too much. For what is read to be
    what was judged, levers of amounts have a step of 1, those of shares of 0.0001.

    Parameters
    ----------
    found
        The smallest change, as ``smallest_changes`` judged it.
    phrases
        Of each column that may be changed, by its place in the model.
    currency
        Of amounts.

    Examples
    --------
    >>> from formicary.base.currencies import currency
    >>> change = Change(feature=2, before=900_000.0, after=1_250_000.0)
    >>> sales = Phrase(words="sales of the last 30 days", unit=Unit.AMOUNT)
    >>> counterfactual_sentence(Counterfactual(changes=(change,), distance=0.1), {2: sales}, currency("CNY"))
    'It would have been granted had sales of the last 30 days been CNY 12,500.00.'
    """
    wanted = " and ".join(_told(change, phrases[change.feature], currency) for change in found.changes)
    return f"It would have been granted had {wanted}."


def _day(at: int) -> str:
    return time_text(at).partition("T")[0]


def _told(change: Change, phrase: Phrase, currency: Currency) -> str:
    return f"{phrase.words} been {_number(change.after, phrase.unit, currency)}"


def _number(value: float, unit: Unit, currency: Currency) -> str:
    match unit:
        case Unit.AMOUNT:
            return f"{currency} {Money(round(value), currency).format(grouped=True)}"
        case Unit.SHARE:
            # Two decimals of a percent.
            whole, rest = divmod(div_half_even(round(value * 10**9), 10**5), _PERCENT)
            return f"{whole}.{rest:02} %"
        case _:
            return f"{value:,.15g}"

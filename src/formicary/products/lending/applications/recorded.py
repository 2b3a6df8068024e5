"""What a recorded decision says by itself: the notice to whoever was refused, and itself, taken again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from formicary.base.currencies import currency_of_ledger
from formicary.base.money import Money
from formicary.base.public_ids import Prefix, encode
from formicary.factory.decisions.counterfactuals import Change, Counterfactual
from formicary.factory.models.model import Model
from formicary.products.lending.applications import refusals
from formicary.products.lending.applications.explained import parties_of
from formicary.products.lending.applications.schemas import CreditDecided, real_of, text_of
from formicary.products.lending.applications.settings import HouseSettings, creditor_of, policies
from formicary.products.lending.millionths import millionths_of
from formicary.products.lending.underwriting.notice import (
    Notice,
    Phrase,
    Unit,
    counterfactual_sentence,
    notice_of,
)
from formicary.products.lending.underwriting.preapproval import DECISION, decide, honoured
from formicary.products.lending.underwriting.pricing import NO_RATE

__all__ = ["differences", "notice_told"]

_COMPARED: Final = ("limit", "rate", "expected_loss", "failed", "binding", "is_cut")


def notice_told(event: CreditDecided, *, application: int, decided_at: int) -> Notice:
    """Return the notice of a decision that went against somebody: of its event alone, so the same each time.

    Parameters
    ----------
    event
        The decision.
    application, decided_at
        Its subject, and its time in nanoseconds since 1970.

    Raises
    ------
    NoticeNotDue
        What was asked for was granted whole.
    """
    if event.creditor is None:
        raise refusals.NoticeNotDue
    currency = currency_of_ledger(event.currency)
    return notice_of(
        party=encode(Prefix.PARTY, int(event.party, 16)),
        decision=encode(Prefix.APPLICATION, application),
        granted=Money(event.limit, currency) if event.limit else None,
        decided_at=decided_at,
        reasons=[reason.said for reason in event.reasons],
        creditor=creditor_of(event.creditor),
        counterfactual=_enough(event),
    )


def _enough(event: CreditDecided) -> str:
    """Return what would have been enough, a sentence, or nothing."""
    if not event.changes:
        return ""
    changes = tuple(
        Change(feature=place, before=real_of(event.values.get(one.feature)), after=real_of(one.after))
        for place, one in enumerate(event.changes)
    )
    phrases = {place: Phrase(words=one.words, unit=Unit(one.unit)) for place, one in enumerate(event.changes)}
    found = Counterfactual(changes=changes, distance=0.0)
    return counterfactual_sentence(found, phrases, currency_of_ledger(event.currency))


def differences(event: CreditDecided, settings: HouseSettings, model: Model | None) -> list[str]:
    """Take a decision again, and return where it comes out otherwise; nothing is as it should be.

    Parameters
    ----------
    event
        The decision.
    settings
        Those of the version that it names.
    model
        The model whose hash it names, None where it names none.
    """
    return [*_of_score(event, model), *_of_decision(event, settings)]


def _of_score(event: CreditDecided, model: Model | None) -> Iterator[str]:
    if event.scored is None or model is None:
        if (event.scored is None) != (model is None):
            yield "a model told something, and none is recorded, or the other way round"
        return
    if model.hash != event.scored.model:
        yield f"the model {event.scored.model} decided, and not {model.hash}"
        return
    row = np.array([[real_of(event.values.get(name)) for name in model.forest.feature_names]])
    raw = model.forest.raw_scores(row)
    assert model.calibration is not None  # noqa: S101, a champion of chances has one
    chance = model.calibration.apply(raw)
    if text_of(raw[0]) != event.scored.raw or text_of(chance[0]) != event.scored.chance:
        yield f"the model says {text_of(chance[0])}, and {event.scored.chance} is recorded"
    elif int(millionths_of(chance)[0]) != event.told.default:
        yield f"the chance was taken for {event.told.default} millionths"


def _of_decision(event: CreditDecided, settings: HouseSettings) -> Iterator[str]:
    credit, capital = policies(settings, event.currency)
    parties = parties_of(event.told, settings.retained)
    fresh = decide(credit, capital, event.book.book(), parties, wanted=[event.wanted])
    standing = np.zeros(1, DECISION)
    standing["limit"], standing["rate"] = int(event.standing_rate != NO_RATE), event.standing_rate
    again: Any = honoured(standing, fresh.decisions)[0]
    for name in _COMPARED:
        if int(again[name]) != int(getattr(event, name)):
            yield f"{name} comes out as {int(again[name])}, and {int(getattr(event, name))} is recorded"

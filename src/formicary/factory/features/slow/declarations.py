"""The slow features: name, unit, meaning, owner and group of each, and what it may be read for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from formicary.base.purposes import Purpose
from formicary.factory.features.slow.spans import DAY, SPANS, span_name

__all__ = ["NEIGHBOUR_BASES", "PASS_SPANS", "PERIODS", "SLOW_FEATURES", "SlowFeature"]

_OWNER: Final = "risk"
_ALL_PURPOSES: Final = frozenset(Purpose)

PERIODS: Final = (1 * DAY, 7 * DAY, 30 * DAY)
"""The periods within which bursts are looked for, in nanoseconds."""

PASS_SPANS: Final = (1 * DAY, 7 * DAY)
"""The periods within which money that passes through is looked for, in nanoseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowFeature:
    """One column of the daily job: its unit, what it means in one sentence, and who answers for it.

    The features of a group are journaled together: a fact has room for a group, but not for all.
    """

    name: str
    unit: str
    meaning: str
    group: str
    owner: str = _OWNER
    purposes: frozenset[Purpose] = _ALL_PURPOSES


# What is said of each side is the name of its group, too.
_SIDES: Final = (("in", "received"), ("out", "paid"))

_DEGREES: Final = (
    ("count", "transfers", "Transfers {verb} {when}."),
    ("counterparties", "parties", "Distinct counterparties of transfers {verb} {when}."),
    ("amount", "minor units", "Amount {verb} {when}."),
    ("mean", "minor units", "Mean amount of a transfer {verb} {when}."),
    ("std", "minor units", "Standard deviation of the amounts {verb} {when}."),
    ("largest_share", "share", "Share of the largest counterparty in the amount {verb} {when}."),
)

_FANS: Final = (
    ("fan", "parties", "Most distinct counterparties of transfers {verb} in one period of {days}."),
    ("burst", "transfers", "Most transfers {verb} in one period of {days}."),
    ("repeat", "transfers", "Most transfers {verb} of one counterparty in one period of {days}."),
    ("alike", "transfers", "Most transfers of almost one amount {verb} in one period of {days}."),
)

_BASES: Final = (
    ("in_counterparties_ever", "parties", "distinct payers"),
    ("out_counterparties_ever", "parties", "distinct payees"),
    ("in_std_ever", "minor units", "standard deviation of amounts received"),
    ("in_fan_7d", "parties", "most distinct payers in one period of 7 days"),
    ("in_repeat_1d", "transfers", "most transfers of one payer in one period of 1 day"),
    ("pagerank", "times the mean", "rank"),
)

NEIGHBOUR_BASES: Final = tuple(name for name, _, _ in _BASES)
"""The features of which counterparties' mean and largest values are features of a party."""


def _days(span: int) -> str:
    days = span // DAY
    return f"{days} day" if days == 1 else f"{days} days"


def _when(span: int | None) -> str:
    return "ever" if span is None else f"in the last {_days(span)}"


def _feature(name: str, unit: str, meaning: str, group: str = "place") -> SlowFeature:
    return SlowFeature(name=name, unit=unit, meaning=meaning, group=group)


def _windowed() -> list[SlowFeature]:
    features = []
    for span in SPANS:
        when, end = _when(span), span_name(span)
        for side, verb in _SIDES:
            features += [
                _feature(f"{side}_{what}_{end}", unit, meaning.format(verb=verb, when=when), verb)
                for what, unit, meaning in _DEGREES
            ]
        meaning = f"Amount paid by amount received {when}."
        features.append(_feature(f"out_in_ratio_{end}", "ratio", meaning, "paid"))
    return features


def _bursts() -> list[SlowFeature]:
    return [
        _feature(
            f"{side}_{what}_{span_name(span)}", unit, meaning.format(verb=verb, days=_days(span)), "bursts"
        )
        for span in PERIODS
        for side, verb in _SIDES
        for what, unit, meaning in _FANS
    ]


def _passed() -> list[SlowFeature]:
    meaning = "Share of the amount received that was passed on in the same period of {days}."
    return [
        _feature(f"passed_share_{span_name(span)}", "share", meaning.format(days=_days(span)))
        for span in PASS_SPANS
    ]


def _neighbours() -> list[SlowFeature]:
    return [
        _feature(f"{others}_{how}_{name}", unit, f"{said} of its {others}: {of}.", "neighbours")
        for name, unit, of in _BASES
        for others in ("payees", "payers")
        for how, said in (("mean", "Mean"), ("max", "Largest value"))
    ]


_SINGLE: Final = (
    _feature("in_usual_ratio_min", "ratio", "Smallest amount received, in medians of what its payer pays."),
    _feature("in_usual_ratio_max", "ratio", "Largest amount received, in medians of what its payer pays."),
    _feature("out_usual_ratio_min", "ratio", "Smallest amount paid, in medians of what the party pays."),
    _feature("out_usual_ratio_max", "ratio", "Largest amount paid, in medians of what the party pays."),
    _feature("idle_days", "days", "Time since the last transfer."),
    _feature("active_span_days", "days", "Time from the first transfer to the last."),
    _feature("active_days", "days", "Days with a transfer."),
    _feature("gap_mean_days", "days", "Mean time between transfers."),
    _feature("rings_of_two", "pairs", "Counterparties that it pays and that pay it."),
    _feature("rings_of_three", "rings", "Ways for money to come back to it over two other parties."),
    _feature("reciprocity", "share", "Share of the counterparties that it pays and that pay it."),
    _feature(
        "pagerank", "times the mean", "Rank by amounts: how much of the money that moves ends up there."
    ),
    _feature("in_amount_month", "minor units", "Amount received in the last complete month."),
    _feature("in_change_month", "minor units", "That amount less the one received in the month before."),
    _feature("out_amount_month", "minor units", "Amount paid in the last complete month."),
    _feature("out_change_month", "minor units", "That amount less the one paid in the month before."),
    _feature("devices", "devices", "Devices that it used."),
    _feature("device_parties_max", "parties", "Parties on the most shared device that it used."),
    _feature("device_component_parties", "parties", "Parties that chains of shared devices join, with it."),
    _feature(
        "fraud_hops", "hops", "Transfers between it and the nearest party that is known to be fraudulent."
    ),
)

SLOW_FEATURES: Final = (*_windowed(), *_bursts(), *_passed(), *_SINGLE, *_neighbours())
"""Every column of the daily job, in its order."""

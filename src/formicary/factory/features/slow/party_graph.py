"""Slow features as facts of the journal, and as features that are read like any other.

The job of day D records one fact ``party_graph_<group>`` for each party and group of columns, dated the last
nanosecond of the day. So a value is read from when it is journaled, on day D + 1, and never before; where the
job did not run for too long, it is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from formicary.factory.features.aggregates import last
from formicary.factory.features.definitions import Feature
from formicary.factory.features.errors import UnknownField
from formicary.factory.features.kinds import EventKind, Facts, FieldValue, party, real
from formicary.factory.features.slow.declarations import SLOW_FEATURES, SlowFeature

__all__ = ["PARTY_GRAPH", "PARTY_GRAPH_GROUPS", "fact_kind", "slow_features"]

_FRESH_FOR: Final = "3d"


def fact_kind(group: str) -> str:
    """Return the kind of the facts of a group of slow features."""
    return f"party_graph_{group}"


def _groups() -> dict[str, tuple[str, ...]]:
    groups: dict[str, tuple[str, ...]] = {}
    for slow in SLOW_FEATURES:
        groups[slow.group] = (*groups.get(slow.group, ()), slow.name)
    return groups


PARTY_GRAPH_GROUPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(_groups())
"""The columns of each group, in the order of ``SLOW_FEATURES``."""

_KINDS: Final = {
    group: EventKind(
        fact_kind(group), Facts(fact_kind(group)), party=party(), **{name: real() for name in names}
    )
    for group, names in PARTY_GRAPH_GROUPS.items()
}
_DECLARED: Final = {slow.name: slow for slow in SLOW_FEATURES}

PARTY_GRAPH: Final[Mapping[str, FieldValue]] = MappingProxyType(
    {slow.name: _KINDS[slow.group][slow.name] for slow in SLOW_FEATURES}
)
"""The field of each slow feature: ``last(PARTY_GRAPH["pagerank"], by="party", of="payer", over="3d")``."""


def slow_features(*names: str, of: str, over: str = _FRESH_FOR) -> tuple[Feature, ...]:
    """Return slow features of a party of the asking event, named ``<of>_<name>``; all where none is named.

    Parameters
    ----------
    names
        Of ``SLOW_FEATURES``.
    of
        The field of the asking event that names the party.
    over
        How old a day's end may be: beyond it, values are missing.

    Raises
    ------
    UnknownField
        There is no slow feature of a name.
    """
    return tuple(_feature(_declared(name), of, over) for name in names or _DECLARED)


def _declared(name: str) -> SlowFeature:
    if name not in _DECLARED:
        message = f"there is no slow feature called {name!r}"
        raise UnknownField(message)
    return _DECLARED[name]


def _feature(slow: SlowFeature, of: str, over: str) -> Feature:
    return Feature(
        name=f"{of}_{slow.name}",
        value=last(PARTY_GRAPH[slow.name], by="party", of=of, over=over),
        unit=slow.unit,
        meaning=slow.meaning,
        owner=slow.owner,
        purposes=slow.purposes,
    )

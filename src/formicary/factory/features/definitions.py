"""Features: a value with a name, an owner, a unit, a meaning and what it may be read for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from formicary.base.purposes import Purpose
from formicary.factory.features.aggregates import Aggregate
from formicary.factory.features.durations import duration
from formicary.factory.features.errors import FeatureMalformed, FeatureRefused
from formicary.factory.features.expressions import Expression, FeatureValue
from formicary.factory.features.kinds import NAME, EventKind
from formicary.factory.features.places import place_of_caller

__all__ = ["Feature", "FeatureSet", "windowed"]

_MEANING_CHARACTERS_MAX: Final = 200
_ALL_PURPOSES: Final = frozenset(Purpose)
# Looked at when a definition is made: whoever writes one is not held by a type checker.
_VALUES: Final[tuple[type, ...]] = (Aggregate, Expression)
_KIND: Final[type] = EventKind


@dataclass(frozen=True, kw_only=True, eq=False)
class Feature:
    """One feature.

    Attributes
    ----------
    name
        In snake case, unique in its set.
    value
        An aggregate over events, or an expression over other features and the asking event.
    unit
        What it is counted in: ``orders``, ``minor units``, ``seconds``, ``share``.
    meaning
        One sentence that says what it is to whoever reads a decision.
    owner
        Who answers for it; that of the set unless given.
    purposes
        What it may be read for.
    version
        Grows with every change of its meaning.
    place
        File and line of the definition, for errors.
    made_of
        What the features mean that it is computed from, as text; its set fills it in.
    """

    name: str
    value: Aggregate | Expression
    unit: str
    meaning: str
    owner: str = ""
    purposes: frozenset[Purpose] = _ALL_PURPOSES
    version: int = 1
    place: str = field(default_factory=place_of_caller)
    made_of: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.value, _VALUES):
            message = f"its value is an aggregate or an expression, no {type(self.value).__name__}"
            raise self.error(FeatureMalformed, message)

    def canonical(self) -> str:
        """Return what the feature means, as text: equal texts give equal values."""
        return self.value.canonical() + self.made_of

    @property
    def fingerprint(self) -> str:
        """The hash of its meaning, 16 hexadecimal digits."""
        return hashlib.blake2b(self.canonical().encode(), digest_size=8).hexdigest()

    def error(self, kind: type[FeatureRefused], message: str) -> FeatureRefused:
        """Return an error about this feature that says where it is defined."""
        return kind(message, place=self.place, name=self.name)

    def findings(self) -> list[FeatureRefused]:
        """Return all that is wrong with what the feature says of itself."""
        wrong: list[str] = []
        if not NAME.fullmatch(self.name):
            wrong.append("the name is not in snake case")
        wrong += [f"it has no {part}" for part in ("owner", "unit", "meaning") if not getattr(self, part)]
        if self.meaning and not (self.meaning.endswith(".") and len(self.meaning) <= _MEANING_CHARACTERS_MAX):
            wrong.append(f"its meaning is no sentence of at most {_MEANING_CHARACTERS_MAX} characters")
        if not self.purposes:
            wrong.append("it may be read for no purpose")
        if self.version < 1:
            wrong.append("versions begin at 1")
        found = [self.error(FeatureMalformed, message) for message in wrong]
        if isinstance(self.value, Aggregate):
            try:
                self.value.check()
            except FeatureRefused as error:
                found.append(self.error(type(error), error.said))
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureSet:
    """The features that are read together when an event of one kind asks.

    Attributes
    ----------
    name
        In snake case; files and commands name it.
    on
        The kind of the asking event.
    features
        In the order of their columns.
    owner
        Who answers for features that name no other owner.
    key_bytes_max
        The most bytes that all rows of one asking event's keys may take together.
    ring_events
        How many events an exact window keeps of a key; a power of two.
    place
        File and line of the definition, for errors.
    """

    name: str
    on: EventKind
    features: Sequence[Feature]
    owner: str
    key_bytes_max: int = 32_768
    ring_events: int = 256
    place: str = field(default_factory=place_of_caller)

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or not self.owner:
            message = "a set of features has a name in snake case and an owner"
            raise self.error(FeatureMalformed, message)
        if self.ring_events < 1 or self.ring_events & (self.ring_events - 1):
            message = f"ring_events is a power of two, not {self.ring_events}"
            raise self.error(FeatureMalformed, message)
        if not isinstance(self.on, _KIND) or not all(isinstance(one, Feature) for one in self.features):
            message = "a set of features is asked by a kind of event and made of features"
            raise self.error(FeatureMalformed, message)
        values = {feature.name: feature.value for feature in self.features}
        owned = [
            replace(feature, owner=feature.owner or self.owner, made_of=_made_of(feature.value, values))
            for feature in self.features
        ]
        object.__setattr__(self, "features", tuple(owned))

    def error(self, kind: type[FeatureRefused], message: str) -> FeatureRefused:
        """Return an error about this set that says where it is defined."""
        return kind(message, place=self.place, name=self.name)


def _made_of(value: Aggregate | Expression, values: Mapping[str, Aggregate | Expression]) -> str:
    """Return what all features mean that a value is computed from, each once, in the order of their names."""
    found: dict[str, str] = {}
    waiting = [value]
    while waiting:
        one = waiting.pop()
        parts = () if isinstance(one, Aggregate) else one.walk()
        for name in sorted({part.name for part in parts if isinstance(part, FeatureValue)} - set(found)):
            # A name that is not there is found when the set is compiled.
            if name in values:
                found[name] = values[name].canonical()
                waiting.append(values[name])
    return "".join(f"; {name} = {found[name]}" for name in sorted(found))


def windowed(
    name: str,
    over: Iterable[str],
    value: Callable[[str], Aggregate | Expression],
    *,
    unit: str,
    meaning: str,
    owner: str = "",
    purposes: frozenset[Purpose] = _ALL_PURPOSES,
    version: int = 1,
) -> tuple[Feature, ...]:
    """Return one feature for each window; ``{window}`` in name and meaning stands for it.

    ::

        windowed("payer_mean_{window}", ("1d", "7d"), lambda over: mean(AMOUNT, by="payer", over=over), ...)
    """
    place = place_of_caller()
    return tuple(
        Feature(
            name=name.format(window=window),
            value=value(window),
            unit=unit,
            meaning=meaning.format(window=_spoken(window)),
            owner=owner,
            purposes=purposes,
            version=version,
            place=place,
        )
        for window in over
    )


_SPOKEN: Final = {"s": "second", "m": "minute", "h": "hour", "d": "day"}


def _spoken(window: str) -> str:
    duration(window)
    number, unit = window[:-1], _SPOKEN[window[-1]]
    return unit if number == "1" else f"{number} {unit}s"

"""How the features of a set refer to each other: by name, without circles."""

from __future__ import annotations

from formicary.factory.features.aggregates import Aggregate
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.errors import (
    CyclicFeatures,
    DuplicateFeature,
    FeatureRefused,
    LabelWithoutDelay,
    TypeMismatch,
    UnknownFeature,
    UnknownField,
)
from formicary.factory.features.expressions import FeatureValue
from formicary.factory.features.kinds import FieldValue

__all__ = ["in_order", "referred", "require_names"]


def referred(feature: Feature) -> list[str]:
    """Return the names of the features that one is computed from."""
    if isinstance(feature.value, Aggregate):
        return []
    return [part.name for part in feature.value.walk() if isinstance(part, FeatureValue)]


def require_names(one: FeatureSet) -> list[FeatureRefused]:
    """Return all that is wrong with the references within a set."""
    wrong: list[FeatureRefused] = []
    by_name: dict[str, Feature] = {}
    for feature in one.features:
        if feature.name in by_name:
            wrong.append(feature.error(DuplicateFeature, f"also defined at {by_name[feature.name].place}"))
        by_name.setdefault(feature.name, feature)
    for feature in one.features:
        wrong += _unreadable(feature, one)
        wrong += [
            feature.error(UnknownFeature, f"{one.name} has no feature {name!r}")
            for name in referred(feature)
            if name not in by_name
        ]
    return wrong or _circles(by_name)


def in_order(one: FeatureSet) -> list[int]:
    """Return the numbers of the derived features, each after those it is computed from."""
    numbers = {feature.name: number for number, feature in enumerate(one.features)}
    ordered: list[int] = []

    def visit(number: int) -> None:
        if number in ordered or isinstance(one.features[number].value, Aggregate):
            return
        for name in referred(one.features[number]):
            visit(numbers[name])
        ordered.append(number)

    for number in range(len(one.features)):
        visit(number)
    return ordered


def _unreadable(feature: Feature, one: FeatureSet) -> list[FeatureRefused]:
    """Return what an aggregate's key, or an expression's fields, miss in the asking event."""
    value = feature.value
    wrong: list[FeatureRefused] = []
    if isinstance(value, Aggregate):
        # The same fields of the same kind were looked at with the aggregate itself.
        for name in () if value.kind is one.on and value.of == value.by else value.of:
            try:
                one.on.id_column(name)
            except FeatureRefused as error:
                wrong.append(feature.error(type(error), error.said))
        return wrong
    for part in value.walk():
        if isinstance(part, FieldValue):
            wrong += _unreadable_field(feature, part, one)
    return wrong


def _unreadable_field(feature: Feature, part: FieldValue, one: FeatureSet) -> list[FeatureRefused]:
    if part.kind is not one.on:
        message = f"{part.canonical()} is no field of the asking {one.on.name}"
        return [feature.error(TypeMismatch, message)]
    try:
        field = one.on.field(part.field)
    except UnknownField as error:
        return [feature.error(UnknownField, error.said)]
    if field.is_id:
        return [feature.error(TypeMismatch, f"{part.canonical()} is an id, not a number")]
    if field.known_after:
        # The asking event asks at its own time, when its label is not known.
        message = f"{part.canonical()} is not known yet when its event asks"
        return [feature.error(LabelWithoutDelay, message)]
    return []


def _circles(by_name: dict[str, Feature]) -> list[FeatureRefused]:
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> str:
        if name in path:
            return " -> ".join((*path[path.index(name) :], name))
        if name in done:
            return ""
        for other in referred(by_name[name]):
            circle = visit(other, (*path, name))
            if circle:
                return circle
        done.add(name)
        return ""

    for name, feature in by_name.items():
        circle = visit(name, ())
        if circle:
            return [feature.error(CyclicFeatures, circle)]
    return []

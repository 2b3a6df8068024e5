"""What there is to read: every feature with its meaning, its purposes and its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from formicary.base.purposes import NEEDS_CONSENT, purpose_name
from formicary.factory.features._layout import FIRST_TABLE
from formicary.factory.features.aggregates import Aggregate
from formicary.factory.features.compiler import Compiled, compiled, features_of
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.durations import duration_text
from formicary.factory.features.errors import UnknownFeature
from formicary.factory.features.names import referred

__all__ = ["CataloguedFeature", "catalogue", "catalogue_page", "catalogued", "window_text"]

_NOTHING: Final = "-"
_ALL_TIME: Final = "all time"


class CataloguedFeature(msgspec.Struct, frozen=True, kw_only=True):
    """One feature, as the catalogue has it.

    Attributes
    ----------
    set, name
        Together they name it: ``set.name``.
    on
        The kind of the asking event.
    needs_consent
        Those of its purposes for which a party must have agreed.
    window, delay, resolution
        Spans of time as definitions write them; empty where it has none.
    told_from
        ``tiles`` (the window is up to one resolution longer), ``events`` (exact), ``memory`` (the latest, the
        earliest or the different ones) or ``others`` (features, or the asking event itself).
    reads
        The features it is computed from.
    key, key_bytes
        What the key of its row is made of, and the bytes of one row; all features of a key share it.
    definition, fingerprint
        All that it means, as text, and the hash of it.
    place
        File and line of the definition.
    """

    set: str
    name: str
    on: str
    version: int
    unit: str
    owner: str
    meaning: str
    purposes: tuple[str, ...]
    needs_consent: tuple[str, ...]
    window: str
    delay: str
    resolution: str
    told_from: str
    reads: tuple[str, ...]
    key: str
    key_bytes: int
    definition: str
    fingerprint: str
    place: str


def catalogue(sets: Sequence[FeatureSet]) -> list[CataloguedFeature]:
    """Return every feature of sets that share their rows, in the order of their definition.

    Raises
    ------
    FeatureRefused
        The sets do not compile.
    """
    if not sets:
        return []
    made = compiled(tuple(sets))
    return [_catalogued(made, one, feature) for one, feature in features_of(sets)]


def catalogued(sets: Sequence[FeatureSet], name: str) -> CataloguedFeature:
    """Return one feature, by its name or as ``set.name``.

    Raises
    ------
    UnknownFeature
        There is none of this name, or there are several.
    """
    found = [one for one in catalogue(sets) if name in (one.name, f"{one.set}.{one.name}")]
    if not found:
        message = f"there is no feature {name!r}"
        raise UnknownFeature(message)
    if len(found) > 1:
        message = f"{name} is several: {', '.join(f'{one.set}.{one.name}' for one in found)}"
        raise UnknownFeature(message)
    return found[0]


def catalogue_page(sets: Sequence[FeatureSet]) -> str:
    """Return the catalogue as a page of Markdown: a section for each set, a row for each feature."""
    features = catalogue(sets)
    lines = [
        "# Catalogue of features",
        "",
        "Written by `formicary features catalogue`. What is told for a purpose in *italics* is missing",
        "unless the party agreed to it. A window is up to one resolution longer than it says.",
        "",
    ]
    for one in sets:
        lines += _section(one, [feature for feature in features if feature.set == one.name])
    return "\n".join(lines)


def window_text(feature: CataloguedFeature) -> str:
    """Return what a person reads of the window: its length, and how far back it ends; empty for none."""
    return f"{feature.window}, {feature.delay} ago" if feature.delay else feature.window


def _catalogued(made: Compiled, one: FeatureSet, feature: Feature) -> CataloguedFeature:
    value = feature.value
    aggregate = value if isinstance(value, Aggregate) else None
    return CataloguedFeature(
        set=one.name,
        name=feature.name,
        on=one.on.name,
        version=feature.version,
        unit=feature.unit,
        owner=feature.owner,
        meaning=feature.meaning,
        purposes=tuple(purpose_name(purpose) for purpose in sorted(feature.purposes)),
        needs_consent=tuple(purpose_name(purpose) for purpose in sorted(feature.purposes & NEEDS_CONSENT)),
        window=_window(aggregate),
        delay=duration_text(aggregate.delay) if aggregate and aggregate.delay else "",
        resolution=duration_text(aggregate.resolution) if aggregate and aggregate.resolution else "",
        told_from=_told_from(aggregate),
        reads=tuple(dict.fromkeys(referred(feature))),
        key="+".join(aggregate.by) if aggregate else "",
        key_bytes=made.row_bytes(made.tables.index("+".join(aggregate.by), FIRST_TABLE)) if aggregate else 0,
        definition=feature.canonical(),
        fingerprint=feature.fingerprint,
        place=feature.place,
    )


def _window(aggregate: Aggregate | None) -> str:
    if aggregate is None:
        return ""
    return duration_text(aggregate.window) if aggregate.window else _ALL_TIME


def _told_from(aggregate: Aggregate | None) -> str:
    if aggregate is None:
        return "others"
    if not aggregate.in_ring:
        return "memory"
    return "events" if aggregate.exact else "tiles"


def _section(one: FeatureSet, features: Sequence[CataloguedFeature]) -> list[str]:
    rows = {feature.key: feature.key_bytes for feature in features if feature.key}
    kept = ", ".join(f"{key} {size:,}" for key, size in sorted(rows.items()))
    asking = ", ".join(f"{name} ({field.type})" for name, field in one.on.fields.items())
    lines = [
        f"## `{one.name}`",
        "",
        f"Owner: {one.owner}. A `{one.on.name}` asks, with {asking}.",
        f"Bytes of a row of each key: {kept or 'none'}; at most {one.key_bytes_max:,} in all.",
        "",
        "| feature | meaning | unit | window | resolution | key | version | purposes |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [_row(feature) for feature in features]
    return [*lines, ""]


def _row(feature: CataloguedFeature) -> str:
    purposes = [
        f"*{purpose}*" if purpose in feature.needs_consent else purpose for purpose in feature.purposes
    ]
    cells = (
        f"`{feature.name}`",
        feature.meaning,
        feature.unit,
        window_text(feature),
        feature.resolution,
        feature.key,
        str(feature.version),
        ", ".join(purposes),
    )
    return "| " + " | ".join(cell.replace("|", r"\|") or _NOTHING for cell in cells) + " |"

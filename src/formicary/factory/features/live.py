"""Which features are live: an event of the journal each, so that a meaning cannot change unseen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from formicary.factory.features.compiler import features_of
from formicary.factory.features.definitions import FeatureSet
from formicary.factory.features.errors import MeaningChanged

__all__ = ["FEATURES_ACTIVATED", "FeaturesActivated", "LiveFeature", "newly_live"]

FEATURES_ACTIVATED: Final = "features.Activated"


class LiveFeature(msgspec.Struct, frozen=True, kw_only=True):
    """One feature as it went live: its version and the hash of its meaning."""

    version: int
    fingerprint: str


class FeaturesActivated(msgspec.Struct, frozen=True, kw_only=True):
    """Features that went live at a position, by ``set.name``; all of history was folded into them before."""

    features: dict[str, LiveFeature]


def newly_live(sets: Iterable[FeatureSet], live: Mapping[str, LiveFeature]) -> FeaturesActivated | None:
    """Return which features of sets go live now, None if all are.

    Raises
    ------
    MeaningChanged
        One means something else than it did under the same version, or has a lower version.
    """
    fresh: dict[str, LiveFeature] = {}
    for one, feature in features_of(list(sets)):
        name = f"{one.name}.{feature.name}"
        declared = LiveFeature(version=feature.version, fingerprint=feature.fingerprint)
        known = live.get(name)
        if known == declared:
            continue
        if known is not None and declared.version <= known.version:
            message = f"version {known.version} of it is live with another meaning: give it a new version"
            raise feature.error(MeaningChanged, message)
        fresh[name] = declared
    return FeaturesActivated(features=fresh) if fresh else None

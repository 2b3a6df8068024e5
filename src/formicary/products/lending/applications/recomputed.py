"""Every recorded decision taken again from the journal alone: its event, its settings, its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from formicary.factory.features.sources import RowSource
from formicary.factory.models.model import Model
from formicary.factory.registry.reading import ModelVersion, model_bytes, model_events, versions
from formicary.factory.registry.storing import model_of
from formicary.products.lending.applications.house import HOUSES, CreditPolicySet
from formicary.products.lending.applications.recorded import differences
from formicary.products.lending.applications.schemas import NAME, CreditDecided
from formicary.products.lending.applications.settings import CAPITAL_SETTINGS, CREDIT_SETTINGS, HouseSettings

__all__ = ["Differing", "Recomputed", "recompute"]

_SET: Final = f"{HOUSES}.{CreditPolicySet.__name__}"
_DECIDED: Final = f"{NAME}.{CreditDecided.__name__}"


class Differing(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that comes out otherwise than it is recorded: its application, where it is, and how."""

    application: int
    position: int
    found: tuple[str, ...]


class Recomputed(msgspec.Struct, frozen=True, kw_only=True):
    """What taking all decisions again came to.

    Attributes
    ----------
    position
        Up to where the journal was read.
    applications, models
        How many decisions were taken again, and by how many models.
    differing
        Those that came out otherwise; none, as it should be.
    """

    position: int
    applications: int
    models: int
    differing: tuple[Differing, ...]


def recompute(source: RowSource, progress: Callable[[int, int], None]) -> Recomputed:
    """Take every recorded decision of a journal again.

    ``progress`` gets the position reached and the last one.

    Raises
    ------
    ModelCorrupt
        A model's bytes are not all in the journal.
    """
    head = source.head()
    known = {one.hash: one for one in versions(model_events(source))}
    houses: dict[tuple[int, int], HouseSettings] = {}
    models: dict[str, Model] = {}
    differing, count = [], 0
    for event in source.events_of([_SET, _DECIDED], after=0, until=head):
        if event.kind == _SET:
            told = msgspec.json.decode(event.body, type=CreditPolicySet)
            houses[told.currency, told.version] = _as_in_force(told.settings)
            continue
        decided = msgspec.json.decode(event.body, type=CreditDecided)
        model = _model_of(decided, source, known, models)
        found = differences(decided, houses[decided.currency, decided.policy], model)
        if found:
            differing.append(
                Differing(application=event.subject, position=event.position, found=tuple(found))
            )
        count += 1
        progress(event.position, head)
    return Recomputed(position=head, applications=count, models=len(models), differing=tuple(differing))


def _as_in_force(settings: HouseSettings) -> HouseSettings:
    """Return settings as they are kept: what they leave out was no setting yet when they were said, so 0."""
    return msgspec.structs.replace(
        settings,
        credit={name: settings.credit.get(name, 0) for name in CREDIT_SETTINGS},
        capital={name: settings.capital.get(name, 0) for name in CAPITAL_SETTINGS},
    )


def _model_of(
    decided: CreditDecided,
    source: RowSource,
    known: Mapping[str, ModelVersion],
    models: dict[str, Model],
) -> Model | None:
    """Return the model that a decision names, None where it names none, or one that is not registered."""
    if decided.scored is None or decided.scored.model not in known:
        return None
    hash_ = decided.scored.model
    if hash_ not in models:
        models[hash_] = model_of(model_bytes(source, known[hash_]))
    return models[hash_]

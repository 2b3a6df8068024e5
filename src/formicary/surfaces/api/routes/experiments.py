"""``/v1/experiments``: what is tried out, which arm a party is shown, and what came of it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Response

from formicary.base.public_ids import Prefix
from formicary.base.scopes import Scope
from formicary.factory.experiments.reading import Experiment
from formicary.factory.identity.party import PARTY_PRODUCT
from formicary.surfaces.api.problems import ResultsNotThere
from formicary.surfaces.api.routes.shared import (
    DEFAULT_LIMIT,
    Asked,
    Body,
    Cursor,
    Document,
    Limit,
    read_cursor,
    read_id,
)
from formicary.surfaces.api.values import time_text

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/experiments", tags=["experiments"])

ExperimentName = Annotated[str, Path(max_length=64, description="The name of an experiment, in snake case.")]


class ExperimentDocument(Document):
    """An experiment as it stands; ``lots`` of its layer from ``first_lot`` on."""

    experiment: str
    layer: str
    status: str
    first_lot: int
    lots: int
    arms: list[str]
    defined_at: str
    started_at: str | None
    stopped_at: str | None
    cause: str | None
    reason: str | None


class ExperimentPage(Document):
    """Experiments; ``next`` is the cursor of the page after, None at the end."""

    items: list[ExperimentDocument]
    next: str | None


class DefinedExperimentDocument(ExperimentDocument):
    """An experiment with its whole document, and how many exposures to it were told."""

    document: str
    exposures: int


class MeetingBody(Body):
    """Who meets the experiment."""

    party: str


class MeetingDocument(Document):
    """What a party is shown: an arm, or None where it is shown what everybody sees."""

    experiment: str
    party: str
    arm: str | None


class ArmDocument(Document):
    """An arm: how many parties met it, how many outcomes are not known yet, how many count."""

    arm: str
    weight: int
    exposed: int
    waiting: int
    analysed: int


class OneLookDocument(Document):
    """What one planned look would say, and only that."""

    low: float | None
    high: float | None
    p_value: float | None


class SequenceDocument(Document):
    """What could be said at the end of each day; ``decided`` is the first at which it was decided."""

    estimate: list[float | None]
    low: list[float | None]
    high: list[float | None]
    p_value: list[float | None]
    decided: int | None


class ComparisonDocument(Document):
    """An arm beside the first one, by one metric; what cannot be said is None."""

    metric: str
    arm: str
    guardrail: bool
    verdict: str
    control: float | None
    treatment: float | None
    difference: float | None
    one_look: OneLookDocument
    theta: float | None
    variance_reduction: float | None
    sequence: SequenceDocument


class ResultsDocument(Document):
    """What came of an experiment, as it was looked at last; with a mismatch none of it may be believed."""

    experiment: str
    status: str
    looked_at: str
    days: list[str]
    arms: list[ArmDocument]
    exposed_p_value: float
    analysed_p_value: float
    mismatch: bool
    comparisons: list[ComparisonDocument]


@router.get("")
async def list_experiments(
    asked: Asked, *, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> ExperimentPage:
    """Show experiments, in the order in which they were defined; for the house's keys only."""
    asked.key_of_the_house(Scope.EXPERIMENTS_READ)
    found, first = await asked.services.experiments.all(), read_cursor(cursor)
    end = first + limit
    return ExperimentPage(
        items=[ExperimentDocument(**_fields(one)) for one in found[first:end]],
        next=str(end) if end < len(found) else None,
    )


@router.get("/{experiment}")
async def get_experiment(experiment: ExperimentName, asked: Asked) -> DefinedExperimentDocument:
    """Show an experiment with its document and how many exposures were told; for the house's keys only."""
    asked.key_of_the_house(Scope.EXPERIMENTS_READ)
    found = await asked.services.experiments.named(experiment)
    exposures = await asked.services.experiments.exposures(experiment)
    return DefinedExperimentDocument(**_fields(found), document=found.document, exposures=exposures)


@router.post("/{experiment}/exposures")
async def meet_experiment(experiment: ExperimentName, body: MeetingBody, asked: Asked) -> MeetingDocument:
    """Say which arm a party is shown, and record, once, that it met the experiment."""
    asked.principal.require(Scope.EXPERIMENTS_WRITE)
    _ = asked.key
    party = read_id(Prefix.PARTY, body.party, param="party")
    asked.principal.require_party(party)
    await asked.services.aggregate(PARTY_PRODUCT.name, party)
    arm = await asked.services.experiments.meet(experiment, party)
    return MeetingDocument(experiment=experiment, party=body.party, arm=arm)


@router.get(
    "/{experiment}/results",
    response_class=Response,
    responses={200: {"model": ResultsDocument, "description": "What came of it"}},
)
async def get_results(experiment: ExperimentName, asked: Asked) -> Response:
    """Show what came of an experiment, as it was looked at last; for the house's keys only."""
    asked.key_of_the_house(Scope.EXPERIMENTS_READ)
    name = (await asked.services.experiments.named(experiment)).name
    # As it was written: a document of a year is large, and is not read here only to be written again.
    return _kept(await asyncio.to_thread(asked.services.results.document, name), "application/json")


@router.get(
    "/{experiment}/page",
    response_class=Response,
    responses={200: {"content": {"text/html": {}}, "description": "The page"}},
)
async def get_page(experiment: ExperimentName, asked: Asked) -> Response:
    """Show the same as a page of HTML with a chart of each sequence; for the house's keys only."""
    asked.key_of_the_house(Scope.EXPERIMENTS_READ)
    name = (await asked.services.experiments.named(experiment)).name
    return _kept(await asyncio.to_thread(asked.services.results.page, name), "text/html; charset=utf-8")


def _kept(body: bytes | None, media_type: str) -> Response:
    if body is None:
        raise ResultsNotThere
    return Response(body, media_type=media_type)


def _fields(one: Experiment) -> dict[str, Any]:
    return {
        "experiment": one.name,
        "layer": one.layer,
        "status": one.status.name.lower(),
        "first_lot": one.first,
        "lots": one.count,
        "arms": list(one.arms),
        "defined_at": time_text(one.defined),
        "started_at": time_text(one.started) if one.started else None,
        "stopped_at": time_text(one.stopped) if one.stopped else None,
        "cause": one.cause,
        "reason": one.reason or None,
    }

"""What is done with experiments, what is refused and why, and what is left in the journal."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from formicary.base.limits import FACTS_BYTES_MAX, FACTS_PER_EVENT_MAX, LAYER_EXPERIMENTS_MAX
from formicary.base.lots import LOTS
from formicary.factory.engine.conformance import check_product
from formicary.factory.engine.products import Command
from formicary.factory.experiments import (
    EXPERIMENTS_PRODUCT,
    Cause,
    DefineExperiment,
    ExperimentStatus,
    ExposuresRecorded,
    MeetExperiment,
    RecordExposures,
    StartExperiment,
    StopExperiment,
    experiment_id,
    layer_id,
)
from formicary.factory.experiments.assignment import NOWHERE, arms_of
from formicary.factory.experiments.definitions import read_definition
from tests.factory.experiments.kit import START, Lab, define, document_of, ids, start, stop

PARTIES = ids(40)
ARMS = arms_of(PARTIES, read_definition(document_of()).slice)
HOUR = 3_600 * 10**9


def hexadecimal(rows: np.ndarray) -> list[str]:
    """Return ids as texts."""
    return [f"{high:016x}{low:016x}" for high, low in PARTIES[rows].tolist()]


INSIDE, OUTSIDE = hexadecimal(ARMS != NOWHERE), hexadecimal(ARMS == NOWHERE)


def met(at: int, *parties: str) -> RecordExposures:
    """Return the command that tells of exposures at one time."""
    return RecordExposures(subject=experiment_id("short_form"), at=[at] * len(parties), parties=list(parties))


def test_the_product_keeps_its_contract() -> None:
    """The factory's own checks find nothing."""
    assert check_product(EXPERIMENTS_PRODUCT) == []


def test_the_life_of_an_experiment(lab: Lab) -> None:
    """Defined, defined anew, started, met, stopped; what was met before the end may be told after it."""
    lab.done(define(arms="{control: 1, short: 3}"), define(), start())
    began = lab.clock.now()
    assert lab.refused(define()) == "experiment_running"
    assert lab.refused(start()) == "experiment_running"
    lab.done(met(began + 1, *INSIDE[:3]), met(began, INSIDE[0]))
    entry = lab.entry(experiment_id("short_form"))
    assert (entry["status"], entry["exposures"], entry["started"]) == (ExperimentStatus.RUNNING, 4, began)
    assert entry["weights"].tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
    lab.done(stop())
    ended = lab.clock.now()
    lab.done(met(ended, INSIDE[3]))
    assert lab.refused(met(ended + 1, INSIDE[4])) == "exposure_untimely"
    assert lab.refused(stop()) == "experiment_not_running"
    assert lab.refused(start()) == "experiment_over"
    assert lab.refused(define()) == "experiment_over"
    lab.require_refolds()


def test_arms_follow_from_ids(lab: Lab) -> None:
    """Nobody tells them, and they are in the event."""
    lab.done(define(), start(), met(START + 2 * HOUR, *INSIDE))
    (event,) = [event for event in lab.source().whole.events if event.kind == "experiments.ExposuresRecorded"]
    told = msgspec.json.decode(event.body, type=ExposuresRecorded)
    assert told.parties == INSIDE
    assert told.arms == ARMS[ARMS != NOWHERE].tolist()
    assert {*told.arms} == {0, 1}


def test_who_cannot_have_met_it(lab: Lab) -> None:
    """Parties of other lots or held out, at times before it, after it or still to come; and no parties."""
    assert lab.refused(met(START, INSIDE[0])) == "experiment_not_found"
    lab.done(define())
    assert lab.refused(met(START, INSIDE[0])) == "experiment_not_running"
    lab.done(start())
    now = lab.clock.now()
    assert lab.refused(met(now, INSIDE[0], OUTSIDE[0])) == "exposure_outside"
    assert lab.refused(met(now - 1, INSIDE[0])) == "exposure_untimely"
    assert lab.refused(met(now + 99 * HOUR, INSIDE[0])) == "exposure_untimely"
    assert lab.refused(met(now)) == "exposure_malformed"
    assert lab.refused(met(now, "F" * 32)) == "exposure_malformed"
    uneven = RecordExposures(subject=experiment_id("short_form"), at=[now, now], parties=INSIDE[:1])
    assert lab.refused(uneven) == "exposure_malformed"
    too_many = met(now, *INSIDE[:1] * (FACTS_PER_EVENT_MAX + 1))
    assert lab.refused(too_many) == "exposure_malformed"
    lab.done(stop(), define("other", holdout=f"{{lots: {LOTS - 1}}}"), start("other"))
    alone = RecordExposures(subject=experiment_id("other"), at=[lab.clock.now()], parties=INSIDE[:1])
    assert lab.refused(alone) == "exposure_outside"


def test_a_full_event_is_small_enough() -> None:
    """As many exposures as there may be fit below what an event of columns takes."""
    most = ExposuresRecorded(
        at=[2**63 - 1] * FACTS_PER_EVENT_MAX,
        parties=["f" * 32] * FACTS_PER_EVENT_MAX,
        arms=[7] * FACTS_PER_EVENT_MAX,
    )
    assert len(msgspec.json.encode(most)) <= FACTS_BYTES_MAX


def test_experiments_of_a_layer_do_not_share_lots(lab: Lab) -> None:
    """While they run; side by side they may, and in another layer."""
    half = LOTS // 2
    lab.done(define(), start())
    firsts = {"inside": 5, "across": half - 1, "beside": half, "far": LOTS - 10}
    lab.done(*(define(name, lots=f"{{first: {first}, count: 10}}") for name, first in firsts.items()))
    for name in ("inside", "across"):
        assert lab.refused(start(name)) == "lots_overlap"
    lab.done(start("beside"), start("far"), define("elsewhere", layer="prices"), start("elsewhere"))
    lab.done(stop(), start("inside"))
    assert lab.refused(start("across")) == "lots_overlap"
    lab.done(stop("beside"), start("across"))
    layer = lab.entry(layer_id("checkout"))
    taken = sorted(zip(layer["taken_first"].tolist(), layer["taken_count"].tolist(), strict=True))
    assert taken[-3:] == [(5, 10), (half - 1, 10), (LOTS - 10, 10)]
    assert taken[0] == (0, 0)
    lab.require_refolds()


def test_a_layer_has_one_holdout_while_anything_runs_in_it(lab: Lab) -> None:
    """Afterwards it may have another one."""
    lab.done(define(holdout="{lots: 1_000}"), start())
    lots = f"{{first: {LOTS // 2}, count: 10}}"
    lab.done(define("more", lots=lots, holdout="{lots: 2_000}"))
    lab.done(define("other", lots=lots, holdout="{name: region, lots: 1_000}"))
    lab.done(define("same", lots=lots, holdout="{lots: 1_000}"))
    assert lab.refused(start("more")) == "holdout_differs"
    assert lab.refused(start("other")) == "holdout_differs"
    lab.done(start("same"), stop("same"), stop(), start("more"))


def test_a_layer_is_full_at_some_time(lab: Lab) -> None:
    """With as many experiments as it knows; one that ends makes room."""
    names = [f"trial{place}" for place in range(LAYER_EXPERIMENTS_MAX + 1)]
    for place, name in enumerate(names):
        lab.done(define(name, lots=f"{{first: {place}, count: 1}}"))
    lab.done(*map(start, names[:-1]))
    assert lab.refused(start(names[-1])) == "layer_full"
    lab.done(stop(names[3]), start(names[-1]))
    lab.require_refolds()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda: start("none"), "experiment_not_found"),
        (lambda: stop("none"), "experiment_not_found"),
        (lambda: StartExperiment(subject=experiment_id("short_form"), reason=""), "malformed_command"),
        (
            lambda: StopExperiment(subject=1, cause=Cause.HARM, reason="a\nb"),
            "malformed_command",
        ),
        (
            lambda: DefineExperiment(subject=1, experiment="short_form", document=document_of()),
            "malformed_command",
        ),
        (
            lambda: DefineExperiment(
                subject=experiment_id("short_form"), experiment="short_form", document="a: ["
            ),
            "experiment_malformed",
        ),
        (
            lambda: DefineExperiment(
                subject=experiment_id("short_form"), experiment="short_form", document=document_of("other")
            ),
            "experiment_malformed",
        ),
        (
            lambda: RecordExposures(subject=experiment_id("short_form"), at=["x"], parties=["f" * 32]),  # type: ignore[list-item]
            "malformed_command",
        ),
    ],
)
def test_what_is_refused(lab: Lab, wrong: Callable[[], Command], code: str) -> None:
    """Names that there are not, and structs that were made by hand."""
    assert lab.refused(wrong()) == code


def test_a_layer_is_no_experiment(lab: Lab) -> None:
    """Its id is nobody's name, and nothing can be started under it."""
    lab.done(define(), start())
    started = StartExperiment(subject=layer_id("checkout"), reason="No.")
    assert lab.refused(started) == "experiment_not_found"


def test_a_party_meets_it_now(lab: Lab) -> None:
    """While it runs, and in the arm that follows from its id, or in none."""
    subject = experiment_id("short_form")
    inside, outside = (MeetExperiment(subject=subject, party=one[0]) for one in (INSIDE, OUTSIDE))
    assert lab.refused(inside) == "experiment_not_found"
    lab.done(define())
    assert lab.refused(inside) == "experiment_not_running"
    lab.done(start(), inside)
    body = lab.source().whole.events[-2].body
    (arm,) = arms_of(PARTIES[ARMS != NOWHERE][:1], read_definition(document_of()).slice)
    assert msgspec.json.decode(body, type=ExposuresRecorded) == ExposuresRecorded(
        at=[lab.clock.now()], parties=INSIDE[:1], arms=[arm]
    )
    assert lab.refused(outside) == "exposure_outside"
    assert lab.refused(MeetExperiment(subject=subject, party="x")) == "malformed_command"
    lab.done(stop())
    assert lab.refused(inside) == "experiment_not_running"
    assert lab.entry(subject)["exposures"] == 1
    lab.require_refolds()

"""The API's small parts by themselves: gathering, buckets, ids in columns, times, references."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from formicary.base.public_ids import Prefix, encode
from formicary.factory.engine.client import OutcomeUnknown
from formicary.factory.engine.requests import EngineBusy
from formicary.factory.ledger import TRANSFER_RESULT, Transfer, id_column
from formicary.surfaces.api import gatherer as gatherer_module
from formicary.surfaces.api.gatherer import Gatherer
from formicary.surfaces.api.problems import MalformedField, RateLimited, RefusedAs, problem_of
from formicary.surfaces.api.public_id_columns import id_texts
from formicary.surfaces.api.rate_limits import RateLimits
from formicary.surfaces.api.values import read_time, reference_hash, time_text


class Engine:
    """Takes frames, and answers each with its transfers' ids as timestamps when it is let."""

    def __init__(self) -> None:
        self.frames: list[list[int]] = []
        self.gate = asyncio.Event()
        self.failure: Exception | None = None

    async def create(self, transfers: Any) -> Any:
        """Answer a frame."""
        self.frames.append(id_column(transfers))
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        results = np.zeros(len(transfers), TRANSFER_RESULT)
        results["timestamp"] = id_column(transfers)
        return results


def test_transfers_are_gathered() -> None:
    """Who comes together goes together, who comes while two frames are under way shares the next."""

    async def gather() -> None:
        engine = Engine()
        gatherer = Gatherer(engine.create)

        async def one(*ids: int) -> list[int]:
            results = await gatherer.create([Transfer(id=number) for number in ids])
            stamps: list[int] = results["timestamp"].tolist()
            return stamps

        first = [asyncio.ensure_future(one(number)) for number in (1, 2)]
        await asyncio.sleep(0.01)
        second = [asyncio.ensure_future(one(3, 4))]
        await asyncio.sleep(0.01)
        later = [asyncio.ensure_future(one(number)) for number in (5, 6, 7)]
        await asyncio.sleep(0.01)
        later[1].cancel()
        engine.gate.set()
        assert await asyncio.gather(*first, *second) == [[1], [2], [3, 4]]
        assert [await later[0], await later[2]] == [[5], [7]]
        assert engine.frames == [[1, 2], [3, 4], [5, 6, 7]]

    asyncio.run(gather())


def test_a_frame_that_fails_fails_for_all_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each caller learns it; whoever comes after begins anew. A full queue refuses."""

    async def gather() -> None:
        engine = Engine()
        engine.failure = OutcomeUnknown()
        engine.gate.set()
        gatherer = Gatherer(engine.create)
        both = [gatherer.create([Transfer(id=number)]) for number in (1, 2)]
        answers = await asyncio.gather(*both, return_exceptions=True)
        assert [type(answer) for answer in answers] == [OutcomeUnknown] * 2
        engine.failure = None
        assert (await gatherer.create([Transfer(id=3)]))["timestamp"].tolist() == [3]
        monkeypatch.setattr(gatherer_module, "QUEUE_REQUESTS_MAX", 0)
        with pytest.raises(EngineBusy):
            await gatherer.create([Transfer(id=4)])

    asyncio.run(gather())


def test_a_frame_is_not_larger_than_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain is never torn apart by where a frame is cut."""
    monkeypatch.setattr(gatherer_module, "REQUEST_ITEMS_MAX", 3)

    async def gather() -> None:
        engine = Engine()
        engine.gate.set()
        gatherer = Gatherer(engine.create)
        chains = [gatherer.create([Transfer(id=2 * n), Transfer(id=2 * n + 1)]) for n in (1, 2, 3)]
        results = await asyncio.gather(*chains)
        assert [result["timestamp"].tolist() for result in results] == [[2, 3], [4, 5], [6, 7]]
        assert engine.frames == [[2, 3], [4, 5], [6, 7]]

    asyncio.run(gather())


def test_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket fills with time, says how long to wait, and takes one large request when it is full."""
    now = [0.0]
    limits = RateLimits(per_second=2.0, burst=4.0, monotonic=lambda: now[0])
    for _ in range(4):
        limits.take("a")
    with pytest.raises(RateLimited) as limited:
        limits.take("a", 4.0)
    assert limited.value.retry_after_seconds == 2
    limits.take("b", 100.0)
    now[0] = 2.0
    limits.take("a", 4.0)
    monkeypatch.setattr("formicary.surfaces.api.rate_limits.API_RATE_KEYS_MAX", 1)
    limits.take("c")
    assert list(limits._buckets) == ["b", "c"] or list(limits._buckets) == ["a", "c"]


def test_ids_in_columns() -> None:
    """Many ids at once are written as each by itself."""
    ids = [0, 1, 31, 2**64 - 1, 2**64, 2**65 + 3, 2**127, 2**128 - 1, 0x0123456789ABCDEF0123456789ABCDEF]
    high = np.array([one >> 64 for one in ids], np.uint64)
    low = np.array([one & (2**64 - 1) for one in ids], np.uint64)
    assert id_texts(Prefix.PAYMENT, high, low) == [encode(Prefix.PAYMENT, one) for one in ids]


def test_times() -> None:
    """All nine digits survive; offsets are understood; what is no time is refused with its field."""
    for nanoseconds in (0, 1, 1_795_639_103_962_426_475, 2**63 - 1):
        assert read_time(time_text(nanoseconds), param="t") == nanoseconds
    assert read_time("1970-01-01T01:00:00.5+01:00", param="t") == 500_000_000
    assert read_time("1970-01-02", param="t") == 86_400 * 10**9
    with pytest.raises(MalformedField) as malformed:
        read_time("1970-13-01", param="t")
    assert malformed.value.param == "t"


def test_references() -> None:
    """Two spellings of the same characters are one reference; what cannot be seen is none."""
    assert reference_hash("") == 0
    assert reference_hash("Zo\u00eb") == reference_hash("Zoe\u0308") != reference_hash("Zoe")
    for hidden in ("a\nb", "\u202e", "\ud800", "\ue000", "a\x7f"):
        with pytest.raises(MalformedField):
            reference_hash(hidden)


def test_a_refusal_says_what_it_means() -> None:
    """The text behind a code is where the refusal is explained; a code without one is readable."""
    problem = problem_of(RefusedAs("insufficient_funds"), "req_1")
    assert (problem.status, problem.detail) == (422, "The payer's account holds less than the amount.")
    assert problem_of(RefusedAs("no_such_code"), "req_1").detail == "no such code"

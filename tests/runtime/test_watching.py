"""Early warning by itself: the run of each week, one that was cut off first, and who is warned of."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.base import public_ids
from formicary.base.public_ids import Prefix
from formicary.factory.engine.client import EngineRefused
from formicary.products.lending.servicing.terms import DAY, day_at
from formicary.products.lending.watching import watch_run
from formicary.products.lending.watching.weeks import week_of
from formicary.runtime import watching
from formicary.runtime.watching import warned_parties, watch
from tests.products.lending.watching.lines import Watcher
from tests.runtime.test_closing import Asked

SHOPS = (11, 12, 13)


def unwatched(_: str, __: int, ___: int) -> None:
    """Tell nobody."""


def test_lines_are_looked_at_once_a_week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Part by part; without a line nothing is, and a run of another week is ended before this one."""
    watcher, told = Watcher(tmp_path), list[tuple[str, int, int]]()
    engine = Asked(watcher)
    assert watch(engine, watcher.clock.now(), unwatched) is None
    watcher.has(*SHOPS)
    for shop in SHOPS:
        watcher.takes_line(shop, shop, 100_000)
    watcher.sells(dict.fromkeys(SHOPS, 20))
    watcher.later(7)
    run = watch(engine, watcher.clock.now(), lambda *one: told.append(one))
    assert run == {"borrowers": 0, "loans": 3, "warned": 0, "cut": 0}
    assert told == [("borrowers", 0, 3), ("borrowers", 3, 3)]
    assert watch(engine, watcher.clock.now(), unwatched) == run
    for _ in range(12):
        watcher.sells(dict.fromkeys(SHOPS, 20))
        watcher.later(7)
        watch(engine, watcher.clock.now(), unwatched)
    assert warned_parties(engine) == []
    watcher.sells({SHOPS[0]: 20})
    watcher.later(7)
    monkeypatch.setattr(watch_run, "WATCH_LOANS_MAX", 2)
    for _ in range(3):
        assert watcher.goes_on().code == ""
    before = week_of(day_at(watcher.clock.now()))
    watcher.sells(dict.fromkeys(SHOPS, 20))
    watcher.later(7)
    run = watch(engine, watcher.clock.now(), unwatched)
    assert run == {"borrowers": 3, "loans": 3, "warned": 2, "cut": 0}
    assert [watcher.limit(shop) for shop in SHOPS] == [100_000, 0, 0]
    assert watcher.goes_on(before).code == "credit_watch_ended"
    monkeypatch.setattr(watching, "AGGREGATES_READ_MAX", 1)
    assert warned_parties(engine) == [
        {
            "party": public_ids.encode(Prefix.PARTY, shop),
            "usual": 20_000_000,
            "last": 20,
            "weeks": 2,
            "evidence": 2 * 10_000_000 - 20 * 693_147,
            "share": 1_000_000,
        }
        for shop in SHOPS[1:]
    ]
    with pytest.raises(EngineRefused):
        watch(engine, watcher.clock.now() + 9 * DAY, unwatched)

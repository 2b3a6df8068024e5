"""What watches borrowers by itself: the run of each week, as soon as the dates before it are closed.

A run is done part by part, each a command of its own, so that the engine answers everybody between two of
them. Whatever it is killed by, it goes on where it was, a week later as well; one that is over is over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeAlias

from formicary.base import public_ids
from formicary.base.limits import AGGREGATES_READ_MAX
from formicary.base.public_ids import Prefix
from formicary.factory.engine.client import EngineRefused
from formicary.factory.engine.reads import FoundAggregates
from formicary.products.lending.product import LOANS, WATCH
from formicary.products.lending.servicing.layout import LoanKind
from formicary.products.lending.servicing.terms import day_at
from formicary.products.lending.watching.borrowers import WATCHED
from formicary.products.lending.watching.refusals import CreditWatchEnded
from formicary.products.lending.watching.watch_run import WatchBorrowers
from formicary.products.lending.watching.weeks import week_of
from formicary.runtime.parts import next_part
from formicary.runtime.preapproving import Runner

__all__ = ["WatchProgress", "Watcher", "warned_parties", "watch"]

WatchProgress: TypeAlias = Callable[[str, int, int], None]
"""Is told ``borrowers``, how many borrowers and loans were looked at, and how many there are."""

_TOLD: Final = ("borrowers", "loans", "warned", "cut")


class Watcher(Runner, Protocol):
    """Whoever decides, and can be asked what is there; ``EngineClient`` is one."""

    def find_aggregates(
        self, product: str, field: str, value: int, *, after: int, limit: int
    ) -> FoundAggregates:
        """Find a product's aggregates by a number that they hold."""


def watch(engine: Watcher, now: int, progress: WatchProgress) -> dict[str, int] | None:
    """Go over all lines, as far as the run of this week has not; None where there was never a line.

    Returns how many ``borrowers`` and ``loans`` this week's run looked at, how many it ``warned`` of, and how
    many lines it ``cut``. A run of another week that was cut off is ended before it.

    Raises
    ------
    EngineRefused
        A run does not go on; nothing of the part that was refused happened.
    """
    if not engine.find_aggregates(LOANS.name, "kind", LoanKind.LINE, after=0, limit=1).items:
        return None
    week = week_of(day_at(now))
    weeks = list(range(week, max(week - AGGREGATES_READ_MAX, 0), -1))
    found = engine.aggregates(WATCH.name, weeks)
    last = next((one for one, run in zip(weeks, found, strict=True) if run is not None), week)
    for one in sorted({last, week}):
        _run(engine, one, progress)
    (run,) = engine.aggregates(WATCH.name, [week])
    return {name: int((run or {}).get(name, 0)) for name in _TOLD}


def _run(engine: Watcher, week: int, progress: WatchProgress) -> None:
    """Do what is left of the run of a week."""
    while True:
        receipt = next_part(engine, WATCH.name, WatchBorrowers(subject=week))
        if receipt.code == CreditWatchEnded.code:
            return
        if receipt.code:
            message = "the run of early warning does not go on"
            raise EngineRefused(receipt.code, message)
        answer = receipt.answer
        progress("borrowers", answer["noted"] + answer["looked_at"], answer["borrowers"] + answer["loans"])
        if answer["is_ended"]:
            return


def warned_parties(engine: Watcher) -> list[dict[str, Any]]:
    """Return who is warned of.

    Each has its ``party``, the ``usual`` count of a week and the ``evidence``, in millionths, the ``last``
    count, for how many ``weeks`` the fall goes on, and the ``share`` of undrawn lines that was cut, in
    millionths.
    """
    told: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        found = engine.find_aggregates(WATCHED.name, "is_warned", 1, after=after, limit=AGGREGATES_READ_MAX)
        told += [_told(fields) for fields in found.items]
        after = found.next
    return told


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "party": public_ids.encode(Prefix.PARTY, int(fields["id"], 16)),
        "usual": fields["usual"],
        "last": fields["counts"][-1],
        "weeks": fields["fallen"],
        "evidence": fields["evidence"],
        "share": fields["share"],
    }

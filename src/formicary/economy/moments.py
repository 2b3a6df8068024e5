"""What a world wants done, moment by moment, and how to ask an engine for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.base.errors import Refusal
from formicary.factory.engine.requests import CommandRequest
from formicary.factory.engine.state import Receipt
from formicary.factory.ledger import ACCOUNT, CreateAccountStatus, CreateTransferStatus, TransferFlags

__all__ = ["Asked", "Moment", "ReplayRefused", "Tally", "replay"]

Items = npt.NDArray[Any]
Asked = Items | CommandRequest
Execute = Callable[[Sequence[Asked]], Sequence[Any]]


class ReplayRefused(Refusal):
    """A part of a replay was refused: its data folder holds something else under these ids."""

    code = "replay_refused"


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything that is asked for at one time, decided and committed together.

    Attributes
    ----------
    at
        Nanoseconds since the Unix epoch; moments follow each other in time.
    requests
        Arrays of ``ACCOUNT`` or ``TRANSFER``, one a request, each shape (n,), and products' commands.
    """

    at: int
    requests: tuple[Asked, ...]

    def __len__(self) -> int:
        return sum(1 if isinstance(asked, CommandRequest) else len(asked) for asked in self.requests)


@dataclass(slots=True)
class Tally:
    """How a replay was answered: events created, and events that were there from an earlier run.

    A command that was done by an earlier run is answered as it was then, so ``commands`` counts both.
    """

    accounts: int = 0
    transfers: int = 0
    existing: int = 0
    commands: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def count(self, request: Asked, results: Any) -> None:
        """Count the answers (n,) to one request (n,), or that to a command."""
        if isinstance(request, CommandRequest):
            self._count_command(results)
        elif request.dtype == ACCOUNT:
            self._count_accounts(results["status"])
        else:
            self._count_transfers(request, results["status"])

    def _count_command(self, answer: Any) -> None:
        if isinstance(answer, Receipt) and not answer.code:
            self.commands += 1
        else:
            self.refused[answer.code] += 1

    def _count_accounts(self, statuses: Items) -> None:
        created, existing = (
            statuses == status for status in (CreateAccountStatus.CREATED, CreateAccountStatus.EXISTS)
        )
        self.accounts += int(created.sum())
        self.existing += int(existing.sum())
        self._refuse(statuses[~created & ~existing], CreateAccountStatus)

    def _count_transfers(self, request: Items, statuses: Items) -> None:
        created = statuses == CreateTransferStatus.CREATED
        self.transfers += int(created.sum())
        if created.all():
            return
        existing = statuses == CreateTransferStatus.EXISTS
        # A chain that is repeated answers `exists` on its first member and breaks there.
        ends = (request["flags"] & TransferFlags.LINKED) == 0
        chain = np.cumsum(ends) - ends
        existing |= (statuses == CreateTransferStatus.LINKED_EVENT_FAILED) & np.isin(chain, chain[existing])
        self.existing += int(existing.sum())
        self._refuse(statuses[~created & ~existing], CreateTransferStatus)

    def _refuse(self, statuses: Items, names: type[CreateAccountStatus | CreateTransferStatus]) -> None:
        self.refused.update(names(status).name.lower() for status in statuses.tolist())


def replay(
    moments: Iterable[Moment],
    execute: Execute,
    *,
    set_time: Callable[[int], None],
    done: Callable[[int], None],
) -> Tally:
    """Ask for moments in their order; return how they were answered.

    Parameters
    ----------
    moments
        What is wanted.
    execute
        Decides requests together and returns their results once they are committed.
    set_time
        Told each moment's time, in nanoseconds, before it is decided.
    done
        Told how many events each moment had, after its commit.

    Raises
    ------
    ReplayRefused
        An event was neither created nor there already; moments after it were not asked for.
    """
    tally = Tally()
    for moment in moments:
        set_time(moment.at)
        answers = execute(moment.requests)
        for request, results in zip(moment.requests, answers, strict=True):
            tally.count(request, results)
        if tally.refused:
            reasons = ", ".join(f"{name} ({count})" for name, count in tally.refused.most_common())
            message = f"a part of the replay was refused: {reasons}"
            raise ReplayRefused(message)
        done(len(moment))
    return tally

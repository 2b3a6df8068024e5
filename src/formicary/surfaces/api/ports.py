"""What the API needs of the factory behind it; ``formicary.runtime`` provides it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy.typing as npt

from formicary.factory.decisions.reasons import PolicyTexts
from formicary.factory.engine.products import Command
from formicary.factory.engine.reads import FoundAggregates
from formicary.factory.engine.state import Receipt
from formicary.factory.features.quality.verdicts import FeatureSummary
from formicary.factory.history import History

__all__ = ["Backend"]

Records = npt.NDArray[Any]
Answer = TypeVar("Answer")


class Backend(Protocol):
    """A factory to ask, behind the engine's socket or in this process.

    Where no answer comes every method raises ``OutcomeUnknown``; ``EngineUnreachable`` and ``EngineBusy``
    mean that nothing was done.
    """

    async def create_accounts(self, accounts: Records) -> Records:
        """Open accounts; return one result each, (n,) of ``ACCOUNT_RESULT``."""
        ...

    async def create_transfers(self, transfers: Records) -> Records:
        """Make transfers; return one result each, (n,) of ``TRANSFER_RESULT``."""
        ...

    async def command(self, product: str, command: Command, *, principal: str, key: str) -> Receipt:
        """Send a product's command; the same key gets the same receipt again."""
        ...

    async def lookup_accounts(self, ids: Sequence[int]) -> Records:
        """Return the accounts that exist, in the order asked, (n,) of ``ACCOUNT``."""
        ...

    async def aggregates(self, product: str, ids: Sequence[int]) -> list[dict[str, Any] | None]:
        """Return a product's aggregates in the order asked, None for one that does not exist."""
        ...

    async def find_aggregates(
        self, product: str, field: str, value: int, *, after: int, limit: int
    ) -> FoundAggregates:
        """Find a product's aggregates by a number that they hold, in the order of their creation."""
        ...

    async def policy_texts(self, point: int, version: int) -> PolicyTexts | None:
        """Return what a policy says in words, by the number of its decision point, None where it is gone."""
        ...

    async def status(self) -> dict[str, int]:
        """Return the engine's position, stamp and sizes."""
        ...

    async def feature_quality(self) -> dict[str, tuple[FeatureSummary, ...]]:
        """Return what each set of features was told as lately, in figures."""
        ...

    async def remember(self, question: Callable[[History], Answer]) -> Answer:
        """Ask what was; the answer is at least as new as every answer given before."""
        ...

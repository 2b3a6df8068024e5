"""What commands of lending need of the program around them, besides the API; a part of ``ports``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from formicary.products.lending.applications.recomputed import Recomputed

__all__ = ["LendingRuns"]


class LendingRuns(Protocol):
    """Runs over a whole base, which the engine does part by part."""

    def preapprove(
        self, currency: int | None, report: Callable[[str, int, int], None]
    ) -> list[dict[str, Any]]:
        """Go over all parties in a currency by its number, or in all; return what each run came to."""
        ...

    def watch(self, report: Callable[[str, int, int], None]) -> dict[str, Any] | None:
        """Go over all lines; return what the run of the week came to and the ``parties`` that are warned of.

        None where there was never a line.
        """
        ...

    def verify_applications(self, progress: Callable[[int, int], None]) -> Recomputed:
        """Take every recorded decision about an application again; ``progress`` as in ``verify``."""
        ...

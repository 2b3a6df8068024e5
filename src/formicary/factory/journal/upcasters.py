"""Event bodies of older versions, brought to the present form as they are read.

Rows are never rewritten. Each change of a body's form registers one pure function from one version to the
next, and a body written years ago passes through all of them::

    upcasters = Upcasters()
    upcasters.declare("AccountFrozen", version=2)

    @upcasters.upcast("AccountFrozen", version=1)
    def _reason_became_a_code(body):
        return {**body, "reason_code": 0}
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from formicary.base.errors import ProgrammingError
from formicary.factory.journal.errors import JournalTooNew
from formicary.factory.journal.events import Event

__all__ = ["Body", "Upcaster", "Upcasters"]

Body = dict[str, Any]
Upcaster = Callable[[Body], Body]


class Upcasters:
    """The event kinds a release knows, their present versions, and the way there from older ones.

    Parameters
    ----------
    raw
        Pass every event as it is stored: for tools that do not interpret bodies.
    """

    def __init__(self, *, raw: bool = False) -> None:
        self._raw = raw
        self._versions: dict[str, int] = {}
        self._steps: dict[tuple[str, int], Upcaster] = {}

    def declare(self, kind: str, *, version: int) -> None:
        """Note that ``version`` is the present one of ``kind``; there is only one."""
        if self._versions.setdefault(kind, version) != version:
            message = f"{kind} is declared with versions {self._versions[kind]} and {version}"
            raise ProgrammingError(message)

    def upcast(self, kind: str, *, version: int) -> Callable[[Upcaster], Upcaster]:
        """Register a pure function from a body of ``version`` to one of ``version + 1``."""

        def register(upcaster: Upcaster) -> Upcaster:
            if self._steps.setdefault((kind, version), upcaster) is not upcaster:
                message = f"{kind} has two upcasters from version {version}"
                raise ProgrammingError(message)
            return upcaster

        return register

    def check(self) -> None:
        """Raise ``ProgrammingError`` where a step from an older version to the present one is missing."""
        for kind, present in self._versions.items():
            missing = [version for version in range(1, present) if (kind, version) not in self._steps]
            if missing:
                message = f"{kind} has no upcaster from version {missing[0]}"
                raise ProgrammingError(message)

    def apply(self, event: Event) -> Event:
        """Return the event in its present form.

        Raises
        ------
        JournalTooNew
            Its kind or version is not known here: a newer release wrote it.
        """
        if self._raw:
            return event
        present = self._versions.get(event.kind, 0)
        if event.version > present:
            message = (
                f"the event {event.kind} version {event.version} at position {event.position} is of a newer "
                f"release; this one knows {f'versions up to {present}' if present else 'no such kind'}"
            )
            raise JournalTooNew(message)
        if event.version == present:
            return event
        body: Body = msgspec.json.decode(event.body)
        for version in range(event.version, present):
            body = self._steps[event.kind, version](body)
        return replace(event, version=present, body=msgspec.json.encode(body))

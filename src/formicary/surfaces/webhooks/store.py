"""Which webhooks there are, and how far each has come: two files, each with one kind of writer.

Addresses and secrets are no part of the journal. Registrations are written by the API's workers, progress by
the courier; each file is replaced as a whole, so a reader sees one state or the other.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from formicary.base.errors import Refusal
from formicary.base.limits import WEBHOOKS_MAX

__all__ = ["Pending", "Progress", "Registration", "TooManyWebhooks", "WebhookStore"]

Kind = TypeVar("Kind")

_MODE: Final = 0o600


class TooManyWebhooks(Refusal):
    """There are as many webhooks as there may be; remove one first."""

    code = "too_many_webhooks"


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook: where to, signed with what, after which position, which kinds of events (none: all).

    ``replays`` counts how often its dead letters were asked for again.
    """

    id: str
    url: str
    secret: str
    after: int
    kinds: tuple[str, ...] = ()
    replays: int = 0


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was not taken: the event's position, how often it was tried, when it is tried again."""

    position: int
    attempts: int
    due: float


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a webhook has come: everything up to ``cursor`` was delivered but for what is named."""

    cursor: int
    pending: tuple[Pending, ...] = ()
    dead: tuple[int, ...] = ()
    replays: int = 0


class WebhookStore:
    """The two files.

    Parameters
    ----------
    folder
        Where they are; it is made when it is first needed, closed to others.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._registrations = folder / "registrations.json"
        self._progress = folder / "progress.json"

    def registrations(self) -> dict[str, Registration]:
        """Return every webhook by its id."""
        return _read(self._registrations, dict[str, Registration])

    def progress(self) -> dict[str, Progress]:
        """Return how far each webhook has come, by its id."""
        return _read(self._progress, dict[str, Progress])

    def put(self, registration: Registration) -> None:
        """Add a webhook, or change one.

        Raises
        ------
        TooManyWebhooks
            There are ``WEBHOOKS_MAX`` others.
        """
        with self._lock():
            known = self.registrations()
            if registration.id not in known and len(known) >= WEBHOOKS_MAX:
                raise TooManyWebhooks
            _write(self._registrations, known | {registration.id: registration})

    def remove(self, webhook_id: str) -> None:
        """Remove a webhook; one that is not there is no error."""
        with self._lock():
            known = self.registrations()
            known.pop(webhook_id, None)
            _write(self._registrations, known)

    def save_progress(self, progress: dict[str, Progress]) -> None:
        """Keep how far each webhook has come."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        _write(self._progress, progress)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _read(path: Path, kind: type[dict[str, Kind]]) -> dict[str, Kind]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return {}


def _write(path: Path, content: object) -> None:
    new = path.with_suffix(f".{os.getpid()}")
    new.touch(_MODE)
    new.write_bytes(msgspec.json.encode(content))
    new.replace(path)

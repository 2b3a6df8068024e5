"""What callers ask of the engine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy.typing as npt

from formicary.base.errors import OperationalFault, Refusal
from formicary.factory.engine.products import Command, TimerFired
from formicary.factory.engine.state import FactoryState

__all__ = [
    "CommandRequest",
    "EngineBusy",
    "EngineStopped",
    "KeyReused",
    "LedgerRequest",
    "MalformedCommand",
    "ReadRequest",
    "Request",
    "TransferRefused",
    "UnknownProduct",
    "command_id_of",
    "command_request",
    "derive_id",
    "require_well_formed",
]


class EngineBusy(OperationalFault):
    """The engine's queue is full; nothing was done, try again a little later."""


class EngineStopped(OperationalFault):
    """The engine stopped before it could confirm; the outcome is unknown until asked again by id."""


class KeyReused(Refusal):
    """The idempotency key was used before with another body."""

    code = "idempotency_key_reused"


class MalformedCommand(Refusal):
    """The subject of a command is no 128-bit id, or a field of it is not what its type says."""

    code = "malformed_command"


class TransferRefused(Refusal):
    """The ledger refused a part of a decision; ``status`` is the ledger's own word for it."""

    code = "transfer_refused"

    def __init__(self, status: str) -> None:
        super().__init__()
        self.status = status


class UnknownProduct(Refusal):
    """No product of this name runs here."""

    code = "unknown_product"


@dataclass(frozen=True, slots=True)
class LedgerRequest:
    """Accounts to open or transfers to make; answered with one result an event."""

    items: npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRequest:
    """A product's command; answered with a ``Receipt``."""

    product: str
    command_id: int
    fingerprint: str
    command: Command


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A look into the state as it is once everything asked before is committed."""

    read: Callable[[FactoryState], Any]


Request = LedgerRequest | CommandRequest | ReadRequest


def command_request(product: str, command: Command, *, principal: str, key: str) -> CommandRequest:
    """Make the request of a command; its id follows from who asks and their idempotency key."""
    body = msgspec.json.encode(command, order="sorted")
    return CommandRequest(
        product=product,
        command_id=command_id_of(principal, key),
        fingerprint=hashlib.blake2b(body, digest_size=16).hexdigest(),
        command=command,
    )


def command_id_of(principal: str, key: str) -> int:
    """Return the 128-bit id of whatever somebody asks for under an idempotency key."""
    named = f"{len(principal)}:{principal}{key}".encode()
    return int.from_bytes(hashlib.blake2b(named, digest_size=16).digest(), "big")


def derive_id(command_id: int, ordinal: int) -> int:
    """Return the 128-bit id of the ordinal-th thing that a command makes."""
    named = command_id.to_bytes(16, "big") + ordinal.to_bytes(8, "big")
    return int.from_bytes(hashlib.blake2b(named, digest_size=16, person=b"formicary-id").digest(), "big")


def require_well_formed(command: Command | TimerFired) -> None:
    """Refuse a command whose fields break their bounds.

    What comes over a socket was checked when it was read. A caller in the same process may have made the
    struct by hand, and an error past this line would stop the engine.

    Raises
    ------
    MalformedCommand
        A field is not what its type says.
    """
    if isinstance(command, TimerFired):
        return
    try:
        msgspec.json.decode(msgspec.json.encode(command), type=type(command))
    except (TypeError, msgspec.MsgspecError) as error:
        raise MalformedCommand(str(error)) from error

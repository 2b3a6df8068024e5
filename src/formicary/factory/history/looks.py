"""The looks of history at the engine's memory by name, so that another process can ask for them.

Each is a short, bounded read with its arguments, that can be written down, sent and carried out elsewhere::

    payload = encode_look(StepBack(...))            # in a process without the machine
    answer = decode_look(payload).answer(machine)   # in the engine, between two steps
    step = StepBack(...).decoded(answer)            # back again
"""

from __future__ import annotations

import struct
from typing import Annotated, Any, Final, Protocol, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import Refusal
from formicary.base.limits import QUERY_LIMIT_MAX
from formicary.factory.history._walk import WANTED
from formicary.factory.history.memory import AccountHead, Step, account_head, find_transfers, step_back
from formicary.factory.journal.rows import TRANSFER_ROW
from formicary.factory.ledger import ACCOUNT, LedgerMachine

__all__ = [
    "AccountsById",
    "HeadOf",
    "LatestEntries",
    "Look",
    "MalformedLook",
    "Question",
    "StepBack",
    "TransfersById",
    "decode_look",
    "encode_look",
]

Rows = npt.NDArray[Any]
Answer_co = TypeVar("Answer_co", covariant=True)
Answer = TypeVar("Answer")

_ID_BYTES: Final = 16
_PAIR: Final = struct.Struct("<qq")
_NOTHING: Final = b""

Ids = Annotated[bytes, msgspec.Meta(max_length=_ID_BYTES * QUERY_LIMIT_MAX)]
"""128-bit ids, 16 bytes each, highest first."""
Position = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Limit = Annotated[int, msgspec.Meta(ge=0, le=2**31)]


class MalformedLook(Refusal):
    """The bytes are no look at the engine's memory."""

    code = "malformed_look"


class Question(Protocol[Answer_co]):
    """One look: what is asked, and how its answer comes back."""

    def __call__(self, machine: LedgerMachine, /) -> Answer_co:
        """Look, where the machine is."""
        ...

    def answer(self, machine: LedgerMachine, /) -> bytes:
        """Look, and write the answer down."""
        ...

    def decoded(self, answer: bytes, /) -> Answer_co:
        """Read an answer that was written down."""
        ...


class Look(Protocol):
    """Asks the ledger's memory at a moment when it is whole.

    In one process that is ``lambda question: question(machine)``.
    """

    def __call__(self, question: Question[Answer], /) -> Answer:
        """Return the answer."""
        ...


class AccountsById(msgspec.Struct, frozen=True, tag=True):
    """The accounts that exist, in the order asked, (n,) of ``ACCOUNT``."""

    ids: Ids

    def __call__(self, machine: LedgerMachine, /) -> Rows:
        """Look, where the machine is."""
        return machine.account_views(unpack_ids(self.ids))

    def answer(self, machine: LedgerMachine, /) -> bytes:
        """Look, and write the answer down."""
        return self(machine).tobytes()

    def decoded(self, answer: bytes, /) -> Rows:
        """Read an answer that was written down."""
        return np.frombuffer(answer, ACCOUNT)


class TransfersById(msgspec.Struct, frozen=True, tag=True):
    """The rows of ids in memory, (n,) of ``TRANSFER_ROW``, and the positions (m,) of those that left it."""

    ids: Ids

    def __call__(self, machine: LedgerMachine, /) -> tuple[Rows, Rows]:
        """Look, where the machine is."""
        return find_transfers(machine, unpack_ids(self.ids))

    def answer(self, machine: LedgerMachine, /) -> bytes:
        """Look, and write the answer down."""
        rows, positions = self(machine)
        return _PAIR.pack(len(rows), len(positions)) + rows.tobytes() + positions.astype(np.int64).tobytes()

    def decoded(self, answer: bytes, /) -> tuple[Rows, Rows]:
        """Read an answer that was written down."""
        count, _ = _PAIR.unpack_from(answer)
        rows = np.frombuffer(answer, TRANSFER_ROW, count, _PAIR.size)
        return rows, np.frombuffer(answer, np.int64, offset=_PAIR.size + rows.nbytes)


class HeadOf(msgspec.Struct, frozen=True, tag=True):
    """Where an account's history begins and ends, or None."""

    ids: Ids

    def __call__(self, machine: LedgerMachine, /) -> AccountHead | None:
        """Look, where the machine is."""
        return account_head(machine, unpack_ids(self.ids)[0])

    def answer(self, machine: LedgerMachine, /) -> bytes:
        """Look, and write the answer down."""
        return _packed_head(self(machine))

    def decoded(self, answer: bytes, /) -> AccountHead | None:
        """Read an answer that was written down."""
        return _head(answer)


class StepBack(msgspec.Struct, frozen=True, tag=True):
    """A stretch of a walk back through an account's entries; ``wanted`` is a ``compiled_filter``."""

    wanted: Annotated[bytes, msgspec.Meta(min_length=WANTED.itemsize, max_length=WANTED.itemsize)]
    position: Position
    floor: Position
    limit: Limit

    def __call__(self, machine: LedgerMachine, /) -> Step:
        """Look, where the machine is."""
        wanted = np.frombuffer(self.wanted, WANTED)[0:1].reshape(())
        return step_back(machine, wanted, position=self.position, floor=self.floor, limit=self.limit)

    def answer(self, machine: LedgerMachine, /) -> bytes:
        """Look, and write the answer down."""
        return _packed_step(self(machine))

    def decoded(self, answer: bytes, /) -> Step:
        """Read an answer that was written down."""
        return _step(answer)


class LatestEntries(msgspec.Struct, frozen=True, tag=True):
    """An account's head and the first stretch of a walk back from its latest entry, or None."""

    ids: Ids
    wanted: Annotated[bytes, msgspec.Meta(min_length=WANTED.itemsize, max_length=WANTED.itemsize)]
    limit: Limit

    def __call__(self, machine: LedgerMachine, /) -> tuple[AccountHead, Step] | None:
        """Look, where the machine is."""
        head = account_head(machine, unpack_ids(self.ids)[0])
        if head is None:
            return None
        walk = StepBack(wanted=self.wanted, position=head.last_entry, floor=0, limit=self.limit)
        return head, walk(machine)

    def answer(self, machine: LedgerMachine, /) -> bytes:
        """Look, and write the answer down."""
        found = self(machine)
        return _NOTHING if found is None else _packed_head(found[0]) + _packed_step(found[1])

    def decoded(self, answer: bytes, /) -> tuple[AccountHead, Step] | None:
        """Read an answer that was written down."""
        head = _head(answer[: _PAIR.size])
        return None if head is None else (head, _step(answer[_PAIR.size :]))


_Any = AccountsById | TransfersById | HeadOf | StepBack | LatestEntries
_DECODER: Final = msgspec.msgpack.Decoder(_Any)


def encode_look(question: Any) -> bytes:
    """Return a look as bytes."""
    return msgspec.msgpack.encode(question)


def decode_look(payload: bytes) -> _Any:
    """Return the look behind some bytes.

    Raises
    ------
    MalformedLook
        They are none.
    """
    try:
        look: _Any = _DECODER.decode(payload)
    except msgspec.MsgspecError as error:
        raise MalformedLook(str(error)) from error
    ids = getattr(look, "ids", bytes(_ID_BYTES))
    one = not isinstance(look, AccountsById | TransfersById)
    if len(ids) % _ID_BYTES or (one and len(ids) != _ID_BYTES):
        raise MalformedLook
    return look


def pack_ids(*ids: int) -> bytes:
    """Return 128-bit ids as a look names them."""
    return b"".join([wanted.to_bytes(_ID_BYTES) for wanted in ids])


def unpack_ids(packed: bytes) -> list[int]:
    """Return the 128-bit ids that a look names."""
    return [int.from_bytes(packed[at : at + _ID_BYTES]) for at in range(0, len(packed), _ID_BYTES)]


def _packed_head(head: AccountHead | None) -> bytes:
    return _NOTHING if head is None else _PAIR.pack(head.opened, head.last_entry)


def _head(packed: bytes) -> AccountHead | None:
    if not packed:
        return None
    opened, last_entry = _PAIR.unpack(packed)
    return AccountHead(opened=opened, last_entry=last_entry)


def _packed_step(step: Step) -> bytes:
    return _PAIR.pack(step.cursor, step.passed) + step.rows.tobytes()


def _step(packed: bytes) -> Step:
    cursor, passed = _PAIR.unpack_from(packed)
    return Step(rows=np.frombuffer(packed, TRANSFER_ROW, offset=_PAIR.size), cursor=cursor, passed=passed)

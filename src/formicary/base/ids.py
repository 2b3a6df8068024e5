"""128-bit ids ordered by time: UUID version 7 as one integer.

Layout, from the highest bit (RFC 9562, section 5.7; the fraction as in method 3 of section 6.2)::

    48 bits  milliseconds since the Unix epoch
     4 bits  version, 7
    12 bits  fraction of the millisecond, in units of 1/4096 (about 244 ns)
     2 bits  variant, 0b10
    62 bits  random

Time and randomness come in as arguments, so a seeded run makes the same ids.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from formicary.base.clock import Clock
from formicary.base.errors import ProgrammingError, Refusal

__all__ = ["ID_RANDOM_BYTES", "IdGenerator", "MalformedId", "format_id", "new_id", "parse_id"]

ID_RANDOM_BYTES: Final = 8
"""Random bytes one id takes; the two highest bits are not used."""

_NANOSECONDS_PER_MILLISECOND: Final = 1_000_000
_FRACTION_BITS: Final = 12
_TICK_BITS: Final = 48 + _FRACTION_BITS
_RANDOM_BITS: Final = 62
_ID_BITS: Final = 128
_VERSION: Final = 7
_VARIANT: Final = 0b10
# Ids of one tick step by a random number of at most this many bits: 2**30 of them fit into the
# random field, and knowing one id does not tell the next.
_STEP_BITS: Final = 32
_CANONICAL: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


class MalformedId(Refusal):
    """An id is written as 32 hexadecimal digits in groups of 8-4-4-4-12."""

    code = "malformed_id"


def new_id(clock_ns: int, random_bytes: bytes) -> int:
    """Return the UUIDv7 of a time and of eight random bytes, as a 128-bit integer.

    Parameters
    ----------
    clock_ns
        Nanoseconds since the Unix epoch, from 0 to the year 10889.
    random_bytes
        ``ID_RANDOM_BYTES`` bytes; the two highest bits are dropped.

    Raises
    ------
    ProgrammingError
        The time does not fit or there are too few or too many bytes.
    """
    if len(random_bytes) != ID_RANDOM_BYTES:
        message = f"an id takes {ID_RANDOM_BYTES} random bytes, not {len(random_bytes)}"
        raise ProgrammingError(message)
    return _assemble(_tick(clock_ns), _tail(random_bytes))


def format_id(value: int) -> str:
    """Return a 128-bit integer as canonical UUID text, 36 lower-case characters."""
    if not 0 <= value < 1 << _ID_BITS:
        message = "an id is an integer of 128 bits"
        raise ProgrammingError(message)
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def parse_id(text: str) -> int:
    """Return the 128-bit integer behind canonical UUID text, in either case and of any version.

    Raises
    ------
    MalformedId
        The text is anything else.
    """
    lower = text.lower()
    # Some characters become ASCII when lowered (the Kelvin sign); only ASCII was ever an id.
    if not text.isascii() or not _CANONICAL.fullmatch(lower):
        raise MalformedId
    return int(lower.replace("-", ""), 16)


class IdGenerator:
    """Makes ids that are strictly increasing, whatever its clock does; for one thread.

    Parameters
    ----------
    clock
        Gives the time of each id. While it stands still or goes back, ids count on from the last.
    random
        Returns as many random bytes as it is asked for: the operating system's source in
        production, ``Random(seed).randbytes`` in a test.
    """

    __slots__ = ("_clock", "_random", "_tail", "_tick")

    def __init__(self, clock: Clock, random: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._random = random
        self._tick = -1
        self._tail = 0

    def next(self) -> int:
        """Return the next id, greater than every one before it."""
        tick = _tick(self._clock.now())
        random_bytes = self._random(ID_RANDOM_BYTES)
        if tick <= self._tick:
            step = 1 + (int.from_bytes(random_bytes) >> (8 * ID_RANDOM_BYTES - _STEP_BITS))
            carry, self._tail = divmod(self._tail + step, 1 << _RANDOM_BITS)
            # A full random field borrows from the time: the order matters more than 244 ns.
            self._tick += carry
        else:
            self._tick = tick
            self._tail = _tail(random_bytes)
        return _assemble(self._tick, self._tail)


def _tick(clock_ns: int) -> int:
    milliseconds, rest_ns = divmod(clock_ns, _NANOSECONDS_PER_MILLISECOND)
    tick = (milliseconds << _FRACTION_BITS) | (rest_ns << _FRACTION_BITS) // _NANOSECONDS_PER_MILLISECOND
    if not 0 <= tick < 1 << _TICK_BITS:
        message = f"{clock_ns} ns is not a time that fits an id"
        raise ProgrammingError(message)
    return tick


def _tail(random_bytes: bytes) -> int:
    return int.from_bytes(random_bytes) & ((1 << _RANDOM_BITS) - 1)


def _assemble(tick: int, tail: int) -> int:
    milliseconds, fraction = divmod(tick, 1 << _FRACTION_BITS)
    high = (milliseconds << 16) | (_VERSION << _FRACTION_BITS) | fraction
    return (high << 64) | (_VARIANT << _RANDOM_BITS) | tail

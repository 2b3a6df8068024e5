"""What is known of every key: the state of all features, around its kernels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.base.limits import FEATURE_BYTES_MAX
from formicary.base.purposes import NEEDS_CONSENT, Purpose
from formicary.base.records import Note, noted
from formicary.factory.features import _layout as layout
from formicary.factory.features._blocks import new_block
from formicary.factory.features._consents import consents_of
from formicary.factory.features._freshness import read_latest
from formicary.factory.features._hash import rows_hash
from formicary.factory.features._holders import holders_of, note_holders
from formicary.factory.features._kernels import follow_events, read_events, replay_events
from formicary.factory.features._layout import EMPTY, Events, Reals, State, Words
from formicary.factory.features._read import new_reading
from formicary.factory.features._rows import SWEEP_WORDS_MIN, index_rows
from formicary.factory.features.compiler import Compiled
from formicary.factory.features.memory import RoomExhausted, reserved_words, roomy

__all__ = ["FeatureStore", "Values"]

_SLOTS_MIN: Final = 1 << 12
_WORD_BYTES: Final = 8
# Events between two looks at whether there is room: bounds what is kept free.
_EVENTS_AT_A_TIME: Final = 8_192


@dataclass(frozen=True, kw_only=True)
class Values:
    """What asking events were told.

    Attributes
    ----------
    names
        The features, (f,).
    values
        (n, f), NaN where missing.
    withheld
        (n,) bits: which of the asking event's parties gave no consent: what is told of them is missing.
    subjects
        The names of the bits.
    """

    names: tuple[str, ...]
    values: Reals
    withheld: Words
    subjects: tuple[str, ...]


class FeatureStore:
    """All rows of all keys.

    Parameters
    ----------
    compiled
        The features it is kept for.
    bytes_max
        How much memory rows may take; the address space is reserved at once, memory as it is used.
    """

    def __init__(self, compiled: Compiled, *, bytes_max: int = FEATURE_BYTES_MAX) -> None:
        self.compiled = compiled
        self.position = 0
        """The journal position up to which it is folded."""
        numbers = np.zeros(layout.NUMBERS, np.int64)
        numbers[layout.SWEEP_AT] = SWEEP_WORDS_MIN
        numbers[layout.NOW] = numbers[layout.SWEPT_UNTIL] = EMPTY
        self._bytes_max = bytes_max
        self._row_bytes_max = max(compiled.row_bytes(table) for table in range(len(compiled.tables)))
        words, entries = (reserved_words(bytes_max // _WORD_BYTES) for _ in range(2))
        free = np.zeros(int(compiled.plan.chunk_words.max(initial=0)) // layout.LINE_WORDS + 1, np.int64)
        free[0] = layout.LINE_WORDS
        self.state = State(np.zeros(_SLOTS_MIN, np.uint64), words, entries, free, numbers)
        self._block = new_block(compiled.plan)
        self._readings = {name: new_reading(view.view) for name, view in compiled.views.items()}
        self.notes_made = 0
        """How many times what kernels are given was noted anew, as rows found another index."""
        self.common_note, self._notes = self._noted()
        self._touches_max = max(int(np.diff(compiled.plan.kind_touches).max()), 1)

    # -- what is so ------------------------------------------------------------------------

    @property
    def keys(self) -> int:
        """How many rows there are."""
        return int(self.state.numbers[layout.ROWS])

    @property
    def bytes_used(self) -> int:
        """What rows, the entries of their rings and the index take."""
        words = int(self.state.numbers[layout.USED] + self.state.free[0])
        return words * _WORD_BYTES + self.state.slots.nbytes

    @property
    def now(self) -> int:
        """The latest time of an event, in nanoseconds."""
        return int(self.state.numbers[layout.NOW])

    @property
    def too_late(self) -> int:
        """How many times an event was older than every window that could still have told of it."""
        return int(self.state.numbers[layout.TOO_LATE])

    @property
    def lost(self) -> int:
        """How many events gave way in a full ring, so that exact windows are missing for a while."""
        return int(self.state.numbers[layout.LOST])

    @property
    def state_hash(self) -> int:
        """An unsigned 64-bit hash of all rows that still tell something, however they lie in memory."""
        return int(np.uint64(rows_hash(self.state, self.compiled.plan)))

    def note(self, view: str) -> Note:
        """Return what a kernel is given to read a view, until room is made or a snapshot is read."""
        return self._notes[view]

    # -- events in, features out -----------------------------------------------------------

    def follow(self, events: Events) -> None:
        """Let events, in the order in which they became known, change the rows of their keys.

        Raises
        ------
        RoomExhausted
            There is no memory left for new keys.
        """
        for part in _cut(events):
            self.make_room(len(part.kinds))
            follow_events(self.common_note, part)

    def read(self, view: str, events: Events, *, purpose: Purpose) -> Values:
        """Tell the features of a view at each event (n) of its kind, and change nothing.

        Raises
        ------
        PurposeNotDeclared
            A feature of the view may not be read for this purpose.
        """
        compiled = self.compiled.views[view]
        count = len(events.kinds)
        out, withheld = np.empty((count, len(compiled.names))), np.zeros(count, np.int64)
        bit = compiled.consent_bit(purpose)
        read_events(self.note(view), events, bit, out, withheld)
        return Values(names=compiled.names, values=out, withheld=withheld, subjects=compiled.subjects)

    def replay(
        self, view: str, events: Events, *, purpose: Purpose, asked: npt.NDArray[np.bool_] | None = None
    ) -> Values:
        """Tell a view's features at each event of its kind as known just before it, then let it change rows.

        ``asked`` (n,) leaves out events that nobody asks about; without it every event of the kind asks.
        """
        compiled = self.compiled.views[view]
        bit = compiled.consent_bit(purpose)
        wanted = np.ones(len(events.kinds), np.bool_) if asked is None else asked
        count = int((wanted & (events.kinds == compiled.view.kind)).sum())
        shape = (count, len(compiled.names))
        out, withheld = roomy(math.prod(shape)).view(np.float64).reshape(shape), np.zeros(count, np.int64)
        done = first = 0
        for part in _cut(events):
            end = first + len(part.kinds)
            self.make_room(len(part.kinds))
            done += replay_events(self.note(view), part, bit, wanted[first:end], out[done:], withheld[done:])
            first = end
        if done != count:
            message = f"{count} events asked, and {done} were answered"
            raise ProgrammingError(message)
        return Values(names=compiled.names, values=out, withheld=withheld, subjects=compiled.subjects)

    def latest(self, view: str, events: Events) -> Words:
        """Return when the row of each key of a view last changed (n, look-ups), ``EMPTY`` for no row."""
        compiled = self.compiled.views[view].view
        out = np.empty((len(events.kinds), len(compiled.lookups)), np.int64)
        read_latest(self.state, compiled, events, out)
        return out

    def note_holders(self, accounts: Words, parties: Words) -> None:
        """Remember which parties (n, 2) hold accounts (n, 2)."""
        self.make_room(len(accounts))
        note_holders(self.state, self.compiled.plan, accounts, parties)

    def holders_of(self, accounts: Words) -> Words:
        """Return the parties that hold accounts (n, 2), zeros for none."""
        parties = np.zeros((len(accounts), 2), np.int64)
        holders_of(self.state, accounts, parties)
        return parties

    def consents(self, parties: Words, purpose: Purpose) -> npt.NDArray[np.bool_]:
        """Tell which of the parties (n, 2) agree to a purpose now, (n,); all, where nobody is asked."""
        agreed = np.ones(len(parties), np.bool_)
        if purpose in NEEDS_CONSENT:
            consents_of(self.state, np.ascontiguousarray(parties), int(purpose), agreed)
        return agreed

    def make_room(self, events: int) -> None:
        """Make room for the keys of so many more events.

        Raises
        ------
        RoomExhausted
            There is no memory left for new keys.
        """
        state = self.state
        rows = events * self._touches_max
        if self.bytes_used + rows * self._row_bytes_max > self._bytes_max:
            message = f"the rows of features take {self.bytes_used} bytes: give them more, or shorter windows"
            raise RoomExhausted(message)
        if 2 * (self.keys + rows) > len(state.slots):
            size = 1 << (4 * (self.keys + rows)).bit_length()
            self._index(size)

    def _index(self, size: int) -> None:
        """Build the index of all rows in so many slots."""
        self.state = self.state._replace(slots=roomy(size).view(np.uint64))
        index_rows(self.state, self.compiled.plan)
        self.common_note, self._notes = self._noted()

    def _noted(self) -> tuple[Note, dict[str, Note]]:
        """Return what kernels are given: of all features, and of each view."""
        self.notes_made += 1
        common = (self.state, self.compiled.plan, self._block)
        notes = {
            name: noted(*common, self.compiled.views[name].view, reading)
            for name, reading in self._readings.items()
        }
        return noted(*common), notes

    # -- snapshots -------------------------------------------------------------------------

    def sections(self) -> dict[str, Any]:
        """Return all there is as named arrays, views of what goes on changing."""
        state = self.state
        return {
            "words": state.words[: state.numbers[layout.USED]],
            "entries": state.entries[: state.free[0]],
            "free": state.free,
            "numbers": np.append(state.numbers, self.position),
            "fingerprint": np.frombuffer(bytes.fromhex(self.compiled.fingerprint), np.uint8),
        }

    def restore(self, sections: Mapping[str, Any]) -> bool:
        """Take over a snapshot's sections if they were written for the same features; tell whether so."""
        written_for = np.asarray(sections["fingerprint"]).tobytes().hex()
        if written_for != self.compiled.fingerprint:
            return False
        numbers = np.asarray(sections["numbers"])
        words, entries = np.asarray(sections["words"]), np.asarray(sections["entries"])
        if words.nbytes + entries.nbytes > self._bytes_max:
            taken = words.nbytes + entries.nbytes
            message = f"a snapshot's rows of features take {taken} bytes, more than is reserved"
            raise RoomExhausted(message)
        self.state.words[: len(words)] = words
        self.state.entries[: len(entries)] = entries
        self.state.free[:] = sections["free"]
        self.state.numbers[:] = numbers[:-1]
        self.position = int(numbers[-1])
        size = max(_SLOTS_MIN, 1 << (4 * self.keys).bit_length())
        self._index(size)
        return True


def _cut(events: Events) -> list[Events]:
    count = len(events.kinds)
    if count <= _EVENTS_AT_A_TIME:
        return [events] if count else []
    cuts = range(0, count, _EVENTS_AT_A_TIME)
    return [Events(*(column[first : first + _EVENTS_AT_A_TIME] for column in events)) for first in cuts]

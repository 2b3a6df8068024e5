"""Events: what cannot be stored is found before it looks like a failed commit."""

from __future__ import annotations

from contextlib import closing

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.factory.journal.access import Access
from formicary.factory.journal.errors import BatchRejected
from formicary.factory.journal.events import require_storable
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.statements import READ_CAUSED
from tests.factory.journal.kit import batch, event, owned, read_all, transfers

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
BODIES = st.dictionaries(
    TEXTS,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**127), 2**128) | TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=4,
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"1",
        b"[]",
        b"null",
        b'{"a": NaN}',
        b"\xff",
        b'{"a": "\\u0000"}',
        b'{"a": [{"\\u0000": 1}]}',
    ],
)
def test_a_body_that_cannot_be_stored_is_an_error_of_the_code(body: bytes) -> None:
    """A batch with such an event is never made."""
    with pytest.raises(BatchRejected, match="body of the event at position 1"):
        batch(events=[event(1, body=body)])


def test_a_kind_without_nul() -> None:
    """Nor can the kind hold what text in PostgreSQL cannot."""
    with pytest.raises(BatchRejected):
        require_storable(event(1, kind="a\0b"))


@settings(max_examples=30)
@given(st.lists(BODIES, min_size=1, max_size=5))
def test_any_body_is_storable(bodies: list[dict[str, object]]) -> None:
    """Whatever JSON an event is made of passes."""
    for body in bodies:
        require_storable(event(1, body=msgspec.json.encode(body)))


@pytest.mark.parametrize("count", [3, 300], ids=["one statement", "copied"])
def test_bodies_mean_the_same(access: Access, count: int) -> None:
    """Keys may come back in another order; meaning, numbers of any size and texts do not change."""
    bodies = [
        {"b": 2**100 + place, "aa": ["é€😀", None, True, -1], "": {"x": str(place)}} for place in range(count)
    ]
    written = [
        event(place + 1, kind="Ümlaut", body=msgspec.json.encode(body)) for place, body in enumerate(bodies)
    ]
    with owned(access) as journal:
        journal.append(batch(events=written))
        read = read_all(journal)[2]
    assert [msgspec.json.decode(found.body) for found in read] == bodies
    for found, event_written in zip(read, written, strict=True):
        assert (found.position, found.timestamp, found.kind) == (
            event_written.position,
            event_written.timestamp,
            "Ümlaut",
        )
        assert (found.command_id, found.subject) == (event_written.command_id, event_written.subject)


def test_events_are_read_a_page_at_a_time(small_segments: Access) -> None:
    """Those of products after a position, the first ones, over segments; not the engine's own."""
    events = [event(position, kind="shop.Opened") for position in (1, 2, 100)]
    with owned(small_segments) as journal:
        journal.append(batch(events=[*events[:2], event(3), events[2]], transfers=transfers(4, 96)))
    with closing(JournalReader(small_segments)) as reader:
        assert reader.events(after=0, limit=2) == events[:2]
        assert reader.events(after=1, limit=9) == events[1:]
        assert reader.events(after=100, limit=9) == []


def test_what_a_command_caused(small_segments: Access) -> None:
    """Events are found by their commands and kind, over segments; what caused none is left out."""
    events = [event(1, kind="Answered"), event(2), event(100, kind="Answered")]
    between = transfers(3, 97)
    with owned(small_segments) as journal:
        journal.append(batch(events=events, transfers=between))
        asked = [found.command_id for found in events]
        assert journal.caused_by([*asked, 5], kind="Answered") == {
            asked[0]: events[0],
            asked[2]: events[2],
        }
        assert journal.caused_by([], kind="Answered") == {}


def test_what_a_command_caused_is_found_by_index(access: Access) -> None:
    """However many events of a kind there are."""
    name = READ_CAUSED.replace("$1", "'Answered'").replace(
        "$2", "ARRAY['00000000-0000-0000-0000-000000000001']"
    )
    with owned(access) as journal:
        journal.append(batch(events=[event(position, kind="Answered") for position in range(1, 2_000)]))
        session = journal._reader._source.session
        plan = session.query(f"EXPLAIN {name}")[-1]
        lines = [(plan.get_value(row, 0) or b"").decode() for row in range(plan.ntuples)]
    assert any("events_0_command" in line for line in lines), lines

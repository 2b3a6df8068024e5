"""Ids: layout, order, text."""

from __future__ import annotations

import uuid
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.clock import SimulatedClock
from formicary.base.errors import ProgrammingError
from formicary.base.ids import ID_RANDOM_BYTES, IdGenerator, MalformedId, format_id, new_id, parse_id

TIMES_NS = st.integers(0, 2**48 * 1_000_000 - 1)
RANDOM_BYTES = st.binary(min_size=ID_RANDOM_BYTES, max_size=ID_RANDOM_BYTES)
ALL_ONES = b"\xff" * ID_RANDOM_BYTES


def test_example_of_the_standard() -> None:
    """RFC 9562, appendix A.6: time and random field give the id printed there, but for the fraction."""
    example = parse_id("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")
    made = new_id(0x017F22E279B0 * 1_000_000, (0x18C4DC0C0C07398F).to_bytes(ID_RANDOM_BYTES))
    assert made == example - (0xCC3 << 64)


@given(TIMES_NS, RANDOM_BYTES)
def test_layout(time_ns: int, random_bytes: bytes) -> None:
    """An id is a UUID of version 7 that holds its millisecond and the random bytes."""
    made = uuid.UUID(int=new_id(time_ns, random_bytes))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == time_ns // 1_000_000
    assert made.int % 2**62 == int.from_bytes(random_bytes) % 2**62


@given(TIMES_NS, TIMES_NS, RANDOM_BYTES, RANDOM_BYTES)
def test_order_follows_time(one_ns: int, other_ns: int, one: bytes, other: bytes) -> None:
    """Ids a 4096th of a millisecond apart are in the order of their times, whatever is random."""
    earlier_ns, later_ns = sorted((one_ns, other_ns))
    if later_ns - earlier_ns >= 245:
        assert new_id(earlier_ns, one) < new_id(later_ns, other)


@pytest.mark.parametrize("time_ns", [-1, 2**48 * 1_000_000])
def test_time_out_of_range(time_ns: int) -> None:
    """A time that does not fit 48 bits of milliseconds is a bug."""
    with pytest.raises(ProgrammingError, match="not a time that fits an id"):
        new_id(time_ns, ALL_ONES)


@pytest.mark.parametrize("size", [0, 7, 9])
def test_wrong_number_of_random_bytes(size: int) -> None:
    """An id takes eight random bytes, no fewer and no more."""
    with pytest.raises(ProgrammingError, match=f"8 random bytes, not {size}"):
        new_id(0, bytes(size))


@given(st.integers(0, 2**128 - 1))
def test_text_round_trip(value: int) -> None:
    """Every 128-bit integer survives its text, which is that of the standard library's UUID."""
    text = format_id(value)
    assert text == str(uuid.UUID(int=value))
    assert parse_id(text) == parse_id(text.upper()) == value


@pytest.mark.parametrize("value", [-1, 2**128])
def test_format_out_of_range(value: int) -> None:
    """An integer of more than 128 bits has no text."""
    with pytest.raises(ProgrammingError, match="128 bits"):
        format_id(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "017f22e279b07cc398c4dc0c0c07398f",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n",
        "017f22e2-79b07-cc3-98c4-dc0c0c07398f",
        "\u066017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    ],
)
def test_malformed_text_is_refused(text: str) -> None:
    """Anything but canonical text is refused with its code."""
    with pytest.raises(MalformedId, match="8-4-4-4-12") as caught:
        parse_id(text)
    assert caught.value.code == "malformed_id"


@given(st.integers(), st.lists(st.integers(-5_000, 5_000), max_size=20))
def test_generator_is_strictly_increasing(seed: int, jumps_ns: list[int]) -> None:
    """Ids increase although the clock stands still, crawls and goes back."""
    clock = SimulatedClock(1_000_000_000)
    ids = IdGenerator(clock, Random(seed).randbytes)
    made = [ids.next()]
    for jump_ns in jumps_ns:
        clock.set(clock.now() + jump_ns)
        made.append(ids.next())
    assert made == sorted(set(made))
    assert {uuid.UUID(int=value).version for value in made} == {7}


def test_generator_repeats_with_its_seed() -> None:
    """The same clock and the same seed make the same ids."""
    made = [[IdGenerator(SimulatedClock(9), Random(4).randbytes).next() for _ in range(3)] for _ in range(2)]
    assert made[0] == made[1]


def test_generator_of_one_id_is_new_id() -> None:
    """An id made when time moved on is the id of that time and those bytes."""
    assert IdGenerator(SimulatedClock(77), lambda size: b"\x01" * size).next() == new_id(77, b"\x01" * 8)


def test_full_random_field_borrows_from_time() -> None:
    """When the random field is full the fraction of the millisecond counts on."""
    ids = IdGenerator(SimulatedClock(0), lambda size: b"\xff" * size)
    first, second = ids.next(), ids.next()
    assert first == new_id(0, ALL_ONES)
    assert second >> 64 == (first >> 64) + 1
    assert uuid.UUID(int=second).version == 7

"""Public ids: one text for one id, one id for one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.errors import ProgrammingError
from formicary.base.ids import MalformedId
from formicary.base.public_ids import PUBLIC_ID_CHARACTERS, Prefix, decode, encode

IDS = st.integers(0, 2**128 - 1)


@given(IDS, st.sampled_from(Prefix))
def test_a_text_is_read_back(value: int, prefix: Prefix) -> None:
    """Every id of every kind comes back from its text, which has the form that is documented."""
    text = encode(prefix, value)
    assert decode(prefix, text) == value
    assert len(text) == len(prefix) + 1 + PUBLIC_ID_CHARACTERS


@given(IDS, IDS)
def test_texts_sort_as_ids_do(one: int, other: int) -> None:
    """A list of texts is in the order of time, as its ids are."""
    assert (encode(Prefix.PARTY, one) < encode(Prefix.PARTY, other)) == (one < other)


def test_known_texts() -> None:
    """The alphabet is Crockford's, lower case."""
    assert encode(Prefix.ESCROW, 0) == "esc_" + 26 * "0"
    assert encode(Prefix.KEY, 2**128 - 1) == "key_7" + 25 * "z"
    assert encode(Prefix.RAIL_ORDER, 32 * 18 + 17) == "rail_" + 24 * "0" + "jh"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pty",
        "pty_",
        "acc_" + 26 * "0",
        26 * "0",
        "pty_" + 25 * "0",
        "pty_" + 27 * "0",
        "pty_8" + 25 * "0",
        "pty_0" + 25 * "Z",
        "pty_0" + 25 * "o",
        "pty_0" + 25 * "l",
        "pty_0" + 24 * "0" + "\n",
        "pty_0" + 25 * "0" + "\n",
        "pty_0" + 24 * "0" + "\N{FULLWIDTH DIGIT ONE}",
        " pty_" + 26 * "0",
        "PTY_" + 26 * "0",
        "pty__" + 26 * "0",
    ],
)
def test_another_spelling_is_refused(text: str) -> None:
    """A second text for an id would pass a comparison of texts: of a cache, a log or a lock."""
    with pytest.raises(MalformedId, match="pty_"):
        decode(Prefix.PARTY, text)


@pytest.mark.parametrize("value", [-1, 2**128])
def test_what_is_no_id_has_no_text(value: int) -> None:
    """The code's own mistake is not written down as somebody's id."""
    with pytest.raises(ProgrammingError):
        encode(Prefix.PARTY, value)

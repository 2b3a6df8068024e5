"""What the tests of slow features share: small worlds of transfers, and how floats are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import polars as pl
import pytest
from hypothesis import strategies as st

from formicary.factory.features.slow.graph import PackedTransfers, pack
from formicary.factory.features.slow.spans import DAY

UNTIL: Final = 40 * DAY
"""The end of what is known in the tests."""

TRANSFERS: Final = pl.Schema({"payer": pl.Int64, "payee": pl.Int64, "amount": pl.Int64, "at": pl.Int64})
DEVICES: Final = pl.Schema({"party": pl.Int64, "device": pl.Int64, "at": pl.Int64})
LABELS: Final = pl.Schema({"party": pl.Int64, "at": pl.Int64, "is_fraud": pl.Boolean})


class Transfer(NamedTuple):
    """One transfer: ids, minor units, nanoseconds."""

    payer: int
    payee: int
    amount: int
    at: int


Transfers: TypeAlias = list[Transfer]


def transfer(*, before: int, since: int = 0, parties: int = 6) -> st.SearchStrategy[Transfer]:
    """Draw a transfer between few parties, at a time in hours; it may be to oneself."""
    party = st.integers(-1, parties - 2)
    hours = st.integers(since * 24 // DAY, before * 24 // DAY - 1)
    return st.builds(Transfer, party, party, st.integers(1, 1000), hours.map(lambda hour: hour * DAY // 24))


def worlds(*, before: int = UNTIL, since: int = 0, parties: int = 6) -> st.SearchStrategy[Transfers]:
    """Draw few transfers between few parties."""
    return st.lists(transfer(before=before, since=since, parties=parties), max_size=25)


def frame(transfers: Sequence[Sequence[int]]) -> pl.DataFrame:
    """Return transfers as a frame."""
    return pl.DataFrame(transfers, TRANSFERS, orient="row")


def packed(transfers: Sequence[Sequence[int]], *, until: int = UNTIL) -> PackedTransfers:
    """Return transfers packed."""
    return pack(frame(transfers), until)


def known(transfers: Transfers) -> Transfers:
    """Return those between two parties."""
    return [one for one in transfers if one.payer != one.payee]


def parties_of(transfers: Transfers) -> list[int]:
    """Return the parties of transfers between two, growing."""
    return sorted({party for one in known(transfers) for party in (one.payer, one.payee)})


def assert_column(columns: dict[str, Any], name: str, expected: Sequence[Any]) -> None:
    """Compare a column with the oracle's; None stands for NaN."""
    values = [np.nan if value is None else value for value in expected]
    assert columns[name].tolist() == pytest.approx(values, rel=1e-9, abs=1e-9, nan_ok=True), name


def assert_per_node(columns: dict[str, Any], name: str, transfers: Transfers, oracle: Any) -> None:
    """Compare a column with what an oracle, a function of a party, says of each."""
    assert_column(columns, name, [oracle(party) for party in parties_of(transfers)])

"""Decisions of a real journal taken again: from its first row or from a snapshot, however rows are cut."""

# ruff: noqa: S608 - the statements are made of the test's own names and numbers.

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from formicary.base.errors import ProgrammingError
from formicary.factory.engine.products import Product
from formicary.factory.engine.state import known_events
from formicary.factory.features.sources import PositionsNotThere
from formicary.factory.follower import Restored, StateSnapshots
from formicary.factory.follower.replayed_decisions import recut, replay_decisions
from formicary.factory.journal.access import Access
from formicary.factory.journal.reader import JournalReader
from tests.factory.decisions.desk import REGISTRY
from tests.factory.decisions.shop import Shop, goes_on
from tests.factory.features.training_kit import source_of
from tests.factory.journal.kit import database_of, owned
from tests.fixtures_postgres import PostgresServer


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Give a shop after some payments."""
    return goes_on(tmp_path_factory.mktemp("shop"), seed=8, payments=400)


@contextmanager
def written(shop: Shop, access: Access) -> Iterator[tuple[JournalReader, tuple[Product, ...]]]:
    """Write a shop's journal to a real one; yield what reads it."""
    products = tuple(shop.new_state().products.values())
    with owned(access) as journal:
        for batch in shop.journal.batches:
            journal.append(batch)
    with closing(JournalReader(access, upcasters=known_events(products))) as reader:
        yield reader, products


def snapshot(shop: Shop, folder: Path, *, after: int) -> tuple[StateSnapshots, int]:
    """Write a snapshot of the state at the end of a batch that ends beyond a position."""
    state = shop.new_state()
    for batch in shop.journal.batches:
        rows = (batch.accounts, batch.transfers, batch.events)
        state.fold(*rows, until=batch.last, decisions=batch.decisions)
        state.fold_features(*rows, until=batch.last)
        if batch.last > after:
            break
    snapshots = StateSnapshots(folder)
    counts = np.zeros(len(state.machine.accounts), np.uint8)
    snapshots.write(Restored(state, counts, batch.first))
    return snapshots, state.position


def test_a_journal_is_decided_again(shop: Shop, access: Access, tmp_path: Path) -> None:
    """From its first row, from a snapshot, and in pieces of any lengths."""
    decisions, steps = shop.decisions, list[tuple[int, int]]()
    snapshots, position = snapshot(shop, tmp_path, after=int(decisions["position"][200]))
    with written(shop, access) as (reader, products):
        whole = replay_decisions(
            reader, products, snapshots=snapshots, progress=lambda *step: steps.append(step)
        )
        cut = replay_decisions(reader, products, cuts=5)
        first, last = int(decisions["position"][-60]), int(decisions["position"][-11])
        assert first > position
        late = replay_decisions(reader, products, snapshots=snapshots, first=first, last=last)
        scratch = replay_decisions(reader, products, first=first, last=last)
        head = reader.head()
    assert (whole.first, whole.last, whole.after, whole.decisions) == (1, head, 0, len(decisions))
    assert whole.identical
    assert whole.decisions_per_second > 0
    assert steps[-1] == (head, head)
    assert (cut.decisions, cut.different) == (len(decisions), 0)
    # The last of them stands just before its transfer, which comes too late.
    assert (late.after, late.decisions, late.different) == (position, 49, 0)
    assert (scratch.after, scratch.decisions, scratch.different) == (0, 49, 0)


def test_a_flipped_bit_in_the_database_is_found(shop: Shop, postgres: PostgresServer, access: Access) -> None:
    """What somebody changed in a row does not come out again."""
    position = int(shop.decisions["position"][50])
    with written(shop, access) as (reader, products):
        with postgres.superuser(database_of(access)) as connection:
            connection.execute("SET session_replication_role = replica")
            flipped = 'set_byte("values", 7, get_byte("values", 7) # 1)'
            connection.execute(
                f'UPDATE journal.decisions SET "values" = {flipped} WHERE position = {position}'.encode()
            )
        found = replay_decisions(reader, products)
    assert not found.identical
    assert [(one.position, one.field) for one in found.differences] == [(position, "value_00")]


@pytest.mark.parametrize(("first", "last"), [(0, None), (5, 4), (1, 10**6)])
def test_positions_that_are_not_there(shop: Shop, access: Access, first: int, last: int | None) -> None:
    """They are refused before anything is folded."""
    with written(shop, access) as (reader, products), pytest.raises(PositionsNotThere):
        replay_decisions(reader, products, first=first, last=last)


def test_without_features_there_are_no_decisions(shop: Shop, access: Access) -> None:
    """Products without a set of features have no decision point: whoever asks meant others."""
    with (
        written(shop, access) as (reader, _),
        pytest.raises(ProgrammingError, match="no decision point"),
    ):
        replay_decisions(reader, (REGISTRY,))


def test_pieces_follow_from_the_seed(shop: Shop) -> None:
    """The same seed cuts alike, another one elsewhere, none not at all; nothing is lost."""
    source = source_of(shop.journal)
    source.block_rows = 3_000

    def ends(seed: int | None) -> list[int]:
        pieces = list(recut(source.read(after=0, until=source.head()), seed))
        assert sum(len(piece.decisions) for piece in pieces) == len(shop.decisions)
        assert [piece.after for piece in pieces[1:]] == [piece.until for piece in pieces[:-1]]
        return [piece.until for piece in pieces]

    assert ends(1) == ends(1) != ends(2)
    assert len(ends(None)) == 1
    assert len(ends(1)) > 5

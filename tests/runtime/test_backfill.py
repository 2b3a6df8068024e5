"""Features of all of history, read beside a running engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from formicary.base.purposes import Purpose
from formicary.factory.engine.feature_reads import UnknownFeatureSet
from formicary.factory.features.archive_manifest import ArchiveCorrupted
from formicary.runtime import backfill as backfill_module
from formicary.runtime.backfill import Wanted, backfill
from formicary.runtime.program import LocalProgram
from formicary.runtime.settings import Settings
from tests.factory.features.training_kit import PRODUCTS
from tests.runtime.test_ledgers import running_engine


def nobody(_done: int, _total: int) -> None:
    """Take no notice."""


def test_backfill_beside_an_engine(
    hosted_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Journal and archive give the same set; the engine that runs is not deposed."""
    program, steps = LocalProgram(hosted_home), list[tuple[int, int]]()

    def with_features(settings: Settings, wanted: Wanted, *more: Any) -> Any:
        return backfill(settings, wanted, *more, products=PRODUCTS)

    monkeypatch.setattr(backfill_module, "backfill", with_features)
    wanted: dict[str, Any] = {"purpose": Purpose.FRAUD, "first": 1, "last": None}
    with running_engine(hosted_home):
        with program.ledger() as ledger:
            ledger.create_accounts([])
        archived = program.archive_journal(tmp_path / "archive", lambda *step: steps.append(step))
        assert archived.position == steps[-1][0] > 0
        sets = [
            program.backfill("risk", folder=tmp_path / name, archive=archive, progress=nobody, **wanted)
            for name, archive in (("journal", None), ("archived", tmp_path / "archive"))
        ]
        with program.ledger() as ledger:
            ledger.create_accounts([])
    assert sets[0] == sets[1]
    assert sets[0].request.last == archived.position
    with pytest.raises(ArchiveCorrupted):
        program.backfill("risk", folder=tmp_path / "new", archive=tmp_path, progress=nobody, **wanted)


def test_unknown_sets(shared_home: Settings, tmp_path: Path) -> None:
    """A name that no product declares is refused before anything is opened."""
    wanted = Wanted(name="nothing", purpose=Purpose.FRAUD, folder=tmp_path / "set")
    with pytest.raises(UnknownFeatureSet, match="risk, credit"):
        backfill(shared_home, wanted, None, nobody, products=PRODUCTS)
    assert not wanted.folder.exists()

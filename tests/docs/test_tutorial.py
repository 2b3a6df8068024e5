"""docs/tutorial.md, as a newcomer types it: files are written, commands run, and say what the page shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures_postgres import open_folder

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text()
PATIENCE_SECONDS = 300
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE_NAME = re.compile(r"`([a-z]+\.[a-z]+)`:\n\n\Z")


@dataclass(frozen=True)
class Block:
    """A fenced block: a file of this name, a script for the shell, or what the last script writes."""

    kind: str
    text: str
    file: str


def blocks() -> list[Block]:
    """Return the blocks of the page in their order."""
    found = []
    for match in BLOCK.finditer(PAGE):
        # The paragraph before it ends with the file's name.
        named = FILE_NAME.search(PAGE[: match.start()])
        found.append(Block(match[1], match[2], named[1] if named else ""))
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return an empty folder that the embedded PostgreSQL may enter."""
    made = open_folder()
    yield made
    shutil.rmtree(made)


def environment() -> dict[str, str]:
    """Return what the shell begins with: this checkout's programs, and nothing that was set for others."""
    ours = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "DATABASE_URL")}
    return ours | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def lines(text: str) -> list[str]:
    """Return the lines of a text that have something in them, without blanks at their ends."""
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def test_the_tutorial(folder: Path) -> None:
    """Every file and line works as it stands, in order, and writes what the page shows (… is anything)."""
    setting, written = "", ""
    for block in blocks():
        if block.kind == "text":
            pattern = "\n".join(re.escape(line).replace("…", ".*") for line in lines(block.text))
            shown = "\n".join(lines(written))
            assert re.fullmatch(pattern, shown), f"{shown}\n\nbut the page shows\n\n{block.text}"
        elif block.file:
            (folder / block.file).write_text(block.text)
        elif block.text.startswith("export "):
            setting = block.text
        else:
            ran = subprocess.run(
                ["/bin/bash", "-ec", setting + block.text],
                cwd=folder,
                env=environment(),
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
                check=False,
            )
            assert ran.returncode == 0, ran.stderr
            written = ran.stdout


def test_every_block_is_typed() -> None:
    """No block is left out: each is a file with a name, a script, or what one writes."""
    assert PAGE.count("\n```") == 2 * len(blocks())
    assert {block.kind for block in blocks() if not block.file} == {"sh", "text"}
    assert sorted(block.file for block in blocks() if block.file) == [
        "check.py",
        "features.py",
        "invent.py",
        "look.py",
        "shop.yaml",
    ]

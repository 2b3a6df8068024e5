"""README, ARCHITECTURE, CHANGELOG and the decision records: what they say is there, and examples run."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECORDS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
PAGES = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """A link to a file names one that is there."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_examples_of_the_readme_run() -> None:
    """What the first page shows is what happens."""
    failures, examples = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert examples > 0
    assert failures == 0


def test_the_readme_opens_with_the_two_commands() -> None:
    """Somebody with ten minutes sees them on the first screen, and make has them."""
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:35])
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    commands = re.findall(r"^make ([a-z]+) ", first_screen, re.MULTILINE)
    assert commands == ["demo", "test"]
    assert set(commands) <= set(targets)


def test_every_folder_of_the_map_is_there() -> None:
    """The map of ARCHITECTURE.md names the packages that exist, and all of them."""
    architecture = (ROOT / "ARCHITECTURE.md").read_text()
    package = ROOT / "src" / "formicary"
    found = {path.name for path in (*package.iterdir(), *(package / "factory").iterdir()) if path.is_dir()}
    drawn = architecture.partition("```text")[2].partition("```")[0]
    assert found - {"__pycache__"} <= set(re.findall(r"([a-z_]+)/", drawn))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_records_have_the_templates_form(record: Path) -> None:
    """A decision is found by its number and read in the template's order."""
    text = record.read_text()
    assert text.startswith(f"# {record.name[:4]}: ")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert re.search(r"^Status: (proposed|accepted|replaced by \d{4})", text, re.MULTILINE)


def test_records_are_numbered_without_a_gap() -> None:
    """Two records never share a number."""
    assert [int(record.name[:4]) for record in RECORDS] == list(range(len(RECORDS)))


def test_the_changelog_has_a_place_for_what_comes() -> None:
    """A change is written down where it will be released from."""
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()

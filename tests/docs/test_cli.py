"""docs/cli.md has every command, option, variable and exit code, and none that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from formicary.base import kernels
from formicary.runtime import settings
from formicary.surfaces.cli.app import build
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import MemoryProgram

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "cli.md").read_text()


def commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield every command below a group, groups included, with its full name."""
    for word, command in group.commands.items():
        yield f"{name} {word}", command
        if hasattr(command, "commands"):
            yield from commands(command, f"{name} {word}")


COMMANDS = dict(commands(typer.main.get_command(build(MemoryProgram())), "formicary"))


def section(name: str) -> str:
    """Return what stands under a command's heading, up to the next one."""
    return re.split(r"\n##", TEXT.partition(f"# `{name}`\n")[2])[0]


def test_every_command_has_a_section() -> None:
    """The headings are the commands, in the order in which ``--help`` shows them."""
    assert re.findall(r"^##+ `(.*)`$", TEXT, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize(
    "name", [name for name, command in COMMANDS.items() if not hasattr(command, "commands")]
)
def test_every_option_is_documented(name: str) -> None:
    """A command's table has its options, no more and no fewer."""
    parameters = [parameter for parameter in COMMANDS[name].params if parameter.param_type_name == "option"]
    options = {option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts)}
    rows = [line for line in section(name).splitlines() if line.startswith("| `--")]
    documented = set(re.findall(r"`(--[a-z-]+)`", " ".join(row.split("|")[1] for row in rows)))
    assert documented == options - {"--help", "-h"}
    assert "--json" in options


def test_every_exit_code_is_documented() -> None:
    """Callers branch on the codes."""
    rows = re.findall(r"^\| (\d+) \| `([A-Z]+)` \|", TEXT, re.MULTILINE)
    assert rows == [(str(int(code)), code.name) for code in ExitCode]


def test_every_variable_is_documented() -> None:
    """The variables of the environment that the code reads are those in the table."""
    sources = "".join(Path(str(module.__file__)).read_text() for module in (settings, kernels))
    read = set(re.findall(r'"(FORMICARY_[A-Z_]+|DATABASE_URL)"', sources))
    assert set(re.findall(r"^\| `([A-Z_]+)` \| [a-z]", TEXT, re.MULTILINE)) == read


def test_links_lead_somewhere() -> None:
    """Every link to another page names a file, and a heading that is in it."""
    for page, heading in re.findall(r"\]\(([a-z]+\.md)(?:#([a-z-]+))?\)", TEXT):
        headings = re.findall(r"^#+ (.*)$", (ROOT / "docs" / page).read_text(), re.MULTILINE)
        assert not heading or heading in {title.lower().replace(" ", "-") for title in headings}

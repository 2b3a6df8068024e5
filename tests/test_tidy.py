"""Conventions as programs: each test tells the accident it prevents.

A checker that never failed proves nothing, so every rule is also shown an example it must find.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests import tidy_rules as rules

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "formicary"
FACTORY = PACKAGE / "factory"
CODE_FOLDERS = ("src", "tests", "proofs", "benchmarks", "examples")
TEXT_FOLDERS = (*CODE_FOLDERS, "docs", ".ci")


def _files(folders: Iterable[Path], pattern: str) -> list[Path]:
    return sorted(
        path
        for folder in folders
        for path in folder.rglob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    )


def _code() -> list[Path]:
    return _files([ROOT / folder for folder in CODE_FOLDERS], "*.py")


def _broken(rule: Callable[[Any], Iterator[int]], paths: Iterable[Path], *, tree: bool = True) -> list[str]:
    found = []
    for path in paths:
        lines = rule(_tree(path) if tree else path.read_text())
        found += [f"{path.relative_to(ROOT)}:{line}" for line in lines]
    return found


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _planted(rule: Callable[[Any], Iterator[int]], example: str) -> list[int]:
    return list(rule(ast.parse(dedent(example))))


def test_no_hidden_time_or_chance() -> None:
    """A decision that reads the wall clock or a random source cannot be replayed from the journal."""
    allowed = {PACKAGE / "base" / "clock.py"}
    paths = set(_files([PACKAGE / "base", FACTORY], "*.py")) - allowed
    assert _broken(rules.hidden_time_and_chance, sorted(paths)) == []


@pytest.mark.parametrize(
    "example",
    [
        "import time; now = time.time_ns()",
        "import time; tell = time.time",
        "from time import time",
        "import datetime; datetime.datetime.now()",
        "from datetime import date; date.today()",
        "import random",
        "from random import Random",
        "import secrets",
        "import uuid; uuid.uuid4()",
        "from uuid import uuid7",
        "import os; os.urandom(8)",
        "import numpy as np; np.random.default_rng()",
    ],
)
def test_hidden_time_or_chance_is_found(example: str) -> None:
    """Every way to the wall clock or a random source is seen, on each line once or more."""
    assert set(_planted(rules.hidden_time_and_chance, example)) == {1}


def test_measuring_is_no_hidden_time() -> None:
    """Durations do not enter decisions: waiting and measuring are allowed."""
    assert _planted(rules.hidden_time_and_chance, "import time; time.monotonic(); time.sleep(1)") == []


def test_no_float_near_money() -> None:
    """A float that touches an amount loses minor units silently above 2**53 and in every division."""
    paths = [PACKAGE / "base" / "money.py", PACKAGE / "base" / "rounding.py"]
    lending = PACKAGE / "products" / "lending"
    # What is underwritten reads chances, which are reals until they are millionths.
    folders = [FACTORY / "ledger", *(lending / name for name in ("schedules", "servicing", "portfolio"))]
    assert _broken(rules.floats, [*paths, *_files(folders, "*.py")]) == []


@pytest.mark.parametrize(
    "example",
    [
        "fee = 0.01",
        "x = float(1)",
        "def f(x: float): ...",
        "y = a / b",
        "a /= b",
        "import numpy; numpy.float64(1)",
    ],
)
def test_float_is_found(example: str) -> None:
    """Literals, conversions, types and true divisions are seen."""
    assert _planted(rules.floats, example) == [1]


def test_path_is_no_float() -> None:
    """A slash before a file's name divides nothing, nor does an integer division make floats."""
    assert _planted(rules.floats, "folder / 'name' / f'{number}'; a // b") == []


def test_no_blind_except() -> None:
    """A handler that takes every error hides the bug which the process should have died of."""
    # Most files have no word of what is looked for, and need not be parsed.
    paths = [path for path in _code() if re.search("except|suppress", path.read_text())]
    assert _broken(rules.blind_excepts, paths) == []


@pytest.mark.parametrize(
    "handler",
    ["except:", "except Exception:", "except (OSError, Exception) as fault:", "except BaseException:"],
)
def test_blind_except_is_found(handler: str) -> None:
    """A bare handler and one that names the roots of all errors are seen."""
    assert _planted(rules.blind_excepts, f"try:\n    work()\n{handler}\n    pass") == [3]


def test_blind_suppress_is_found() -> None:
    """Suppressing every error is the same accident in other words."""
    assert _planted(rules.blind_excepts, "with contextlib.suppress(Exception): work()") == [1]


def test_cleaning_up_is_no_blind_except() -> None:
    """A handler that cleans up after any error and raises it again hides nothing."""
    assert _planted(rules.blind_excepts, "try: work()\nexcept BaseException:\n    undo()\n    raise") == []


def test_files_are_small() -> None:
    """A file that grows past a few screens becomes the one that everyone edits and nobody reads."""
    paths = [*_code(), *_files([ROOT / "src"], "*.sql")]
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in paths}
    assert {path: count for path, count in lines.items() if count > rules.FILE_LINES_MAX} == {}


def test_functions_are_small() -> None:
    """A function longer than a screen hides a branch; only kernels may, as calls cost there."""
    paths = [path for path in _code() if len(path.read_text().splitlines()) > rules.FUNCTION_LINES_MAX]
    assert _broken(rules.long_functions, paths) == []


@pytest.mark.parametrize(
    ("decorator", "lines", "found"),
    [("@plain", 71, [2]), ("@plain", 70, []), ("@kernel", 90, []), ("@kernel_part", 90, [])],
)
def test_long_function_is_found(decorator: str, lines: int, found: list[int]) -> None:
    """A function over the limit is seen, one at the limit and a kernel are not."""
    body = "    pass\n" * (lines - 1)
    assert _planted(rules.long_functions, f"{decorator}\ndef long():\n{body}") == found


def test_factory_names_no_product() -> None:
    """A product's name in the factory is a special case which the next product has to work around."""
    paths = [*_files([FACTORY], "*.py"), *_files([FACTORY], "*.sql")]
    assert _broken(rules.product_names, paths, tree=False) == []


def test_product_name_is_found() -> None:
    """Products' names are seen in any spelling; the ledger's credit is none."""
    assert list(rules.product_names("def lending_limit():\n# for Savings\ncredit = credits")) == [1, 2]
    assert list(rules.product_names("score = 'credit-scoring'")) == [1]


def test_every_sql_file_is_used() -> None:
    """An SQL file that nothing loads looks like a rule of the database and is none."""
    paths = _files([PACKAGE], "*.sql")
    sources = [path.read_text() for path in _files([PACKAGE], "*.py")]
    folders = groupby(paths, key=lambda path: path.parent)
    assert [
        name for _, group in folders for name in rules.stray_sql([path.name for path in group], sources)
    ] == []


def test_stray_sql_is_found() -> None:
    """A file that no source names is seen, and so are a gap and a double in a numbered sequence."""
    names = ["0001_a.sql", "0002_b.sql", "0002_c.sql", "0004_d.sql", "used.sql", "stray.sql"]
    assert list(rules.stray_sql(names, ['read("used.sql")'])) == ["0002_c.sql", "0004_d.sql", "stray.sql"]


def test_no_machine_paths_or_registry_addresses() -> None:
    """A path or an address of the machine a file was written on breaks the set-up on every other."""
    kept = [path for path in ROOT.iterdir() if path.is_file() and not path.name.startswith(".coverage")]
    paths = [*kept, *_files([ROOT / folder for folder in TEXT_FOLDERS], "*")]
    texts = [path for path in paths if b"\0" not in path.read_bytes()]
    assert _broken(rules.addresses, texts, tree=False) == []


@pytest.mark.parametrize(
    "example",
    [
        "open('/ho|me/me/x')",
        "cd /ro|ot/.cache",
        "--in|dex-url x",
        "--extra-in|dex-url x",
        "https://py|pi.org/",
    ],
)
def test_machine_path_or_registry_address_is_found(example: str) -> None:
    """Home folders and registries are seen; the bar keeps them out of this file itself."""
    assert list(rules.addresses(example.replace("|", ""))) == [1]


def test_relative_and_system_paths_are_no_machine_paths() -> None:
    """Paths that every Linux has, or that are relative, are allowed."""
    assert list(rules.addresses("/usr/lib/postgresql /dev/null ../shared/data tests/home/x")) == []


def test_every_limit_has_a_reason() -> None:
    """A limit without a reason is raised by whoever meets it, and nobody knows what it held up."""
    assert (
        _broken(
            rules.limits_without_reason,
            [PACKAGE / "base" / "limits.py", PACKAGE / "products" / "lending" / "limits.py"],
        )
        == []
    )


def test_limit_without_reason_is_found() -> None:
    """A constant is seen when the next statement is no docstring, also as the last one."""
    example = "__all__ = ['A']\nA: Final = 1\n'''Reason.'''\nB: Final = 2\nC = 3"
    assert _planted(rules.limits_without_reason, example) == [4, 5]

"""What is tried: every small change to a function's statements, and to nothing else."""

from __future__ import annotations

import ast
import functools
from textwrap import dedent

import pytest

from proofs.mutation.equivalents import LIST, StaleEquivalents, without_equivalents
from proofs.mutation.kernels import sources
from proofs.mutation.mutants import Mutant, mutants_of


@functools.cache
def mutants_of_kernels() -> list[Mutant]:
    """Return all that is tried, made once."""
    return [mutant for module, source in sources().items() for mutant in mutants_of(module, source)]


def changes(source: str) -> list[tuple[str, str]]:
    """Return both versions of each changed line."""
    return [(mutant.before, mutant.after) for mutant in mutants_of("example", dedent(source))]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("if a < b:", ["if a <= b:", "if a >= b:"]),
        ("if a == b:", ["if a != b:"]),
        ("if found(a):", ["if not found(a):"]),
        ("if a and b:", ["if ((a) or (b)):"]),
        ("a += b", ["a -= b", "pass"]),
        ("a['debit'] = b", ["pass", 'a["credit"] = b']),
        ("b = True", ["b = False"]),
        ("b = 7", ["b = 8"]),
        ("b = a[0]", []),
        ("note(a)", ["pass"]),
        ("return a - b", ["return (a + b)"]),
        ("return max(a, b)", ["return min(a, b)"]),
        ("return Status.EXISTS", ["return Status.OVERFLOWS_DEBITS_PENDING"]),
        ("assert a < b", []),
        ("raise ValueError(a + b)", []),
        ("b: int = a", []),
    ],
)
def test_each_statement_has_its_mistakes(before: str, after: list[str]) -> None:
    """A comparison slips by one, a sign turns, a line is lost, a name is taken for its neighbour."""
    body = f"{before}\n        pass" if before.endswith(":") else before
    made = changes(f"def kernel(a, b):\n    {body}\n")
    assert sorted(made) == sorted((before, line) for line in after)


def test_what_means_nothing_is_left_alone() -> None:
    """No docstring, annotation, import or class is changed; a constant of the module is."""
    made = changes(
        '''
        """Module 1."""
        from one import two
        SIZE: Final = 3
        NAME = "debit"
        class Shape:
            side: int = 4
        def kernel(a: "1 < 2" = 5) -> "1":
            """Function 1."""
            return a
        '''
    )
    assert made == [("SIZE: Final = 3", "SIZE: Final = 4")]


def test_a_mutant_knows_its_place() -> None:
    """It tells module, function and line, and spans the lines of what is changed."""
    source = "def kernel(a, b):\n    return (\n        a\n        < b\n    )\n"
    first = next(iter(mutants_of("example", source)))
    assert list(first.lines) == [3, 4]
    assert str(first) == "example.py:3 in kernel\n  - a < b\n  + a <= b"
    assert first.key == ("example", "kernel", "a < b", "a <= b")


def test_every_mutant_of_the_kernels_is_python() -> None:
    """None fails for want of a parenthesis, which any test would notice; a sample is parsed."""
    made, unchanged = mutants_of_kernels(), sources()
    assert len(made) > 1_000
    for mutant in made[::20]:
        ast.parse(mutant.source)
        assert mutant.source != unchanged[mutant.module]


ENTRY = """
[[equivalent]]
module = "example"
function = "kernel"
changes = [["return a < b", "return a <= b"]]
reason = "a is never b"
"""


def example() -> list[Mutant]:
    """Return the two mutants of a comparison."""
    return list(mutants_of("example", "def kernel(a, b):\n    return a < b\n"))


def test_listed_equivalents_are_not_tried() -> None:
    """A mutant that is listed with its reason is taken out."""
    assert [mutant.after for mutant in without_equivalents(example(), ENTRY)] == ["return a >= b"]
    assert without_equivalents(example(), "") == example()


@pytest.mark.parametrize(
    "listed",
    [
        ENTRY.replace("a <= b", "a << b"),
        ENTRY.replace("a is never b", ""),
        ENTRY + ENTRY,
    ],
)
def test_the_list_cannot_grow_stale(listed: str) -> None:
    """An entry that fits no mutant, has no reason or is there twice is an error."""
    with pytest.raises(StaleEquivalents):
        without_equivalents(example(), listed)


def test_the_list_fits_the_kernels() -> None:
    """Whoever changes a kernel learns here which entries are to be thought about again."""
    made = mutants_of_kernels()
    assert len(without_equivalents(made, LIST.read_text())) <= len(made)

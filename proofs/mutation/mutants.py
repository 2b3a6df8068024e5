"""Every mutant of a module: one small change each, with the place and both versions of the line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from proofs.mutation.operators import Place, replacements

__all__ = ["Mutant", "mutants_of"]

# Annotations mean nothing at run time; an assertion that is weaker fails no test of sound code.
_LEFT_ALONE = ast.Import | ast.ImportFrom | ast.Assert | ast.Raise | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the text of the module with it, and how to tell it to a person."""

    module: str
    function: str
    lines: range
    before: str
    after: str
    source: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names this mutant when lines move."""
        return self.module, self.function, self.before, self.after

    def __str__(self) -> str:
        """Show place and change, as a diff does."""
        place = f"{self.module}.py:{self.lines.start} in {self.function or 'the module'}"
        return f"{place}\n  - {self.before}\n  + {self.after}"


def mutants_of(module: str, source: str) -> Iterator[Mutant]:
    """Yield every mutant of a module's source, in the order of its lines."""
    tree = ast.parse(source)
    names = frozenset(_names(tree))

    def text(node: ast.AST) -> str:
        return " ".join((ast.get_source_segment(source, node) or "").split())

    for function, node in _nodes(tree, ""):
        # Outside of functions strings are names of fields in layouts.
        if function or not isinstance(getattr(node, "value", None), str):
            for place, changed in replacements(node, text, names):
                yield _mutant(module, function, source, place, changed)


def _nodes(parent: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, _LEFT_ALONE) or _is_docstring(node):
            continue
        match node:
            case ast.FunctionDef(name=name, body=body):
                for statement in body:
                    if not _is_docstring(statement) and not isinstance(statement, _LEFT_ALONE):
                        yield name, statement
                        yield from _nodes(statement, name)
            case ast.AnnAssign(value=value):
                if value is not None:
                    yield function, value
                    yield from _nodes(value, function)
            case ast.Subscript(value=value, slice=ast.Constant(value=int())):
                # A place in an array: another one is out of bounds, which any test notices.
                yield function, node
                yield from _nodes(value, function)
            case _:
                yield function, node
                yield from _nodes(node, function)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.alias(name=name, asname=asname):
                yield asname or name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name


def _mutant(module: str, function: str, source: str, place: Place, text: str) -> Mutant:
    # Columns of the syntax tree count bytes.
    lines = source.encode().splitlines(keepends=True)
    first, last = place.lineno - 1, (place.end_lineno or place.lineno) - 1
    changed = lines[first][: place.col_offset] + text.encode() + lines[last][place.end_col_offset :]
    mutated = b"".join([*lines[:first], changed, *lines[last + 1 :]])
    before = b" ".join(line.strip() for line in lines[first : last + 1])
    span = range(first + 1, last + 2)
    return Mutant(module, function, span, before.decode(), changed.strip().decode(), mutated.decode())

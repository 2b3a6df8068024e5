"""Small linters for the project's own conventions; ``test_tidy.py`` says which accident each prevents.

A rule takes a syntax tree or a text and yields the numbers of the lines that break it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

FILE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 70

_HIDDEN: Final = re.compile(
    r"""(^|\.)(
        time\.(time|time_ns)
        | datetime\.(now|utcnow|today) | date\.today
        | random(\.\w+)? | secrets(\.\w+)?
        | uuid\.uuid[1-8] | os\.(urandom|getrandom)
    )$""",
    re.VERBOSE,
)
_PRODUCTS: Final = re.compile(
    # Letters around a word make another word; an underscore does not.
    r"(?<![a-z])(payments|savings|credit.?scor|lending|insurance|wealth|remittance)",
    re.IGNORECASE,
)
_ADDRESSES: Final = re.compile(
    r"""(?<![\w.])/(home|root|Users|work|workspace)/[\w.]
        | pypi\.org | python[h]osted | npmjs\.(com|org) | (deb|archive)\.(debian|ubuntu)\.
        | (?<!\w)--(extra-)?index-url | (?<!\w)--find[-]links""",
    re.VERBOSE,
)


def hidden_time_and_chance(tree: ast.AST) -> Iterator[int]:
    """Find the wall clock, random numbers and random ids, used or imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            names = [_dotted(node)]
        else:
            continue
        if any(map(_HIDDEN.search, names)):
            yield node.lineno


def floats(tree: ast.AST) -> Iterator[int]:
    """Find float literals, conversions and types, and divisions that make floats."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=float()) | ast.Name(id="float"):
                yield node.lineno
            case ast.Attribute(attr=name) if re.match(r"float|double|true_divide", name):
                yield node.lineno
            case ast.BinOp(op=ast.Div(), right=ast.JoinedStr() | ast.Constant(value=str())):
                continue  # a path
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield node.lineno


def blind_excepts(tree: ast.AST) -> Iterator[int]:
    """Find handlers that take every error, unless they clean up and raise it again."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            names = {"BaseException"} if node.type is None else _names(node.type)
            last = node.body[-1]
            raises_again = isinstance(last, ast.Raise) and last.exc is None
            if "Exception" in names or ("BaseException" in names and not raises_again):
                yield node.lineno
        elif isinstance(node, ast.Call) and _dotted(node.func).endswith("suppress"):
            names = set().union(*map(_names, node.args))
            if names & {"Exception", "BaseException"}:
                yield node.lineno


def long_functions(tree: ast.AST) -> Iterator[int]:
    """Find functions of more than ``FUNCTION_LINES_MAX`` lines that are not kernels."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            is_kernel = any(
                _dotted(decorator) in {"kernel", "kernel_part"} for decorator in node.decorator_list
            )
            if not is_kernel and node.end_lineno - node.lineno >= FUNCTION_LINES_MAX:
                yield node.lineno


def limits_without_reason(tree: ast.Module) -> Iterator[int]:
    """Find constants that are not followed by a docstring."""
    for node, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign | ast.Assign) and "__all__" not in _targets(node):
            match following:
                case ast.Expr(value=ast.Constant(value=str())):
                    continue
                case _:
                    yield node.lineno


def product_names(text: str) -> Iterator[int]:
    """Find the name of a product."""
    return _lines_with(_PRODUCTS, text)


def addresses(text: str) -> Iterator[int]:
    """Find paths of one person's machine and addresses of package registries."""
    return _lines_with(_ADDRESSES, text)


def stray_sql(names: Iterable[str], sources: Sequence[str]) -> Iterator[str]:
    """Find SQL files of one folder that no Python file names and that are no step of its sequence."""
    step = 0
    for name in sorted(names):
        match = re.match(r"(\d{4})_", name)
        if match and int(match[1]) == step + 1:
            step += 1
        elif match or not any(f'"{name}"' in source for source in sources):
            yield name


def _lines_with(pattern: re.Pattern[str], text: str) -> Iterator[int]:
    return (number for number, line in enumerate(text.splitlines(), start=1) if pattern.search(line))


def _dotted(node: ast.AST) -> str:
    match node:
        case ast.Attribute(value=value, attr=name):
            return f"{_dotted(value)}.{name}"
        case ast.Name(id=name):
            return name
        case _:
            return ""


def _names(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


def _targets(node: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return set().union(*map(_names, targets))

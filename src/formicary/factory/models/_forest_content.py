"""What a forest is stored as: nodes in columns, checked before anything descends through them.

The nodes of a tree follow each other, its root first and the two children of a node side by side, so one
number names both. A child comes after its parent and has one parent only: a descent ends.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.factory.models.errors import ModelCorrupt

__all__ = ["CATEGORICAL", "DEFAULT_LEFT", "LEAF", "MISSING_NAN", "MISSING_ZERO", "Content", "Description"]
__all__ += ["check", "hash_of", "packed", "unpacked"]

LEAF: Final = -1
"""The feature of a node that asks nothing."""

# Bits of ``Content.decisions``.
DEFAULT_LEFT: Final = 1
MISSING_ZERO: Final = 2
MISSING_NAN: Final = 4
CATEGORICAL: Final = 8
_DECISIONS: Final = 16

_MAGIC: Final = b"FOREST02"
_HASH_BYTES: Final = 32
_LENGTH_BYTES: Final = 8
_CATEGORY_END: Final = 2**31
_COUNT_END: Final = 2**53
# Counts become floating-point numbers.


class Content(NamedTuple):
    """Nodes of all trees, one after the other."""

    tree_nodes: npt.NDArray[np.int64]
    """(trees,): how many nodes each tree has."""
    features: npt.NDArray[np.int64]
    """(nodes,): which feature is asked, or ``LEAF``."""
    thresholds: npt.NDArray[np.float64]
    """(nodes,): the largest number that goes left."""
    children: npt.NDArray[np.int64]
    """(nodes,): the left child's place in its tree, the right one's is the next; 0 of a leaf."""
    decisions: npt.NDArray[np.int64]
    """(nodes,): what is missing and where it goes, as bits."""
    values: npt.NDArray[np.float64]
    """(nodes,): what a leaf adds to the score; the expected value of what is below any other node."""
    counts: npt.NDArray[np.int64]
    """(nodes,): how many rows of the training ended in a leaf; of any other node, in the leaves below it."""
    category_starts: npt.NDArray[np.int64]
    """(nodes + 1,): the first of each node's categories that go left."""
    categories: npt.NDArray[np.int64]
    """(categories,): ascending within a node."""


class Description(NamedTuple):
    """What a forest says besides its nodes."""

    names: tuple[str, ...]
    """Of the features, in the order of a row's columns."""
    output: str
    """What makes a prediction of a raw score."""
    scale: float
    """What the raw score is multiplied with before."""


def hash_of(content: Content, description: Description) -> bytes:
    """Return the identity of a forest, 32 bytes."""
    return blake2b(_body(content, description), digest_size=_HASH_BYTES).digest()


def packed(content: Content, description: Description) -> bytes:
    """Return a forest's bytes: magic, hash and body."""
    body = _body(content, description)
    return _MAGIC + blake2b(body, digest_size=_HASH_BYTES).digest() + body


def unpacked(stored: bytes) -> tuple[Content, Description]:
    """Return what bytes hold; ``check`` looks at the nodes.

    Raises
    ------
    ModelCorrupt
        The bytes are no forest, or not what their hash says.
    """
    start = len(_MAGIC) + _HASH_BYTES
    if stored[: len(_MAGIC)] != _MAGIC or len(stored) < start + _LENGTH_BYTES:
        message = "these bytes are no forest of this version"
        raise ModelCorrupt(message)
    body = stored[start:]
    if blake2b(body, digest_size=_HASH_BYTES).digest() != stored[len(_MAGIC) : start]:
        message = "a forest is not what its hash says"
        raise ModelCorrupt(message)
    header_end = _LENGTH_BYTES + int.from_bytes(body[:_LENGTH_BYTES], "little")
    try:
        header = json.loads(body[_LENGTH_BYTES:header_end])
        description = Description(tuple(header["names"]), str(header["output"]), float(header["scale"]))
        content = Content(*_arrays(body[header_end:], header["lengths"]))
    except (ValueError, KeyError, TypeError) as fault:
        message = f"the header of a forest does not fit its body: {fault}"
        raise ModelCorrupt(message) from fault
    return content, description


def _body(content: Content, description: Description) -> bytes:
    arrays = [np.ascontiguousarray(array, _stored_type(array)) for array in content]
    header = {
        "names": description.names,
        "output": description.output,
        "scale": description.scale,
        "lengths": [len(array) for array in arrays],
    }
    written = json.dumps(header, sort_keys=True).encode()
    return b"".join([len(written).to_bytes(_LENGTH_BYTES, "little"), written, *(a.tobytes() for a in arrays)])


def _stored_type(array: npt.NDArray[Any]) -> str:
    return "<f8" if array.dtype.kind == "f" else "<i8"


def _arrays(stored: bytes, lengths: list[int]) -> list[npt.NDArray[Any]]:
    kinds = [("<f8" if name in ("thresholds", "values") else "<i8") for name in Content._fields]
    if len(lengths) != len(kinds) or min(lengths) < 0 or sum(lengths) * 8 != len(stored):
        message = "lengths and bytes differ"
        raise ValueError(message)
    arrays, start = [], 0
    for kind, length in zip(kinds, lengths, strict=True):
        arrays.append(np.frombuffer(stored, kind, length, start).copy())
        start += 8 * length
    return arrays


def check(content: Content, features: int) -> None:
    """Refuse nodes that are no trees, or that ask what no row of so many features has.

    Raises
    ------
    ModelCorrupt
        A node points outside of its tree, to what is before it, or to what another one points to; a value is
        no finite number; categories are not ascending; a count is not the sum of those of both children.
    """
    nodes = len(content.features)
    counts = content.tree_nodes
    # A sum of large numbers may wrap around; no tree has more nodes than there are.
    sized = len(counts) > 0 and bool(np.all((counts > 0) & (counts <= nodes))) and int(counts.sum()) == nodes
    columns = [content.thresholds, content.children, content.decisions, content.values, content.counts]
    if not sized or {len(column) for column in columns} != {nodes}:
        raise ModelCorrupt("columns of nodes differ in length")  # noqa: EM101, TRY003, one line each
    if not _numbers_are_sound(content, features):
        raise ModelCorrupt("a node asks for a feature or holds a number that cannot be")  # noqa: EM101, TRY003
    if not _categories_are_sound(content, nodes):
        raise ModelCorrupt("the categories of a node are not ascending")  # noqa: EM101, TRY003
    if not _trees_are_sound(content):
        raise ModelCorrupt("nodes do not make trees")  # noqa: EM101, TRY003
    if not _counts_are_sound(content):
        raise ModelCorrupt("rows of the training got lost between a node and its children")  # noqa: EM101, TRY003


def _numbers_are_sound(content: Content, features: int) -> bool:
    asked, decisions = content.features, content.decisions
    return bool(
        np.all((asked >= LEAF) & (asked < features))
        and np.all((decisions >= 0) & (decisions < _DECISIONS))
        # The largest float stands for infinity in the kernels.
        and np.all(~np.isnan(content.thresholds))
        and np.all(content.thresholds != np.finfo(np.float64).max)
        and np.all(np.isfinite(content.values))
    )


def _categories_are_sound(content: Content, nodes: int) -> bool:
    starts, categories = content.category_starts, content.categories
    if len(starts) != nodes + 1 or starts[0] != 0 or starts[-1] != len(categories):
        return False
    if np.any(starts[1:] < starts[:-1]) or np.any((categories < 0) | (categories >= _CATEGORY_END)):
        return False
    is_first = np.zeros(len(categories) + 1, np.bool_)
    is_first[starts] = True
    ascending = is_first[1:-1] | (categories[1:] > categories[:-1])
    is_asked = ((content.decisions & CATEGORICAL) != 0) & (content.features != LEAF)
    return bool(np.all(ascending) and not np.any((starts[1:] > starts[:-1]) & ~is_asked))


def _trees_are_sound(content: Content) -> bool:
    firsts = np.cumsum(content.tree_nodes) - content.tree_nodes
    own = np.arange(len(content.features)) - np.repeat(firsts, content.tree_nodes)
    ends = np.repeat(content.tree_nodes, content.tree_nodes)
    inner = content.features != LEAF
    left = content.children
    if np.any(left[~inner] != 0) or np.any((left <= own)[inner]) or np.any((left >= ends - 1)[inner]):
        return False
    claims = np.zeros(len(own), np.int64)
    places = (left + np.repeat(firsts, content.tree_nodes))[inner]
    np.add.at(claims, places, 1)
    np.add.at(claims, places + 1, 1)
    return bool(np.all(claims == (own > 0)))


def _counts_are_sound(content: Content) -> bool:
    # Each below the largest: so no sum of two wraps around.
    if np.any((content.counts < 0) | (content.counts >= _COUNT_END)):
        return False
    firsts = np.cumsum(content.tree_nodes) - content.tree_nodes
    inner = np.flatnonzero(content.features != LEAF)
    left = content.children[inner] + np.repeat(firsts, content.tree_nodes)[inner]
    return bool(np.all(content.counts[inner] == content.counts[left] + content.counts[left + 1]))

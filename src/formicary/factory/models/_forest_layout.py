"""What the kernels of forests work on: nodes of one word each, that compare small numbers.

The thresholds a forest compares a feature with are few, so a row's numbers are replaced by codes first: how
many of the column's thresholds, its *cuts*, are below. A node then asks whether a code is above its own,
which is the same question and needs one word of node where the threshold itself takes three::

    | 32 bits: place of the left child | 16 bits: column | 16 bits: the largest code that goes left |

A leaf is its own left child and no code is above its own, so a descent may take steps too many.

A *column* is a feature together with what its missing numbers count as: minus infinity goes left everywhere,
infinity goes right. Infinite numbers that are there are the largest float.
A feature whose nodes send missing numbers to both sides has two columns.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.records import Table, opener
from formicary.factory.models._forest_content import (
    CATEGORICAL,
    DEFAULT_LEFT,
    LEAF,
    MISSING_NAN,
    MISSING_ZERO,
    Content,
)
from formicary.factory.models.errors import ModelRefused

__all__ = [
    "BLOCK",
    "LARGEST",
    "OUTPUTS",
    "ZERO_END",
    "Room",
    "Trees",
    "laid_out",
    "new_room",
    "open_room",
    "open_trees",
]

ZERO_END: Final = float(np.float32(1e-35))
"""Numbers up to here, of either sign, are zero to LightGBM: a 32-bit float there, hence its odd digits."""

LARGEST: Final = float(np.finfo(np.float64).max)
"""Stands for infinity among numbers and thresholds: infinity itself is what is missing and goes right."""

BLOCK: Final = 64
"""Rows whose codes are kept at once: with 60 columns 8 kilobytes, beside a tree in the first cache."""

# Columns of ``Trees.columns``.
COLUMN_FEATURE: Final = 0
COLUMN_CUT: Final = 1
COLUMN_SPAN: Final = 2
COLUMN_CUTS: Final = 3

# What makes a prediction of a raw score.
OUTPUT_IDENTITY: Final = 0
OUTPUT_SIGMOID: Final = 1
OUTPUT_EXP: Final = 2
OUTPUT_LOG1P_EXP: Final = 3
OUTPUT_SQUARE: Final = 4

OUTPUTS: Final = ("identity", "sigmoid", "exp", "log1p_exp", "square")
"""Names of the outputs, in the order of their numbers."""

CODE_BITS: Final = 16
CODE_LARGEST: Final = (1 << CODE_BITS) - 1
CHILD_SHIFT: Final = 2 * CODE_BITS
NO_BITS: Final = -1
_NODES_MAX: Final = 1 << 24
_WORD_BITS: Final = 64

_Column = tuple[bool, int, float, float]
"""Whether it is of categories, its feature, what missing numbers count as, up to where zero is missing."""


class Trees(NamedTuple):
    """A forest as kernels read it; nothing changes it."""

    roots: npt.NDArray[np.int64]
    """(trees,): places of roots among the nodes."""
    depths: npt.NDArray[np.int64]
    """(trees,): steps after which every descent is in a leaf."""
    has_bits: npt.NDArray[np.bool_]
    """(trees,): whether a tree has nodes of categories."""
    order: npt.NDArray[np.int64]
    """(trees,): trees without categories by their depths, then the others."""
    compared: int
    """How many trees have no categories."""
    words: Table
    """(1, nodes)."""
    values: npt.NDArray[np.float64]
    """(nodes,): as stored."""
    columns: Table
    """(columns, 4): feature, first cut, how many cuts with those that fill up, how many without."""
    absent: npt.NDArray[np.float64]
    """(columns,): what missing numbers count as."""
    zero_ends: npt.NDArray[np.float64]
    """(columns,): numbers up to here, of either sign, are missing; -1 where zero is a number."""
    cuts: npt.NDArray[np.float64]
    """(cuts,): of each column ascending, filled up with infinity to a power of two."""
    bits_at: npt.NDArray[np.int64]
    """(nodes,): the first word of the codes that go left, or ``NO_BITS`` of a node that compares."""
    bits: npt.NDArray[np.int64]
    path_starts: npt.NDArray[np.uint32]
    """(nodes + 1,): where the attributions of each leaf start."""
    path_features: npt.NDArray[np.uint16]
    path_changes: npt.NDArray[np.float64]
    """Of each feature on the way to a leaf, the sum of the changes of the expected value."""
    numeric: int
    """How many of the columns are of numbers; those of categories follow."""
    span_max: int
    """Of the columns of numbers; the cuts end with so many infinities."""


class Room(NamedTuple):
    """Room that a scoring writes to and forgets."""

    codes: npt.NDArray[np.uint16]
    """(``BLOCK`` * columns,)."""
    numbers: npt.NDArray[np.float64]
    """(columns or ``BLOCK``, what is more): of a row, or of a column of a block."""
    found: npt.NDArray[np.int64]
    """(columns or ``BLOCK``, what is more): how far searches are."""
    places: npt.NDArray[np.int64]
    """(trees or ``BLOCK``, what is more): the nodes where descents are."""


open_trees: Final = opener(Trees)
open_room: Final = opener(Room)


def new_room(trees: Trees) -> Room:
    """Return room for scoring with a forest, in one thread at a time."""
    # A tree of one leaf still reads a code, whatever it is.
    columns = max(len(trees.columns), 1)
    return Room(
        np.zeros(BLOCK * columns, np.uint16),
        np.zeros(max(columns, BLOCK)),
        np.zeros(max(columns, BLOCK), np.int64),
        np.zeros(max(len(trees.roots), BLOCK), np.int64),
    )


def laid_out(content: Content) -> Trees:
    """Return stored nodes as kernels read them.

    Raises
    ------
    ModelRefused
        There are more nodes, columns or thresholds of a column than a word of a node can name.
    """
    firsts = np.cumsum(content.tree_nodes) - content.tree_nodes
    column_of = _columns_of(content)
    names = sorted(set(column_of.values()))
    number_of = {name: number for number, name in enumerate(names)}
    column_cuts: dict[_Column, set[float]] = defaultdict(set)
    for node, name in column_of.items():
        column_cuts[name].update(_cuts_of(content, node))
    ascending = {name: sorted(column_cuts[name]) for name in names}
    longest = max(map(len, ascending.values()), default=0)
    largest = max(len(names), longest + 1, int(content.features.max()))
    if len(content.features) >= _NODES_MAX or largest >= CODE_LARGEST:
        message = "a forest has too many nodes, features or thresholds of a feature"
        raise ModelRefused(message)
    words, bits_at, bits = _words(content, firsts, column_of, number_of, ascending)
    columns, cuts, span_max = _padded(names, ascending)
    depths, paths = _walked(content, firsts)
    has_bits = np.add.reduceat(bits_at != NO_BITS, firsts) > 0
    return Trees(
        roots=firsts,
        depths=depths,
        has_bits=has_bits,
        order=np.lexsort((depths, has_bits)).astype(np.int64),
        compared=int(np.sum(~has_bits)),
        words=words.reshape(1, -1),
        values=content.values,
        columns=columns,
        absent=np.array([name[2] for name in names], np.float64),
        zero_ends=np.array([name[3] for name in names], np.float64),
        cuts=cuts,
        bits_at=bits_at,
        bits=bits,
        path_starts=paths[0],
        path_features=paths[1],
        path_changes=paths[2],
        numeric=sum(not name[0] for name in names),
        span_max=span_max,
    )


def _columns_of(content: Content) -> dict[int, _Column]:
    """Return the column of every node that asks."""
    found: dict[int, _Column] = {}
    for node in np.flatnonzero(content.features != LEAF).tolist():
        feature, decision = int(content.features[node]), int(content.decisions[node])
        if decision & CATEGORICAL:
            found[node] = (True, feature, 0.0, -1.0)
        elif decision & (MISSING_NAN | MISSING_ZERO):
            absent = -np.inf if decision & DEFAULT_LEFT else np.inf
            found[node] = (False, feature, absent, ZERO_END if decision & MISSING_ZERO else -1.0)
        else:
            found[node] = (False, feature, 0.0, -1.0)
    return found


def _cuts_of(content: Content, node: int) -> list[float]:
    if content.decisions[node] & CATEGORICAL:
        first, end = content.category_starts[node : node + 2]
        return [float(category) for category in content.categories[first:end]]
    return [_threshold(float(content.thresholds[node]))]


def _threshold(threshold: float) -> float:
    """Return a threshold that every number is on the same side of, be it taken for zero before or not.

    LightGBM replaces what is nearly zero by zero before it compares; so nothing has to be replaced here.
    """
    if 0 <= threshold < ZERO_END:
        return ZERO_END
    if -ZERO_END <= threshold < 0:
        return float(np.nextafter(-ZERO_END, -np.inf))
    return min(threshold, LARGEST)


def _words(
    content: Content,
    firsts: npt.NDArray[np.int64],
    column_of: dict[int, _Column],
    number_of: dict[_Column, int],
    ascending: dict[_Column, list[float]],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the nodes' words, where each node's bits are, and the bits."""
    nodes = len(content.features)
    words = np.arange(nodes, dtype=np.int64) << CHILD_SHIFT | CODE_LARGEST
    bits_at, bits = np.full(nodes, NO_BITS, np.int64), [np.zeros(0, np.uint64)]
    used = 0
    starts = np.repeat(firsts, content.tree_nodes)
    codes = {name: {cut: code for code, cut in enumerate(cuts)} for name, cuts in ascending.items()}
    for node, name in column_of.items():
        left = [codes[name][cut] for cut in _cuts_of(content, node)]
        child = int(starts[node] + content.children[node])
        code = CODE_LARGEST if name[0] else left[0]
        words[node] = child << CHILD_SHIFT | number_of[name] << CODE_BITS | code
        if name[0]:
            # One bit more than there are cuts: the code of what no cut is.
            own = np.zeros(len(ascending[name]) // _WORD_BITS + 1, np.uint64)
            for each in left:
                own[each // _WORD_BITS] |= np.uint64(1 << each % _WORD_BITS)
            bits_at[node] = used
            bits.append(own)
            used += len(own)
    return words, bits_at, np.concatenate(bits).view(np.int64)


def _padded(
    names: list[_Column], ascending: dict[_Column, list[float]]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], int]:
    """Return the columns, their cuts filled up so that searches do not end early, and the longest span."""
    columns = np.zeros((len(names), 4), np.int64)
    cuts: list[float] = []
    span_max = 1
    for number, name in enumerate(names):
        own = ascending[name]
        span = 1 << len(own).bit_length()
        columns[number] = name[1], len(cuts), span, len(own)
        cuts += own + [np.inf] * (span - len(own))
        if not name[0]:
            span_max = max(span_max, span)
    # One search of all columns together looks beyond the end of short ones.
    return columns, np.array(cuts + [np.inf] * span_max, np.float64), span_max


def _walked(
    content: Content, firsts: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]]:
    """Return the trees' depths, and of every leaf the attributions of the way to it."""
    depths = np.zeros(len(firsts), np.int64)
    starts, features, changes = [0], list[int](), list[float]()
    for tree, (first, count) in enumerate(zip(firsts.tolist(), content.tree_nodes.tolist(), strict=True)):
        ways: list[dict[int, float]] = [{} for _ in range(count)]
        steps = [0] * count
        for node in range(count):
            feature, left = int(content.features[first + node]), int(content.children[first + node])
            if feature == LEAF:
                features += ways[node]
                changes += ways[node].values()
            else:
                for child in (left, left + 1):
                    change = float(content.values[first + child] - content.values[first + node])
                    ways[child] = ways[node] | {feature: ways[node].get(feature, 0.0) + change}
                    steps[child] = steps[node] + 1
            starts.append(len(features))
        depths[tree] = max(steps)
    paths = np.array(starts, np.uint32), np.array(features, np.uint16), np.array(changes, np.float64)
    return depths, paths

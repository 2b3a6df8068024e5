"""Scoring rows with a forest: one with its reasons inside a kernel of decisions, or many at once.

Measured with 200 trees of 31 leaves, 60 features and rows that trained trees cannot predict, microseconds a
row of one core of a server of 2026, all to the same bits:

- Row by row, tree by tree, comparing thresholds, nodes in four arrays: 13.2. Blocks of 64 rows, tree by tree:
  12.7. What costs is neither memory nor the comparison: the processor guesses wrongly when descents end.
- Blocks, every descent as many steps as its tree is deep, each step of all rows before the next one: 8.7 with
  nodes in four arrays as well as with 32 bytes a node.
- The same with codes in place of numbers, so that a node is one word: 6.6, of which the codes took 3.2, as
  their searches waited for themselves. A search of 64 rows at once takes 0.7: 3.3 together, and 2.6 without
  looks at whether a place is negative. Kept. Eight rows at once in named variables took longer than that.

One row has no block, so eight trees descend at once: 2.8 with its codes, against 14 tree by tree. Trees of
like depths stand together, or all would take the steps of the deepest. Reasons are noted by leaf, five more
microseconds; adding them up along the descent took eight, and neither prefetching them nor several sums side
by side helped.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from formicary.base.kernels import fixed, kernel, kernel_part, tail
from formicary.base.records import Note, words_of
from formicary.factory.models._forest_layout import (
    BLOCK,
    CHILD_SHIFT,
    CODE_BITS,
    CODE_LARGEST,
    COLUMN_CUT,
    COLUMN_CUTS,
    COLUMN_FEATURE,
    COLUMN_SPAN,
    LARGEST,
    OUTPUT_EXP,
    OUTPUT_LOG1P_EXP,
    OUTPUT_SIGMOID,
    OUTPUT_SQUARE,
    Room,
    Trees,
    open_room,
    open_trees,
)

__all__ = [
    "attribute_one",
    "code_row",
    "explain_rows",
    "predict_scores",
    "score_one",
    "score_row",
    "score_rows",
]
__all__ += ["step_any"]

_ROOM_AT: Final = words_of(Trees)
_CATEGORY_END: Final = 2.0**31
_AT_ONCE: Final = 8


@kernel_part
def score_row(trees: Trees, room: Room, row: Any, attributions: Any) -> float:
    """Return the raw score of one row, and write what each feature added to it.

    ``row`` and ``attributions`` are (features,); NaN is missing. The attributions and the forest's expected
    score sum up to the raw score but for rounding.
    """
    find_leaves(trees, room, row)
    add_attributions(trees, room, attributions)
    return sum_leaves(trees, room)


@kernel_part
def find_leaves(trees: Trees, room: Room, row: Any) -> None:
    """Note the leaf of every tree that a row, (features,), ends in."""
    code_row(trees, room, row)
    codes = room.codes
    words = trees.words
    place = 0
    while place + _AT_ONCE <= trees.compared:
        order = tail(trees.order, place)
        first, second, third, fourth = order[0], order[1], order[2], order[3]
        fifth, sixth, seventh, eighth = order[4], order[5], order[6], order[7]
        # The last of them is the deepest.
        steps = trees.depths[eighth]
        a, b, c, d = trees.roots[first], trees.roots[second], trees.roots[third], trees.roots[fourth]
        e, f, g, h = trees.roots[fifth], trees.roots[sixth], trees.roots[seventh], trees.roots[eighth]
        for _ in range(steps):
            a = _step(words, a, codes)
            b = _step(words, b, codes)
            c = _step(words, c, codes)
            d = _step(words, d, codes)
            e = _step(words, e, codes)
            f = _step(words, f, codes)
            g = _step(words, g, codes)
            h = _step(words, h, codes)
        room.places[first], room.places[second], room.places[third], room.places[fourth] = a, b, c, d
        room.places[fifth], room.places[sixth], room.places[seventh], room.places[eighth] = e, f, g, h
        place += _AT_ONCE
    for rest in range(place, len(trees.order)):
        tree = trees.order[rest]
        node = trees.roots[tree]
        for _ in range(trees.depths[tree]):
            node = step_any(trees, node, codes)
        room.places[tree] = node


@kernel_part
def sum_leaves(trees: Trees, room: Room) -> float:
    """Return the sum of the noted leaves, added up in the order of the trees."""
    score = 0.0
    for tree in range(len(trees.roots)):
        score += trees.values[room.places[tree]]
    return score


@kernel_part
def add_attributions(trees: Trees, room: Room, attributions: Any) -> None:
    """Write what each feature added to the score on the ways to the noted leaves, (features,)."""
    for feature in range(len(attributions)):
        attributions[feature] = 0.0
    for tree in range(len(trees.roots)):
        leaf = room.places[tree]
        for place in range(trees.path_starts[leaf], trees.path_starts[leaf + 1]):
            attributions[np.int64(trees.path_features[place])] += trees.path_changes[place]


@kernel
def explain_rows(note: Note, rows: Any, scores: Any, attributions: Any) -> None:
    """Write raw scores, (n,), and attributions, (n, features), of rows, (n, features), one by one.

    ``note`` is that of ``Trees`` and ``Room``.
    """
    trees = open_trees(note, 0)
    room = open_room(note, _ROOM_AT)
    for row in range(len(rows)):
        scores[row] = score_row(trees, room, rows[row], attributions[row])


@kernel
def score_one(note: Note, row: Any, scores: Any) -> None:
    """Write the raw score of a row, (features,), to ``scores[0]``, and note its leaves.

    ``note`` is that of ``Trees`` and ``Room``.
    """
    trees = open_trees(note, 0)
    room = open_room(note, _ROOM_AT)
    find_leaves(trees, room, row)
    scores[0] = sum_leaves(trees, room)


@kernel
def attribute_one(note: Note, attributions: Any) -> None:
    """Write what each feature added to the score of the row that ``score_one`` scored last, (features,)."""
    add_attributions(open_trees(note, 0), open_room(note, _ROOM_AT), attributions)


@kernel
def score_rows(note: Note, rows: Any, scores: Any) -> None:
    """Write raw scores, (n,), of rows, (n, features); ``note`` is that of ``Trees`` and ``Room``."""
    trees = open_trees(note, 0)
    room = open_room(note, _ROOM_AT)
    places = room.places
    words = trees.words
    width = len(trees.columns)
    for first in range(0, len(rows), BLOCK):
        count = min(len(rows) - first, BLOCK)
        _code_rows(trees, room, rows, first, count)
        for row in range(count):
            scores[first + row] = 0.0
        for tree in range(len(trees.roots)):
            root = trees.roots[tree]
            for row in range(count):
                places[row] = root
            if trees.has_bits[tree]:
                for _ in range(trees.depths[tree]):
                    for row in range(count):
                        places[row] = step_any(trees, places[row], tail(room.codes, row * width))
            else:
                for _ in range(trees.depths[tree]):
                    for row in range(count):
                        places[row] = _step(words, places[row], tail(room.codes, row * width))
            for row in range(count):
                scores[first + row] += trees.values[places[row]]


@kernel
def predict_scores(scores: Any, output: int, scale: float) -> None:
    """Replace raw scores, (n,), by what they predict, with LightGBM's own operations."""
    for row in range(len(scores)):
        score = scores[row]
        if output == OUTPUT_SIGMOID:
            scores[row] = 1.0 / (1.0 + math.exp(-scale * score))
        elif output == OUTPUT_EXP:
            scores[row] = math.exp(score)
        elif output == OUTPUT_LOG1P_EXP:
            scores[row] = math.log1p(math.exp(score))
        elif output == OUTPUT_SQUARE:
            scores[row] = math.copysign(1.0, score) * score * score


@kernel_part
def _step(words: Any, node: int, codes: Any) -> Any:
    """Return the child that a node of numbers sends a row's codes to; a leaf returns itself."""
    word = fixed(words, 0, node)
    code = np.int64(codes[(word >> CODE_BITS) & CODE_LARGEST])
    return (word >> CHILD_SHIFT) + np.int64(code > (word & CODE_LARGEST))


@kernel_part
def step_any(trees: Trees, node: int, codes: Any) -> Any:
    """Return the child that any node sends a row's codes to; a leaf returns itself."""
    bits_at = trees.bits_at[node]
    if bits_at < 0:
        return _step(trees.words, node, codes)
    word = fixed(trees.words, 0, node)
    code = np.int64(codes[(word >> CODE_BITS) & CODE_LARGEST])
    is_left = (trees.bits[bits_at + (code >> 6)] >> (code & 63)) & 1
    return (word >> CHILD_SHIFT) + 1 - is_left


@kernel_part
def code_row(trees: Trees, room: Room, row: Any) -> None:
    """Write the codes of a row; all columns are searched at once, as one search waits for itself."""
    numbers, found = room.numbers, room.found
    for column in range(trees.numeric):
        number = row[fixed(trees.columns, column, COLUMN_FEATURE)]
        # What is no number is not above anything.
        is_there = abs(number) > trees.zero_ends[column]
        number = number if number < LARGEST else LARGEST  # noqa: FURB136, as numba's min branches
        numbers[column] = number if is_there else trees.absent[column]
        found[column] = fixed(trees.columns, column, COLUMN_CUT)
    half = trees.span_max >> 1
    while half:
        for column in range(trees.numeric):
            place = found[column]
            is_below = trees.cuts[place + half - 1] < numbers[column]
            is_own = half < fixed(trees.columns, column, COLUMN_SPAN)
            found[column] = place + (half if is_below & is_own else 0)
        half >>= 1
    for column in range(trees.numeric):
        room.codes[column] = found[column] - fixed(trees.columns, column, COLUMN_CUT)
    for column in range(trees.numeric, len(trees.columns)):
        room.codes[column] = _code_of_category(trees, column, row)


@kernel_part
def _code_rows(trees: Trees, room: Room, rows: Any, first: int, count: int) -> None:
    """Write the codes of a block of rows; all rows are searched at once."""
    found, numbers, codes = room.found, room.numbers, room.codes
    width = len(trees.columns)
    for column in range(trees.numeric):
        feature = fixed(trees.columns, column, COLUMN_FEATURE)
        zero_end, absent = trees.zero_ends[column], trees.absent[column]
        cuts = tail(trees.cuts, fixed(trees.columns, column, COLUMN_CUT))
        half = fixed(trees.columns, column, COLUMN_SPAN) >> 1
        for row in range(count):
            number = rows[first + row, feature]
            is_there = abs(number) > zero_end
            number = number if number < LARGEST else LARGEST  # noqa: FURB136, the same
            numbers[row] = number if is_there else absent
            found[row] = 0
        while half:
            for row in range(count):
                place = found[row]
                found[row] = place + (half if cuts[place + half - 1] < numbers[row] else 0)
            half >>= 1
        for row in range(count):
            codes[row * width + column] = found[row]
    for column in range(trees.numeric, width):
        for row in range(count):
            codes[row * width + column] = _code_of_category(trees, column, rows[first + row])


@kernel_part
def _code_of_category(trees: Trees, column: int, row: Any) -> Any:
    """Return the code of a row's category, or that of all that no node knows."""
    number = row[fixed(trees.columns, column, COLUMN_FEATURE)]
    none = fixed(trees.columns, column, COLUMN_CUTS)
    # As LightGBM does it: the fraction is cut off, and what is no category goes right everywhere.
    if not -1.0 < number < _CATEGORY_END:
        return none
    category = np.float64(np.int64(number))
    cuts = tail(trees.cuts, fixed(trees.columns, column, COLUMN_CUT))
    half = fixed(trees.columns, column, COLUMN_SPAN) >> 1
    found = np.int64(0)
    while half:
        found += half if cuts[found + half - 1] < category else 0
        half >>= 1
    return found if cuts[found] == category else none

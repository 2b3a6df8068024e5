"""Sets of rules: what a document says, before it is compiled for a decision point."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Final

from formicary.base.ids import MalformedId, parse_id
from formicary.factory.decisions._rule_layout import FOREVER
from formicary.factory.decisions.errors import RuleRefused
from formicary.factory.decisions.expressions import Term

__all__ = ["ListEntry", "Rule", "RuleList", "RuleSet", "read_id", "text_id", "words_of_id"]

_ID_BYTES: Final = 16
_ID_END: Final = 1 << 128
_HALF: Final = 1 << 64
_DECIMAL: Final = re.compile(r"[0-9]{1,39}", re.ASCII)


def text_id(text: str) -> int:
    """Return the 128-bit id that stands for a text: the same in lists, in conditions and in fields."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=_ID_BYTES).digest())


def read_id(text: str) -> int | None:
    """Return the id that is written as a decimal number or in groups of 8-4-4-4-12; None for none."""
    if _DECIMAL.fullmatch(text):
        number = int(text)
        return number if 0 < number < _ID_END else None
    try:
        # Zero is no id.
        return parse_id(text) or None
    except MalformedId:
        return None


def words_of_id(identifier: int) -> tuple[int, int]:
    """Return the high and the low half of an id as signed words, as columns of events hold them."""
    high, low = divmod(identifier, _HALF)
    return _signed(high), _signed(low)


def _signed(word: int) -> int:
    return word - _HALF if word >= _HALF >> 1 else word


@dataclass(frozen=True)
class ListEntry:
    """A member of a list, until a time in nanoseconds; from that time on it is none."""

    id: int
    until: int = FOREVER


@dataclass(frozen=True)
class RuleList:
    """A named list of ids, or of texts by their hashes."""

    name: str
    of: str
    entries: tuple[ListEntry, ...]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule.

    Attributes
    ----------
    name
        In snake case, unique in its set.
    when
        Its condition, as it was written.
    condition
        The same, read.
    outcome
        What it says where the condition holds.
    reason
        A sentence that tells why, for whoever is told the outcome.
    enabled
        Whether it is armed; one that is not is judged and recorded, and changes no outcome.
    if_unknown
        What it says where its condition cannot be told; empty for the decision point's safe outcome.
    file, line, is_block
        Where the condition begins, and whether each of its lines is one of the document.
    """

    name: str
    when: str
    condition: Term
    outcome: str
    reason: str
    enabled: bool = True
    if_unknown: str = ""
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)
    is_block: bool = field(default=False, compare=False)

    def error(self, kind: type[RuleRefused], message: str, *, offset: int) -> RuleRefused:
        """Return an error about a place in the condition."""
        return error_in(
            kind,
            message,
            file=self.file,
            line=self.line,
            rule=self.name,
            text=self.when,
            offset=offset,
            is_block=self.is_block,
        )

    def canonical(self) -> dict[str, str | bool]:
        """Return what the rule means."""
        return {
            "name": self.name,
            "when": self.condition.canonical(),
            "outcome": self.outcome,
            "reason": self.reason,
            "enabled": self.enabled,
            "if_unknown": self.if_unknown,
        }


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """A versioned set of rules for one decision point."""

    name: str
    version: int
    point: str
    rules: tuple[Rule, ...]
    lists: tuple[RuleList, ...] = ()
    file: str = field(default="", compare=False)

    def canonical(self) -> str:
        """Return all that the set means, as JSON: equal texts give equal verdicts and reasons.

        The order of rules is part of it, the order of lists and of their entries is not.
        """
        lists = {
            one.name: {
                "of": one.of,
                "entries": sorted([f"{entry.id:032x}", entry.until] for entry in one.entries),
            }
            for one in self.lists
        }
        means = {
            "name": self.name,
            "version": self.version,
            "point": self.point,
            "lists": lists,
            "rules": [rule.canonical() for rule in self.rules],
        }
        return json.dumps(means, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def identity(self) -> str:
        """The hash of its meaning, 32 hexadecimal digits."""
        return hashlib.blake2b(self.canonical().encode(), digest_size=_ID_BYTES).hexdigest()


def error_in(
    kind: type[RuleRefused],
    message: str,
    *,
    file: str,
    line: int,
    rule: str,
    text: str,
    offset: int,
    is_block: bool,
) -> RuleRefused:
    """Return an error at an offset in the text of a condition that begins in a line of a document."""
    before = text[:offset] if is_block else ""
    column = offset - (before.rfind("\n") + 1) + 1
    return kind(message, file=file, line=line + before.count("\n"), rule=rule, column=column)

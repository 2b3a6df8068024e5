"""Reading documents of YAML, or JSON, node by node: all that is wrong is noted, with its line.

A document is plain: it nests no deeper than it may, and repeats no part of itself by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml

from formicary.base.limits import RULE_DOCUMENT_BYTES_MAX
from formicary.base.times import MalformedTime, parse_time
from formicary.factory.decisions._rule_layout import FOREVER
from formicary.factory.decisions.errors import RuleRefused, TooManyRules
from formicary.factory.features.kinds import NAME

__all__ = ["Nodes", "is_text", "line_of"]

_LOADER: Final[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_DEPTH_MAX: Final = 8
# A document of rules has five levels.


class Nodes:
    """One document while it is read.

    Attributes
    ----------
    file
        Its name, for errors.
    kind
        What is wrong with a document that is not what it must be.
    found
        What is wrong with this one.
    """

    def __init__(self, file: str, kind: type[RuleRefused]) -> None:
        self.file = file
        self.kind = kind
        self.found: list[RuleRefused] = []

    def root(self, text: str) -> Any:
        """Return the outermost node, None where there is none that can be read."""
        try:
            if len(text.encode()) > RULE_DOCUMENT_BYTES_MAX:
                self.wrong(TooManyRules, 1, f"it has more than {RULE_DOCUMENT_BYTES_MAX:,} bytes")
                return None
            if not self._is_plain(yaml.parse(text, _LOADER)):
                return None
            root = yaml.compose(text, _LOADER)
        except UnicodeEncodeError:
            self.wrong(self.kind, 1, "it has characters that are none")
            return None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            self.wrong(self.kind, line, error.problem or "it is no YAML")
            return None
        except yaml.YAMLError:
            self.wrong(self.kind, 1, "it is no YAML")
            return None
        if root is None:
            self.wrong(self.kind, 1, "it is empty")
        return root

    def _is_plain(self, events: Iterable[Any]) -> bool:
        """Return whether a document nests no deeper than it may and repeats no part of itself."""
        depth = 0
        for event in events:
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent):
                self.wrong(self.kind, event, "write it out: a document repeats nothing by name")
                return False
            if depth > _DEPTH_MAX:
                self.wrong(self.kind, event, "a document does not nest as deep")
                return False
        return True

    def fields(self, node: Any, known: Mapping[str, bool], what: str, rule: str = "") -> dict[str, Any]:
        """Return the fields of a part by name; tell those that are unknown, double or not there."""
        found: dict[str, Any] = {}
        for key, value in self.pairs(node, what, rule=rule):
            name = self.text(key, rule=rule)
            if name in found:
                self.wrong(self.kind, key, f"{name} is written twice", rule=rule)
            elif name in known:
                found[name] = value
            elif name:
                message = f"{what} has no field {name!r}, only {', '.join(known)}"
                self.wrong(self.kind, key, message, rule=rule)
        if isinstance(node, yaml.MappingNode):
            for name in (name for name, is_needed in known.items() if is_needed and name not in found):
                self.wrong(self.kind, node, f"{what} needs a field {name!r}", rule=rule)
        return found

    def pairs(self, node: Any, what: str, rule: str = "") -> list[tuple[Any, Any]]:
        """Return names with values; tell what is none."""
        if isinstance(node, yaml.MappingNode):
            return list(node.value)
        if node is not None:
            self.wrong(self.kind, node, f"{what} is written as names with values", rule=rule)
        return []

    def items(self, node: Any, what: str) -> list[Any]:
        """Return the parts of a sequence; tell what is none."""
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        if node is not None:
            self.wrong(self.kind, node, f"{what} is a sequence")
        return []

    def text(self, node: Any, rule: str = "") -> str:
        """Return a text; tell what is none, or empty."""
        if node is None:
            return ""
        if is_text(node) and node.value:
            return str(node.value)
        self.wrong(self.kind, node, "here stands a text", rule=rule)
        return ""

    def name(self, node: Any, rule: str = "") -> str:
        """Return a name; tell what is none."""
        name = self.text(node, rule)
        if name and not NAME.fullmatch(name):
            self.wrong(self.kind, node, f"{name!r} is no name in snake case", rule=rule)
        return name

    def time(self, node: Any, rule: str = "") -> int:
        """Return a time in nanoseconds, ``FOREVER`` for what is told to be none."""
        try:
            until = parse_time(self.text(node, rule))
        except MalformedTime as error:
            self.wrong(self.kind, node, str(error), rule=rule)
            return FOREVER
        if 0 <= until <= FOREVER:
            return until
        self.wrong(self.kind, node, "a time lies between 1970 and 2262", rule=rule)
        return FOREVER

    def require_once(self, names: list[tuple[str, int]]) -> None:
        """Tell which of names with their lines are there twice."""
        for place, (name, line) in enumerate(names):
            if name in [other for other, _ in names[:place]]:
                self.wrong(self.kind, line, f"two are named {name!r}")

    def wrong(self, kind: type[RuleRefused], where: Any, message: str, rule: str = "") -> None:
        """Note what is wrong at a node, or at a line."""
        line = where if isinstance(where, int) else line_of(where)
        self.found.append(kind(message, file=self.file, line=line, rule=rule))


def line_of(node: Any) -> int:
    """Return the line that a node begins in, from 1."""
    return int(node.start_mark.line) + 1


def is_text(node: Any) -> bool:
    """Return whether a node is neither a sequence nor names with values."""
    return isinstance(node, yaml.ScalarNode)

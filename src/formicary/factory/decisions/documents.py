"""Documents of rules: YAML, or JSON, which is YAML; all that is wrong with one is found at once.

::

    name: card_rules
    version: 7
    point: card_payment
    lists:
      blocked_devices:
        of: ids
        entries: [12345, {id: 67890, until: 2026-03-01T00:00:00Z}]
    rules:
      - name: blocked_device
        when: device in blocked_devices
        outcome: reject
        reason: The device is on the list of blocked devices.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml

from formicary.base.limits import (
    RULE_DOCUMENT_BYTES_MAX,
    RULE_LIST_ENTRIES_MAX,
    RULE_LISTS_MAX,
    RULES_MAX,
)
from formicary.base.times import MalformedTime, parse_time
from formicary.factory.decisions._rule_layout import FOREVER
from formicary.factory.decisions.errors import RuleRefused, RulesMalformed, TooManyRules
from formicary.factory.decisions.expressions import parse_expression
from formicary.factory.decisions.rule_sets import (
    ListEntry,
    Rule,
    RuleList,
    RuleSet,
    error_in,
    read_id,
    text_id,
)
from formicary.factory.features.kinds import NAME

__all__ = ["read_document", "read_rules"]

_LOADER: Final[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_DEPTH_MAX: Final = 8
# A document of rules has five levels.
_REASON_CHARACTERS_MAX: Final = 200
_VERSION: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_TRUTHS: Final = {"true": True, "false": False}
_OF: Final = {"ids": "id", "texts": "text"}

# The fields of each part, and whether it must be there.
_SET: Final = {"name": True, "version": True, "point": True, "lists": False, "rules": True}
_RULE: Final = {
    "name": True,
    "when": True,
    "outcome": True,
    "reason": True,
    "enabled": False,
    "if_unknown": False,
}
_LIST: Final = {"of": True, "entries": True}


def read_rules(text: str, *, file: str = "") -> RuleSet:
    """Return the set of rules that a document says.

    Parameters
    ----------
    text
        YAML or JSON.
    file
        Its name, for errors.

    Raises
    ------
    RuleRefused
        The first that is wrong with it; ``read_document`` finds all.
    """
    rules, wrong = read_document(text, file=file)
    if wrong:
        raise wrong[0]
    return rules


def read_document(text: str, *, file: str = "") -> tuple[RuleSet, list[RuleRefused]]:
    """Return what can be read of a document, and all that is wrong with it."""
    reader = _Reader(file)
    root = reader.root(text)
    made = reader.rule_set(root) if root is not None else RuleSet(name="", version=0, point="", rules=())
    return made, reader.found


class _Reader:
    """One document while it is read; ``found`` is what is wrong with it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[RuleRefused] = []

    def root(self, text: str) -> Any:
        """Return the outermost node, None where there is none that can be read."""
        try:
            if len(text.encode()) > RULE_DOCUMENT_BYTES_MAX:
                self._wrong(TooManyRules, 1, f"it has more than {RULE_DOCUMENT_BYTES_MAX:,} bytes")
                return None
            if not self._is_plain(yaml.parse(text, _LOADER)):
                return None
            root = yaml.compose(text, _LOADER)
        except UnicodeEncodeError:
            self._wrong(RulesMalformed, 1, "it has characters that are none")
            return None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            self._wrong(RulesMalformed, line, error.problem or "it is no YAML")
            return None
        except yaml.YAMLError:
            self._wrong(RulesMalformed, 1, "it is no YAML")
            return None
        if root is None:
            self._wrong(RulesMalformed, 1, "it is empty")
        return root

    def rule_set(self, root: Any) -> RuleSet:
        """Read the whole."""
        parts = self._fields(root, _SET, "a set of rules")
        lists = self._pairs(parts.get("lists"), "lists")
        rules = self._items(parts.get("rules"), "rules")
        for what, nodes, most in (("lists", lists, RULE_LISTS_MAX), ("rules", rules, RULES_MAX)):
            if len(nodes) > most:
                self._wrong(TooManyRules, parts[what], f"it has {len(nodes)} {what}, more than {most}")
        version = self._text(parts.get("version"))
        if "version" in parts and not _VERSION.fullmatch(version):
            self._wrong(RulesMalformed, parts["version"], "a version is a whole number from 1")
            version = ""
        made = [self._rule(node) for node in rules[:RULES_MAX]]
        kept = tuple(rule for rule in made if rule)
        self._require_once([(rule.name, rule.line) for rule in kept])
        read_lists = tuple(self._list(key, node) for key, node in lists[:RULE_LISTS_MAX])
        self._require_once([(one.name, _line(key)) for one, (key, _) in zip(read_lists, lists, strict=False)])
        if sum(len(one.entries) for one in read_lists) > RULE_LIST_ENTRIES_MAX:
            message = f"its lists have more than {RULE_LIST_ENTRIES_MAX:,} entries together"
            self._wrong(TooManyRules, parts["lists"], message)
        return RuleSet(
            name=self._name(parts.get("name")),
            version=int(version or 0),
            point=self._name(parts.get("point")),
            rules=kept,
            lists=read_lists,
            file=self.file,
        )

    def _rule(self, node: Any) -> Rule | None:
        before = len(self.found)
        name = _name_of(node)
        parts = self._fields(node, _RULE, "a rule", rule=name)
        self._name(parts.pop("name", None), rule=name)
        texts = {key: self._text(part, rule=name) for key, part in parts.items()}
        reason = texts.get("reason", "")
        if reason and not (reason.endswith(".") and len(reason) <= _REASON_CHARACTERS_MAX):
            message = f"its reason is no sentence of at most {_REASON_CHARACTERS_MAX} characters"
            self._wrong(RulesMalformed, parts["reason"], message, rule=name)
        enabled = _TRUTHS.get(texts.get("enabled", "true"))
        if enabled is None:
            self._wrong(RulesMalformed, parts["enabled"], "enabled is true or false", rule=name)
        when = texts.get("when", "")
        if not when:
            return None
        is_block = parts["when"].style == "|"
        # The first line of a block stands below its mark.
        line = _line(parts["when"]) + is_block
        try:
            condition = parse_expression(when)
        except RuleRefused as error:
            self.found.append(
                error_in(
                    type(error),
                    error.said,
                    file=self.file,
                    line=line,
                    rule=name,
                    text=when,
                    offset=error.column - 1,
                    is_block=is_block,
                )
            )
            return None
        rule = Rule(
            name=name,
            when=when,
            condition=condition,
            outcome=texts.get("outcome", ""),
            reason=reason,
            enabled=bool(enabled),
            if_unknown=texts.get("if_unknown", ""),
            file=self.file,
            line=line,
            is_block=is_block,
        )
        return rule if len(self.found) == before else None

    def _list(self, key: Any, node: Any) -> RuleList:
        name = self._name(key)
        parts = self._fields(node, _LIST, "a list")
        of = self._text(parts.get("of"))
        if "of" in parts and of not in _OF:
            self._wrong(RulesMalformed, parts["of"], f"a list is of {' or of '.join(_OF)}")
        nodes = self._items(parts.get("entries"), "entries") if of in _OF else []
        entries: dict[int, ListEntry] = {}
        for one in nodes[: RULE_LIST_ENTRIES_MAX + 1]:
            entry = self._entry(one, _OF[of])
            if entry and entry.id in entries:
                self._wrong(RulesMalformed, one, f"{name} has it twice")
            elif entry:
                entries[entry.id] = entry
        return RuleList(name, of, tuple(entries.values()))

    def _entry(self, node: Any, field: str) -> ListEntry | None:
        parts = {field: node}
        if not _is_text(node):
            parts = self._fields(node, {field: True, "until": False}, "an entry of a list")
        text = self._text(parts.get(field))
        if not text:
            return None
        identifier = text_id(text) if field == "text" else read_id(text)
        if identifier is None:
            self._wrong(
                RulesMalformed, node, "an id is a number above 0 or 32 digits in groups of 8-4-4-4-12"
            )
            return None
        until = self._time(parts["until"]) if "until" in parts else FOREVER
        return ListEntry(identifier, until)

    def _time(self, node: Any) -> int:
        try:
            until = parse_time(self._text(node))
        except MalformedTime as error:
            self._wrong(RulesMalformed, node, str(error))
            return FOREVER
        if 0 <= until <= FOREVER:
            return until
        self._wrong(RulesMalformed, node, "a time lies between 1970 and 2262")
        return FOREVER

    def _is_plain(self, events: Iterable[Any]) -> bool:
        """Return whether a document nests no deeper than it may and repeats no part of itself."""
        depth = 0
        for event in events:
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent):
                self._wrong(
                    RulesMalformed, event, "write it out: a document of rules repeats nothing by name"
                )
                return False
            if depth > _DEPTH_MAX:
                self._wrong(RulesMalformed, event, "a document of rules does not nest as deep")
                return False
        return True

    def _fields(self, node: Any, known: Mapping[str, bool], what: str, rule: str = "") -> dict[str, Any]:
        """Return the fields of a part by name; tell those that are unknown, double or not there."""
        found: dict[str, Any] = {}
        for key, value in self._pairs(node, what, rule=rule):
            name = self._text(key, rule=rule)
            if name in found:
                self._wrong(RulesMalformed, key, f"{name} is written twice", rule=rule)
            elif name in known:
                found[name] = value
            elif name:
                message = f"{what} has no field {name!r}, only {', '.join(known)}"
                self._wrong(RulesMalformed, key, message, rule=rule)
        if isinstance(node, yaml.MappingNode):
            for name in (name for name, is_needed in known.items() if is_needed and name not in found):
                self._wrong(RulesMalformed, node, f"{what} needs a field {name!r}", rule=rule)
        return found

    def _pairs(self, node: Any, what: str, rule: str = "") -> list[tuple[Any, Any]]:
        if isinstance(node, yaml.MappingNode):
            return list(node.value)
        if node is not None:
            self._wrong(RulesMalformed, node, f"{what} is written as names with values", rule=rule)
        return []

    def _items(self, node: Any, what: str) -> list[Any]:
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        if node is not None:
            self._wrong(RulesMalformed, node, f"{what} is a sequence")
        return []

    def _text(self, node: Any, rule: str = "") -> str:
        """Return a text; tell what is none, or empty."""
        if node is None:
            return ""
        if _is_text(node) and node.value:
            return str(node.value)
        self._wrong(RulesMalformed, node, "here stands a text", rule=rule)
        return ""

    def _name(self, node: Any, rule: str = "") -> str:
        name = self._text(node, rule)
        if name and not NAME.fullmatch(name):
            self._wrong(RulesMalformed, node, f"{name!r} is no name in snake case", rule=rule)
        return name

    def _require_once(self, names: list[tuple[str, int]]) -> None:
        for place, (name, line) in enumerate(names):
            if name in [other for other, _ in names[:place]]:
                self._wrong(RulesMalformed, line, f"two are named {name!r}")

    def _wrong(self, kind: type[RuleRefused], where: Any, message: str, rule: str = "") -> None:
        line = where if isinstance(where, int) else _line(where)
        self.found.append(kind(message, file=self.file, line=line, rule=rule))


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _name_of(node: Any) -> str:
    """Return the name of a rule that may have more that is wrong with it; empty for none."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    names = [str(value.value) for key, value in pairs if key.value == "name" and _is_text(value)]
    return names[0] if names else ""


def _is_text(node: Any) -> bool:
    return isinstance(node, yaml.ScalarNode)

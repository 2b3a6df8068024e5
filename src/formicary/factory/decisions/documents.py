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
from typing import Any, Final

import yaml

from formicary.base.limits import RULE_LIST_ENTRIES_MAX, RULE_LISTS_MAX, RULES_MAX
from formicary.factory.decisions._nodes import Nodes, is_text, line_of
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

__all__ = ["read_document", "read_rules"]

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
    reader = _Reader(file, RulesMalformed)
    root = reader.root(text)
    made = reader.rule_set(root) if root is not None else RuleSet(name="", version=0, point="", rules=())
    return made, reader.found


class _Reader(Nodes):
    """One document of rules while it is read."""

    def rule_set(self, root: Any) -> RuleSet:
        """Read the whole."""
        parts = self.fields(root, _SET, "a set of rules")
        lists = self.pairs(parts.get("lists"), "lists")
        rules = self.items(parts.get("rules"), "rules")
        for what, nodes, most in (("lists", lists, RULE_LISTS_MAX), ("rules", rules, RULES_MAX)):
            if len(nodes) > most:
                self.wrong(TooManyRules, parts[what], f"it has {len(nodes)} {what}, more than {most}")
        version = self.text(parts.get("version"))
        if "version" in parts and not _VERSION.fullmatch(version):
            self.wrong(RulesMalformed, parts["version"], "a version is a whole number from 1")
            version = ""
        made = [self._rule(node) for node in rules[:RULES_MAX]]
        kept = tuple(rule for rule in made if rule)
        self.require_once([(rule.name, rule.line) for rule in kept])
        read_lists = tuple(self._list(key, node) for key, node in lists[:RULE_LISTS_MAX])
        self.require_once(
            [(one.name, line_of(key)) for one, (key, _) in zip(read_lists, lists, strict=False)]
        )
        if sum(len(one.entries) for one in read_lists) > RULE_LIST_ENTRIES_MAX:
            message = f"its lists have more than {RULE_LIST_ENTRIES_MAX:,} entries together"
            self.wrong(TooManyRules, parts["lists"], message)
        return RuleSet(
            name=self.name(parts.get("name")),
            version=int(version or 0),
            point=self.name(parts.get("point")),
            rules=kept,
            lists=read_lists,
            file=self.file,
        )

    def _rule(self, node: Any) -> Rule | None:
        before = len(self.found)
        name = _name_of(node)
        parts = self.fields(node, _RULE, "a rule", rule=name)
        self.name(parts.pop("name", None), rule=name)
        texts = {key: self.text(part, rule=name) for key, part in parts.items()}
        reason = texts.get("reason", "")
        if reason and not (reason.endswith(".") and len(reason) <= _REASON_CHARACTERS_MAX):
            message = f"its reason is no sentence of at most {_REASON_CHARACTERS_MAX} characters"
            self.wrong(RulesMalformed, parts["reason"], message, rule=name)
        enabled = _TRUTHS.get(texts.get("enabled", "true"))
        if enabled is None:
            self.wrong(RulesMalformed, parts["enabled"], "enabled is true or false", rule=name)
        when = texts.get("when", "")
        if not when:
            return None
        is_block = parts["when"].style == "|"
        # The first line of a block stands below its mark.
        line = line_of(parts["when"]) + is_block
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
        name = self.name(key)
        parts = self.fields(node, _LIST, "a list")
        of = self.text(parts.get("of"))
        if "of" in parts and of not in _OF:
            self.wrong(RulesMalformed, parts["of"], f"a list is of {' or of '.join(_OF)}")
        nodes = self.items(parts.get("entries"), "entries") if of in _OF else []
        entries: dict[int, ListEntry] = {}
        for one in nodes[: RULE_LIST_ENTRIES_MAX + 1]:
            entry = self._entry(one, _OF[of])
            if entry and entry.id in entries:
                self.wrong(RulesMalformed, one, f"{name} has it twice")
            elif entry:
                entries[entry.id] = entry
        return RuleList(name, of, tuple(entries.values()))

    def _entry(self, node: Any, field: str) -> ListEntry | None:
        parts = {field: node}
        if not is_text(node):
            parts = self.fields(node, {field: True, "until": False}, "an entry of a list")
        text = self.text(parts.get(field))
        if not text:
            return None
        identifier = text_id(text) if field == "text" else read_id(text)
        if identifier is None:
            self.wrong(RulesMalformed, node, "an id is a number above 0 or 32 digits in groups of 8-4-4-4-12")
            return None
        until = self.time(parts["until"]) if "until" in parts else FOREVER
        return ListEntry(identifier, until)


def _name_of(node: Any) -> str:
    """Return the name of a rule that may have more that is wrong with it; empty for none."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    names = [str(value.value) for key, value in pairs if key.value == "name" and is_text(value)]
    return names[0] if names else ""

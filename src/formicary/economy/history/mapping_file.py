"""Reading a mapping: a YAML file, whose faults are told with their line and field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

import msgspec
import yaml

from formicary.base.errors import Refusal
from formicary.base.limits import MAPPING_BYTES_MAX
from formicary.economy.history.checks import faults_of
from formicary.economy.history.mapping import Mapping

__all__ = ["MappingFile", "MappingMalformed"]

_PLACED: Final = re.compile(r"(?P<what>.*) - at `(?:key in )?(?P<path>.*)`", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]|(\[\.\.\.\])")
_UNKNOWN: Final = re.compile(r"unknown field `(.*?)`")
# What msgspec writes for whichever value of a mapping with free names.
_ANY: Final = "[...]"


class MappingMalformed(Refusal):
    """A mapping is no YAML, has a field that there is not, or names what is not there; nothing was done."""

    code = "mapping_malformed"


class MappingFile:
    """A mapping as it was written: what it says, and where in the file each part of it stands.

    Parameters
    ----------
    path
        The YAML file.

    Raises
    ------
    MappingMalformed
        It cannot be read or does not make sense; the message names file, line and field.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        text = _text_of(path)
        try:
            self._root = yaml.compose(text, yaml.BaseLoader)
            # It makes texts, lists and mappings of them, nothing else: no date, no "no" for Norway.
            self._plain = yaml.load(text, yaml.BaseLoader)  # noqa: S506
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            _refuse(path, line, "$", error.problem or "it is no YAML")
        except yaml.YAMLError as error:
            _refuse(path, 1, "$", str(error))
        self.mapping = self._checked()

    @property
    def folder(self) -> Path:
        """The folder that the paths in it start from."""
        return self._path.parent

    def refuse(self, place: str, what: str) -> NoReturn:
        """Refuse what stands at a place, ``$.events[0].key``, with its line."""
        _refuse(self._path, self._line(place), place, what)

    def _checked(self) -> Mapping:
        for node in self._doubles(self._root):
            _refuse(self._path, node.start_mark.line + 1, node.value, "it is written twice")
        try:
            mapping = msgspec.convert(self._plain, Mapping, strict=False)
        except msgspec.ValidationError as error:
            self._refuse_conversion(str(error))
        for place, what in faults_of(mapping):
            self.refuse(place, what)
        return mapping

    def _refuse_conversion(self, message: str) -> NoReturn:
        match = _PLACED.fullmatch(message)
        what, place = (match["what"], match["path"]) if match else (message, "$")
        while _ANY in place:
            place = self._resolved(place, message)
        if unknown := _UNKNOWN.search(what):
            place = f"{place}.{unknown[1]}"
        self.refuse(place, what)

    def _resolved(self, place: str, message: str) -> str:
        """Replace the first free name by the one whose value alone still gives the same error."""
        before, _, after = place.partition(_ANY)
        names = list(_at(self._plain, before))
        for name in names:
            alone = _with_only(self._plain, _steps(before), name)
            try:
                msgspec.convert(alone, Mapping, strict=False)
            except msgspec.ValidationError as error:
                if str(error) == message:
                    return f"{before}.{name}{after}"
        return f"{before}.{names[0]}{after}"

    def _line(self, place: str) -> int:
        """Return the line of a field, or of the last thing around it that is in the file."""
        node, line = self._root, 1
        for step in _steps(place):
            if isinstance(node, yaml.MappingNode):
                pairs = [pair for pair in node.value if pair[0].value == step]
                if not pairs:
                    break
                key, node = pairs[0]
                line = key.start_mark.line + 1
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                node = node.value[step]
                line = node.start_mark.line + 1
        return line

    def _doubles(self, node: Any) -> Iterator[Any]:
        if isinstance(node, yaml.MappingNode):
            names = [key.value for key, _ in node.value]
            yield from (key for at, (key, _) in enumerate(node.value) if key.value in names[:at])
            for _, value in node.value:
                yield from self._doubles(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                yield from self._doubles(value)


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MAPPING_BYTES_MAX:
            _refuse(path, 1, "$", f"it has more than {MAPPING_BYTES_MAX:,} bytes")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _refuse(path, 1, "$", f"it cannot be read: {error}")


def _steps(place: str) -> list[str | int]:
    return [int(number) if number else name for name, number, _ in _STEP.findall(place)]


def _at(plain: Any, place: str) -> Any:
    for step in _steps(place):
        plain = plain[step]
    return plain


def _with_only(plain: Any, steps: list[str | int], name: str) -> Any:
    """Return a copy in which the mapping at a place has one of its names only."""
    if not steps:
        return {name: plain[name]}
    step, rest = steps[0], steps[1:]
    if isinstance(plain, dict):
        return plain | {step: _with_only(plain[step], rest, name)}
    return [_with_only(value, rest, name) if at == step else value for at, value in enumerate(plain)]


def _refuse(path: Path, line: int, place: str, what: str) -> NoReturn:
    field = place.removeprefix("$").removeprefix(".") or "the mapping"
    message = f"{path}, line {line}, {field}: {what}"
    raise MappingMalformed(message)

"""Documents of rules in files, for the decision points that there are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from formicary.factory.decisions.documents import read_document
from formicary.factory.decisions.errors import RuleRefused, RulesMalformed
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.rules import CompiledRules, compile_rules, findings

__all__ = ["compiled", "findings_in", "text_of"]


def text_of(file: Path) -> str:
    """Return what a file says; what is no text becomes characters that readers of documents refuse."""
    return file.read_bytes().decode(errors="surrogateescape")


def compiled(file: Path, points: Mapping[str, DecisionPoint]) -> CompiledRules:
    """Return the compiled rules of a document.

    Raises
    ------
    RuleRefused
        The first that is wrong with it.
    """
    text = text_of(file)
    if wrong := findings_in(text, str(file), points):
        raise wrong[0]
    document = read_document(text, file=str(file))[0]
    return compile_rules(document, points[document.point])


def findings_in(text: str, file: str, points: Mapping[str, DecisionPoint]) -> list[RuleRefused]:
    """Return all that is wrong with a document, a decision point that there is not included."""
    document, wrong = read_document(text, file=file)
    if document.point in points:
        return findings(text, points[document.point], file=file)
    if document.point:
        message = f"there is no decision point {document.point!r}, only {', '.join(points)}"
        wrong.insert(0, RulesMalformed(message, file=file, line=1))
    return wrong

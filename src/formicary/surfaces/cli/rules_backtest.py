"""What ``formicary rules backtest`` does: rules over rows of the past, as tables of money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.markup import escape

from formicary.factory.decisions.backtest import (
    Judged,
    chances_of,
    judge_rows,
    needed_columns,
    outcomes_of,
    table_items,
)
from formicary.factory.decisions.cost_documents import effects_of, read_costs
from formicary.factory.decisions.errors import RulesMalformed
from formicary.factory.decisions.items import Items
from formicary.factory.decisions.money import FIGURES, Costs, Effect, Figure, Money, Outcomes, money_of
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.rules import CompiledRules
from formicary.factory.models.model import Model, identity_of
from formicary.surfaces.cli.output import write_table
from formicary.surfaces.cli.rule_files import compiled, text_of
from formicary.surfaces.cli.rule_tables import read_columns

__all__ = ["Backtested", "Wanted", "run_backtest", "write_backtest"]

# Names that no column of a decision point has.
_LABEL: Final = "the label"
_SEGMENT: Final = "the segment"
_RULE_COLUMNS: Final = ("rule", "says", ">holds", ">bad", ">good", ">bad amount", ">unknown")
_MONEY_COLUMNS: Final = ("segment", "figure", ">value", ">of it 95 %")
_AGAINST_COLUMNS: Final = (">difference", ">of it 95 %")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be run over what; files and columns as the command is given them."""

    rules: Path
    against: Path | None
    table: Path
    costs: Path | None
    segment: str | None
    label: str
    models: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Backtested:
    """What came of it: outcomes by name with their effects and counts, rules, and money."""

    rules: CompiledRules
    effects: Sequence[Effect]
    judged: Judged
    money: Sequence[Money]

    def document(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return {
            "identity": self.rules.rule_set.identity,
            "outcomes": [
                {"outcome": name, "effect": effect.name.lower(), "rows": count}
                for name, effect, count in self._outcomes()
            ],
            "rules": [asdict(one) for one in self.judged.rules],
            "money": [asdict(one) for one in self.money],
        }

    def _outcomes(self) -> list[tuple[str, Effect, int]]:
        names = self.rules.point.outcomes
        counts = np.bincount(self.judged.outcomes, minlength=len(names)).tolist()
        return list(zip(names, self.effects, counts, strict=True))

    def title(self) -> str:
        """Return what came out of how many rows."""
        told = [f"{name} {count:,}" for name, _, count in self._outcomes()]
        return f"{self.rules.rule_set.name}, {len(self.judged.outcomes):,} rows: {', '.join(told)}"


def run_backtest(wanted: Wanted, points: Mapping[str, DecisionPoint]) -> Backtested:
    """Run rules over a table.

    Raises
    ------
    RuleRefused
        The rules, the costs or the rows are not what they must be.
    TableUnreadable
        There is no such table, or it lacks a column.
    ModelCorrupt
        A file holds no model.
    """
    mine = compiled(wanted.rules, points)
    policies = [mine]
    if wanted.against is not None:
        policies.append(compiled(wanted.against, points))
        if policies[1].point is not mine.point:
            message = (
                f"it is for {policies[1].point.name}, and what it is compared with for {mine.point.name}"
            )
            raise RulesMalformed(message, file=str(wanted.against), line=1)
    costs, declared = Costs(), dict[str, Effect]()
    if wanted.costs is not None:
        costs, declared = read_costs(text_of(wanted.costs), file=str(wanted.costs))
    effects = effects_of(mine.point, declared, file=str(wanted.costs or ""))
    items, outcomes = _rows(wanted, mine.point)
    judged = [judge_rows(one, items, outcomes) for one in policies]
    by_policy = [np.array(effects)[one.outcomes] for one in judged]
    money = money_of(outcomes, by_policy[0], costs, against=by_policy[1] if len(by_policy) > 1 else None)
    return Backtested(rules=mine, effects=effects, judged=judged[0], money=money)


def write_backtest(found: Backtested) -> None:
    """Write what each rule said and what all of it is worth, as tables."""
    rows = [
        (
            escape(one.rule) + ("" if one.enabled else " (not armed)"),
            one.outcome,
            *(f"{number:,}" for number in (one.holds, one.bad, one.good, one.bad_amount, one.unknown)),
        )
        for one in found.judged.rules
    ]
    write_table(_RULE_COLUMNS, rows, title=found.title())
    is_compared = any(one.differences for one in found.money)
    columns = (*_MONEY_COLUMNS, *(_AGAINST_COLUMNS if is_compared else ()))
    write_table(columns, [row for one in found.money for row in _money_rows(one)], title="In money")


def _money_rows(money: Money) -> Iterator[list[str]]:
    name = f"{money.segment or 'all'}, {money.rows:,} rows"
    if money.unknown:
        name += f", {money.unknown:,} not known yet"
    for figure in FIGURES:
        row = [escape(name), figure.replace("_", " "), *_cells(money.figures[figure])]
        if money.differences:
            row += _cells(money.differences[figure], signed=True)
        yield row
        name = ""


def _cells(figure: Figure, *, signed: bool = False) -> list[str]:
    form = "+," if signed else ","
    if figure.low is None or figure.high is None:
        return [format(figure.value, form), "too few days"]
    return [format(figure.value, form), f"{figure.low:{form}} to {figure.high:{form}}"]


def _rows(wanted: Wanted, point: DecisionPoint) -> tuple[Items, Outcomes]:
    models = dict(_model(text) for text in wanted.models)
    columns = needed_columns(point) | {_LABEL: (wanted.label,)}
    needed = ["at", _LABEL]
    for model in models.values():
        columns |= {name: columns.get(name, (name,)) for name in model.forest.feature_names}
        needed += model.forest.feature_names
    if wanted.segment is not None:
        columns[_SEGMENT] = (wanted.segment,)
        needed.append(_SEGMENT)
    table = read_columns(wanted.table, columns, needed)
    scores = {name: chances_of(model, table) for name, model in models.items()}
    items = table_items(point, table, scores)
    return items, outcomes_of(point, items, table[_LABEL], table.get(_SEGMENT))


def _model(text: str) -> tuple[str, Model]:
    """Return the name of a score and the model that gives it, of ``FILE`` or ``NAME=FILE``."""
    name, _, file = text.rpartition("=")
    stored = Path(file).read_bytes()
    model = Model.from_bytes(stored, expected_hash=identity_of(stored))
    return name or model.name, model

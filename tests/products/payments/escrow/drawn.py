"""The escrow's tables as Markdown, as docs/escrow.md holds them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from formicary.products.payments.escrow.table import DURATIONS, PAID, TABLE, Money, Rule, Timing
from formicary.products.payments.terms import DAY, HOUR

__all__ = ["PAGE", "drawn_durations", "drawn_paid", "drawn_rules"]

PAGE = Path(__file__).parents[4] / "docs" / "escrow.md"


def drawn_rules() -> str:
    """Return the table of rules."""
    heads = ("trade", "refund", "command or timer", "who", "only where", "then trade", "then refund")
    return _table((*heads, "timer", "money", "event"), map(_row, TABLE))


def drawn_paid() -> str:
    """Return the table of what paying a refund leads to."""
    rows = ((f"`{paid.trade.name}`", paid.size.value, f"`{paid.to.name}`", paid.money.value) for paid in PAID)
    return _table(("trade", "the refund is", "then trade", "money"), rows)


def drawn_durations() -> str:
    """Return the table of timers."""
    rows = ((f"`{timing.name.lower()}`", _duration(length)) for timing, length in DURATIONS.items())
    return _table(("timer", "runs for"), rows)


def _row(rule: Rule) -> tuple[str, ...]:
    move = rule.move
    trade, refund = ("the refund is paid",) * 2 if move.to is None else (_state(state) for state in move.to)
    return (
        f"`{rule.trade.name}`",
        ", ".join(f"`{state.name}`" for state in rule.refunds),
        f"`{move.trigger}`",
        " or ".join(role.name.lower() for role in move.by),
        " or ".join(fact.value for fact in move.when),
        trade,
        refund,
        "" if move.timer == Timing.NONE else f"`{move.timer.name.lower()}`",
        "" if move.money is Money.NONE else move.money.value,
        f"`{move.event.value}`",
    )


def _state(state: object) -> str:
    return "" if state is None else f"`{getattr(state, 'name', state)}`"


def _duration(length: int) -> str:
    return f"{length // DAY} days" if length % DAY == 0 and length > DAY else f"{length // HOUR} hours"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(
        f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |") for cells in lines
    )

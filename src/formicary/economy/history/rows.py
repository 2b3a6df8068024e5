"""Rows of one event: columns of a file as typed columns of transfers or facts, and the rejected rows.

Everything is done on whole columns. A row is rejected for the first thing that is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from formicary.base.currencies import currency
from formicary.economy.history.amounts import currencies, minor_units, parsed_amounts, signed
from formicary.economy.history.columns import key_text, scaled, times
from formicary.economy.history.conditions import matching
from formicary.economy.history.durations import parse_duration
from formicary.economy.history.keys import key_ids, key_numbers
from formicary.economy.history.mapping import Event, Fact, Transfer, names_of
from formicary.economy.history.rejections import REJECTIONS, Marks, Reason
from formicary.economy.history.sides import Parties
from formicary.economy.history.sources import ROW

__all__ = ["EventRows", "columns_of", "read_rows"]

_ID: Final = ["id_high", "id_low"]
_SIZE_MAX: Final = 2.0**63
_SHARED: Final = ["payer_high", "payer_low", "payee_high", "payee_low", "ledger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRows:
    """The rows of an event.

    Attributes
    ----------
    event
        Which event they are of.
    read
        How many rows of the file are of this event, rejected ones included.
    frame
        The good ones: ``row``, ``id_high``, ``id_low``, ``number``, ``at`` and ``known`` in nanoseconds;
        of transfers ``payer_`` and ``payee_`` ``high``, ``low`` and ``kind``, ``ledger``, ``amount``; of
        facts ``id.``, ``number.`` and ``real.`` with the names of the mapping.
    rejected
        The others, of ``REJECTIONS``.
    """

    event: Event
    read: int
    frame: pl.DataFrame
    rejected: pl.DataFrame


def columns_of(event: Event) -> list[str]:
    """Return the columns of its file that an event needs; some may be named twice."""
    return [name for name in _columns_of(event) if name is not None]


def _columns_of(event: Event) -> Iterator[str | None]:
    yield from names_of(event.key)
    yield event.at.column
    yield from (where.column for where in event.where)
    if event.transfer is not None:
        yield event.transfer.currency_column
        yield event.transfer.amount.column
        yield event.transfer.amount.times
        for side in (event.transfer.payer, event.transfer.payee):
            yield from names_of(side.key)
    if event.fact is not None:
        for reference in event.fact.ids.values():
            yield from names_of(reference.key)
        yield from event.fact.numbers.values()
        yield from event.fact.amounts.values()
        yield from event.fact.reals.values()


def read_rows(event: Event, batches: Iterable[pl.DataFrame], *, parties: Parties, now: int) -> EventRows:
    """Read the rows of an event.

    Parameters
    ----------
    event
        What the rows are.
    batches
        The file's rows with their numbers, as ``sources.Table`` gives them.
    parties
        Who there is.
    now
        Nothing happened after it, in nanoseconds.
    """
    reader = _Reader(event, parties, now)
    read = [reader.read(matching(batch, event.where)) for batch in batches]
    frames, rejected = [frame for frame, _ in read], [wrong for _, wrong in read]
    count = sum(map(len, frames)) + sum(map(len, rejected))
    frame = pl.concat(frames) if frames else pl.DataFrame()
    if len(frame):
        frame, more = (reader.add_up if event.lines else reader.first_of_each)(frame)
        rejected.append(more)
    return EventRows(
        event=event, read=count, frame=frame, rejected=pl.concat([REJECTIONS.to_frame(), *rejected])
    )


class _Reader:
    """Reads batches of one event's rows, then looks at all of them together."""

    def __init__(self, event: Event, parties: Parties, now: int) -> None:
        self._event = event
        self._parties = parties
        self._now = now
        self._key_name = "+".join(names_of(event.key))
        self._bad: list[pl.DataFrame] = []

    def read(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the good rows of a batch, and the rejected ones."""
        event, marks = self._event, Marks(len(frame))
        keys = key_text(frame, names_of(event.key))
        marks.mark(keys.is_null(), self._key_name, Reason.MISSING_VALUE)
        keys = keys.fill_null("")
        high, low = key_ids(self._parties.mapping.source, "event", event.kind, keys)
        numbers = key_numbers(keys, low)
        columns = [
            frame[ROW].alias("row"),
            *(pl.Series(name, words) for name, words in zip(_ID, (high, low), strict=True)),
            pl.Series("number", numbers),
            *self._times(frame, marks),
        ]
        if event.transfer is not None:
            columns += self._transfers(frame, event.transfer, marks)
        elif event.fact is not None:
            columns += self._facts(frame, event.fact, marks)
        rows = pl.DataFrame(columns)
        if event.lines:
            self._bad.append(rows.select(_ID).filter(~marks.good))
        return rows.filter(marks.good), self._rejected(marks, frame[ROW])

    def _times(self, frame: pl.DataFrame, marks: Marks) -> list[pl.Series]:
        at, fact = self._event.at, self._event.fact
        column = at.column or ""
        if at.column is not None:
            marks.mark(key_text(frame, [at.column]).is_null(), column, Reason.MISSING_VALUE)
        found = times(frame[at.column] if at.column is not None else None, at, len(frame))
        marks.mark(found.is_null(), column, Reason.UNPARSABLE_TIME)
        marks.mark(found <= 0, column, Reason.BEFORE_1970)
        marks.mark(found > self._now, column, Reason.IN_THE_FUTURE)
        after = (parse_duration(fact.known_after) or 0) if fact and fact.known_after else 0
        # Compared without adding: a time in the future is near the end of 64 bits.
        marks.mark(found > self._now - after, column, Reason.NOT_KNOWN_YET)
        return [found.alias("at"), (found.clip(0, self._now) + after).alias("known")]

    def _transfers(self, frame: pl.DataFrame, transfer: Transfer, marks: Marks) -> list[pl.Series]:
        mapping = self._parties.mapping
        payer = self._parties.side(frame, "payer", transfer.payer, marks)
        payee = self._parties.side(frame, "payee", transfer.payee, marks)
        same = (payer[0] == payee[0]) & (payer[1] == payee[1])
        marks.mark(same, "+".join(names_of(transfer.payee.key)), Reason.PAYER_IS_PAYEE)
        given = currency(mapping.currency) if mapping.currency else None
        ledgers = currencies(frame, transfer.currency_column, given, marks)
        amounts = parsed_amounts(frame, transfer.amount, ledgers, marks)
        return [*payer, *payee, ledgers.alias("ledger"), amounts.alias("amount")]

    def _facts(self, frame: pl.DataFrame, fact: Fact, marks: Marks) -> list[pl.Series]:
        columns: list[pl.Series] = []
        for name, reference in fact.ids.items():
            columns += self._parties.reference(frame, f"id.{name}", reference, marks)
        for name, column in fact.numbers.items():
            columns.append(_whole(frame, column, marks, decimals=0).alias(f"number.{name}"))
        if fact.amounts:
            exponent = currency(self._parties.mapping.currency or "").exponent
            for name, column in fact.amounts.items():
                columns.append(_whole(frame, column, marks, decimals=exponent).alias(f"number.{name}"))
        for name, column in fact.reals.items():
            text = key_text(frame, [column])
            real = frame[column].cast(pl.Float64, strict=False)
            marks.mark(text.is_null(), column, Reason.MISSING_VALUE)
            marks.mark(~real.is_finite().fill_null(value=False), column, Reason.NOT_A_NUMBER)
            columns.append(real.alias(f"real.{name}"))
        return columns

    def first_of_each(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Keep the first row of each key; return the good rows, and the rejected ones."""
        marks = Marks(len(frame))
        is_first = frame.select(pl.struct(_ID).is_first_distinct()).to_series()
        marks.mark(~is_first, self._key_name, Reason.DUPLICATE_KEY)
        finished = self._finished(frame, marks)
        return finished.filter(marks.good), self._rejected(marks, frame["row"])

    def add_up(self, lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Make one transfer of all lines of a key, at the time of its first; all lines are good, or none."""
        marks = Marks(len(lines))
        for bad in self._bad:
            marks.mark(_is_in(lines, bad), self._key_name, Reason.LINE_REJECTED)
        over = lines.select(
            differs=(pl.struct(_SHARED).n_unique() > 1).over(_ID),
            size=pl.col("amount").cast(pl.Float64).abs().sum().over(_ID),
        )
        marks.mark(over["differs"], self._key_name, Reason.LINES_DIFFER)
        marks.mark(over["size"] >= _SIZE_MAX, self._key_name, Reason.NUMBER_TOO_LARGE)
        sums = (
            lines.filter(marks.good)
            .sort("at", "row")
            .group_by(_ID, maintain_order=True)
            .agg(pl.exclude("amount").first(), pl.col("amount").sum())
            .select(lines.columns)
        )
        of_sums = Marks(len(sums))
        finished = self._finished(sums, of_sums)
        for mask, column, reason in of_sums.wrong():
            marks.mark(_is_in(lines, sums.filter(mask)), column, reason)
        return finished.filter(of_sums.good), self._rejected(marks, lines["row"])

    def _rejected(self, marks: Marks, row: pl.Series) -> pl.DataFrame:
        return marks.rejected(self._event.kind, self._event.file, row)

    def _finished(self, frame: pl.DataFrame, marks: Marks) -> pl.DataFrame:
        transfer = self._event.transfer
        if transfer is None:
            return frame
        amounts = minor_units(frame["amount"], transfer.amount, frame["ledger"], marks)
        return signed(frame.with_columns(amounts.alias("amount")), transfer.amount, marks)


def _whole(frame: pl.DataFrame, column: str, marks: Marks, *, decimals: int) -> pl.Series:
    """Return a column of the facts of a frame (n) in units of so many decimals."""
    read = scaled(frame[column], decimals)
    inexact = Reason.TOO_MANY_DECIMALS if decimals else Reason.NOT_A_NUMBER
    marks.mark(key_text(frame, [column]).is_null(), column, Reason.MISSING_VALUE)
    marks.mark(read.not_numbers, column, Reason.NOT_A_NUMBER)
    marks.mark(read.too_many_decimals, column, inexact)
    marks.mark(read.too_large, column, Reason.NUMBER_TOO_LARGE)
    return read.values


def _is_in(frame: pl.DataFrame, ids: pl.DataFrame) -> pl.Series:
    flagged = ids.select(_ID).unique().with_columns(found=pl.lit(value=True))
    return frame.join(flagged, on=_ID, how="left", maintain_order="left")["found"].fill_null(value=False)

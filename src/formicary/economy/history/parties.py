"""Parties of a history: those that files declare, and those that rows refer to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import polars as pl

from formicary.economy.history.columns import key_text
from formicary.economy.history.keys import key_ids
from formicary.economy.history.mapping import Mapping, Party, names_of
from formicary.economy.history.rejections import Marks, Reason
from formicary.economy.history.rows import EventRows
from formicary.economy.history.sides import SideKind
from formicary.economy.history.sources import ROW
from formicary.factory.engine.requests import CommandRequest, command_request
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind, RegisterParty

__all__ = ["PRINCIPAL", "declared_keys", "registrations"]

PRINCIPAL: Final = "import"
"""Who asks for what a history brings."""


def declared_keys(
    name: str, party: Party, batches: Iterable[pl.DataFrame]
) -> tuple[pl.Series | None, list[pl.DataFrame]]:
    """Return the keys (n) that a party's file declares, None without a file, and the rejected rows.

    A key that stands there twice is no fault: a file of something else may declare parties as well.
    """
    if party.file is None:
        return None, []
    columns, found, rejected = names_of(party.key), [pl.Series(dtype=pl.String)], []
    for batch in batches:
        marks, keys = Marks(len(batch)), key_text(batch, columns)
        marks.mark(keys.is_null(), "+".join(columns), Reason.MISSING_VALUE)
        rejected.append(marks.rejected(name, party.file, batch[ROW]))
        found.append(keys.filter(marks.good).unique(maintain_order=True))
    return pl.concat(found).unique(maintain_order=True), rejected


def registrations(
    mapping: Mapping, read: Sequence[EventRows], declared: dict[str, pl.Series | None]
) -> list[CommandRequest]:
    """Return one registration for each party, those of files first."""
    found = [*_declared(mapping, declared), *(one for rows in read for one in _referred(mapping, rows))]
    if not found:
        return []
    parties = pl.concat(found).filter(pl.col("kind") > 0).unique(["high", "low"], maintain_order=True)
    ids = zip(*(parties[name].to_list() for name in ("high", "low", "kind")), strict=True)
    return [_registration(mapping.source, high << 64 | low, kind) for high, low, kind in ids]


def _registration(source: str, party: int, kind: int) -> CommandRequest:
    command = RegisterParty(subject=party, kind=PartyKind[SideKind(kind).name])
    return command_request(
        PARTY_PRODUCT.name, command, principal=PRINCIPAL, key=f"{source}:party:{party:032x}"
    )


def _declared(mapping: Mapping, declared: dict[str, pl.Series | None]) -> Iterator[pl.DataFrame]:
    for name, keys in declared.items():
        if keys is not None and len(keys):
            high, low = key_ids(mapping.source, "party", name, keys)
            yield _kinded(pl.DataFrame({"high": high, "low": low}), mapping.parties[name])


def _referred(mapping: Mapping, rows: EventRows) -> Iterator[pl.DataFrame]:
    if not len(rows.frame):
        return
    if rows.event.transfer is not None:
        for side in ("payer", "payee"):
            yield rows.frame.select(
                pl.col(f"{side}_{part}").alias(part) for part in ("high", "low", "kind")
            ).unique(maintain_order=True)
    for name, reference in (rows.event.fact.ids if rows.event.fact else {}).items():
        if reference.party is not None:
            ids = rows.frame.select(pl.col(f"id.{name}_{word}").alias(word) for word in ("high", "low"))
            yield _kinded(ids.unique(maintain_order=True), mapping.parties[reference.party])


def _kinded(ids: pl.DataFrame, party: Party) -> pl.DataFrame:
    return ids.with_columns(kind=pl.lit(int(SideKind[party.kind.upper()]), pl.UInt8))

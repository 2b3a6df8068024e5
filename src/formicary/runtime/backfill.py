"""Features of all of history on this machine: read beside a running engine, which is not disturbed.

What writes Parquet is imported when it is asked for: the engine's process comes from the same command line
and must not carry it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from formicary.base.purposes import Purpose
from formicary.factory.engine.feature_reads import UnknownFeatureSet
from formicary.factory.engine.products import Product
from formicary.factory.engine.state import known_events
from formicary.factory.features.archive_manifest import ArchiveManifest
from formicary.factory.features.compiler import compiled
from formicary.factory.features.sources import RowSource
from formicary.factory.features.training_manifest import TrainingManifest
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.semantics import require_known
from formicary.factory.journal.upcasters import Upcasters
from formicary.factory.ledger import SEMANTICS
from formicary.runtime.database import open_database
from formicary.runtime.products import products_of
from formicary.runtime.settings import Settings

__all__ = ["Wanted", "archive_journal", "backfill", "open_journal", "open_source"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A training set: of which set of features, for what, where to, and of which positions."""

    name: str
    purpose: Purpose
    folder: Path
    first: int = 1
    last: int | None = None


def archive_journal(settings: Settings, folder: Path, progress: Progress) -> ArchiveManifest:
    """Archive in a folder what the journal has beyond it.

    Raises
    ------
    ArchiveCorrupted
        The folder holds a damaged archive, or another journal's.
    """
    from formicary.factory.features.archive import Archive  # noqa: PLC0415, see above

    # As it is stored: whoever reads the archive brings events up to the form of its own release.
    with open_journal(settings, None) as reader:
        return Archive(folder).extend(reader, progress=progress)


def backfill(
    settings: Settings,
    wanted: Wanted,
    archive: Path | None,
    progress: Progress,
    *,
    products: Sequence[Product] | None = None,
) -> TrainingManifest:
    """Write a training set, from the journal or from an archive of it.

    Raises
    ------
    UnknownFeatureSet
        No product has a set of this name.
    """
    from formicary.factory.features.training import write_training_set  # noqa: PLC0415, see above

    # All sets together, as the engine compiles them: what a row tells does not depend on who asks.
    products = products_of(settings) if products is None else products
    sets = tuple(one for product in products for one in product.features)
    if wanted.name not in {one.name for one in sets}:
        message = (
            f"no product has features called {wanted.name!r}, only {', '.join(one.name for one in sets)}"
        )
        raise UnknownFeatureSet(message)
    with open_source(settings, archive, known_events(products)) as source:
        return write_training_set(
            source,
            compiled(sets),
            wanted.name,
            wanted.purpose,
            wanted.folder,
            first=wanted.first,
            last=wanted.last,
            progress=progress,
        )


@contextmanager
def open_source(settings: Settings, archive: Path | None, known: Upcasters) -> Iterator[RowSource]:
    """Yield the journal's rows, or those of an archive of it."""
    if archive is None:
        with open_journal(settings, known) as reader:
            yield reader
    else:
        from formicary.factory.features.archive import Archive  # noqa: PLC0415, see above

        yield Archive(archive, upcasters=known)


@contextmanager
def open_journal(settings: Settings, known: Upcasters | None) -> Iterator[JournalReader]:
    """Yield a reader of the journal, beside whoever writes it; without known events they come as stored.

    Raises
    ------
    JournalTooNew
        A later release wrote it.
    """
    with open_database(settings) as access:
        reader = JournalReader(access, upcasters=known)
        try:
            require_known(reader.eras(), semantics=SEMANTICS)
            yield reader
        finally:
            reader.close()

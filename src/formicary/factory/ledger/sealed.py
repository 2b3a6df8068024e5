"""The ids of generations that left memory."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from formicary.factory.ledger._layout import Generation, Records
from formicary.factory.ledger._sealed import SEALED_KEY, count_keys, find_sealed, seal

__all__ = ["SealedGenerations"]


class SealedGenerations:
    """Sealed generations, oldest first: two bytes an id in memory, forty in a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs: list[tuple[Records, Records]] = []
        self._worker = ThreadPoolExecutor(1, "seal")
        self._prepared: dict[str, Future[tuple[Records, Records]]] = {}
        self.files: list[Path] = []

    def __len__(self) -> int:
        return len(self._runs)

    @property
    def bytes_in_memory(self) -> int:
        """The size of all filters, and of what is sealed and not in its file yet, in bytes."""
        sealed = [sealing.result() for sealing in self._prepared.values() if sealing.done()]
        return sum(array.nbytes for arrays in sealed for array in arrays) + self.filter_bytes

    @property
    def filter_bytes(self) -> int:
        """The size of all filters, in bytes."""
        return sum(words.nbytes for words, _ in self._runs)

    def prepare(self, generation: Generation, count: int) -> None:
        """Begin to seal the first ``count`` rows of a generation, which stay as they are, in another thread.

        For a million rows that takes a fifth of a second, in which its owner need not stand still.
        """
        self._prepared[_name_of(generation, count)] = self._worker.submit(_sealed, generation, count)

    def add(self, generation: Generation, count: int) -> None:
        """Seal the first ``count`` rows of a generation, or take up what ``prepare`` made of them."""
        name = _name_of(generation, count)
        if name not in self._prepared:
            self.prepare(generation, count)
        words, table = self._prepared.pop(name).result()
        # Whoever seals the same rows writes the same file; others may read it meanwhile, so it is whole
        # from its first moment, and an older one under this name stays as it is for those who have it open.
        path = self._folder.joinpath(name)
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            file.write(words.size.to_bytes(8, "little"))
            words.tofile(file)
            table.tofile(file)
        unfinished.replace(path)
        self.load(path)

    def load(self, path: Path) -> None:
        """Take in a generation that was sealed before."""
        with path.open("rb") as file:
            words = np.fromfile(file, np.uint64, int.from_bytes(file.read(8), "little"))
        # Copy-on-write: kernels are compiled for writable arrays.
        table = np.memmap(path, SEALED_KEY, mode="c", offset=8 + words.nbytes)
        self._runs.append((words, np.asarray(table)))
        self.files.append(path)

    def positions(self, items: Records) -> Records:
        """Return the positions, sorted, of the sealed rows that deciding ``items`` (n,) needs."""
        found = np.empty(3 * len(items), np.int64)
        positions = [found[:0]]
        for words, keys in self._runs:
            count = find_sealed(words, keys, items, found)
            if count:
                positions.append(found[:count].copy())
        return np.unique(np.concatenate(positions)) if len(positions) > 1 else found[:0]


def _name_of(generation: Generation, count: int) -> str:
    first, last = generation.rows[[0, count - 1]]["position"].tolist()
    return f"ids-{first:020d}-{last:020d}"


def _sealed(generation: Generation, count: int) -> tuple[Records, Records]:
    """Return the filter's words and the table of keys of the first ``count`` rows of a generation."""
    keys = count_keys(generation, count)
    words = np.zeros(max(keys // 4, 1), np.uint64)
    table = np.zeros(keys + keys // 4 + 1, SEALED_KEY)
    seal(generation, count, words, table)
    return words, table

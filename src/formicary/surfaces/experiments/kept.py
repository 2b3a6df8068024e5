"""Where what came of experiments is kept: by name the latest document and page, in files of a folder.

Whoever looks at experiments writes them, beside everything that has to answer soon; the API's workers read
them. All of it can be found anew from the journal, so a folder that is lost is written again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from formicary.base.times import time_text
from formicary.factory.experiments.reading import Experiment
from formicary.surfaces.experiments.documents import results_document

if TYPE_CHECKING:
    from formicary.factory.experiments.analysis import Results

__all__ = ["KeptResults"]


class KeptResults:
    """The files.

    Parameters
    ----------
    folder
        Where they are; it is made when it is first needed, closed to others.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, experiment: Experiment, found: Results, *, until: int) -> None:
        """Keep what came of an experiment, as it was looked at at a time in nanoseconds since 1970."""
        # What draws pages takes a while to load, and whoever only reads does without.
        from formicary.surfaces.experiments.page import result_page  # noqa: PLC0415

        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        told = {
            "experiment": experiment.name,
            "status": experiment.status.name.lower(),
            "looked_at": time_text(until),
        }
        self._write(f"{experiment.name}.html", result_page(experiment, found, until=until).encode())
        self._write(f"{experiment.name}.json", msgspec.json.encode(told | results_document(found)))

    def document(self, name: str) -> bytes | None:
        """Return the JSON of an experiment that there is, or None where nothing is kept of it."""
        return self._read(f"{name}.json")

    def page(self, name: str) -> bytes | None:
        """Return the page of an experiment that there is, as above."""
        return self._read(f"{name}.html")

    def _read(self, file: str) -> bytes | None:
        try:
            return (self._folder / file).read_bytes()
        except FileNotFoundError:
            return None

    def _write(self, file: str, content: bytes) -> None:
        """Replace a file as a whole, so that a reader sees what was there before or what is there now."""
        new = self._folder / f"{file}.{os.getpid()}"
        new.touch(0o600)
        new.write_bytes(content)
        new.replace(self._folder / file)

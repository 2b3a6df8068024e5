"""Where the portfolio is kept: the latest document and page, in files of a folder.

Whoever closes business dates writes them, beside everything that has to answer soon; the API's workers read
them. All of it can be found anew from the journal, so a folder that is lost is written again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from formicary.products.lending.portfolio.report import Portfolio

__all__ = ["KeptPortfolio"]

_DOCUMENT = "portfolio.json"
_PAGE = "portfolio.html"


class KeptPortfolio:
    """The files.

    Parameters
    ----------
    folder
        Where they are; it is made when it is first needed, closed to others.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, portfolio: Portfolio) -> None:
        """Keep a portfolio in place of the one before."""
        # What draws pages takes a while to load, and whoever only reads does without.
        from formicary.surfaces.lending.page import portfolio_page  # noqa: PLC0415

        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._write(_PAGE, portfolio_page(portfolio).encode())
        self._write(_DOCUMENT, msgspec.json.encode(portfolio))

    def document(self) -> bytes | None:
        """Return the JSON of the portfolio, or None where none is kept."""
        return self._read(_DOCUMENT)

    def page(self) -> bytes | None:
        """Return the page of the portfolio, as above."""
        return self._read(_PAGE)

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

"""What a program in memory knows of lending."""

from __future__ import annotations

from dataclasses import dataclass, field

from formicary.products.lending.portfolio.report import Portfolio

__all__ = ["Lent"]


@dataclass
class Lent:
    """What became of what was lent, as a test put it here."""

    lent: Portfolio = field(default_factory=lambda: Portfolio(as_of=None, currencies=()))

    def portfolio(self) -> Portfolio:
        """Return it."""
        return self.lent

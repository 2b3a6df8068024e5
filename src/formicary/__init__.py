"""An AI factory for financial services: one journal, one ledger, one engine, thin products.

The layout is the map; an import may only point to the right::

    runtime -> surfaces -> economy -> products -> factory -> base
"""

from __future__ import annotations

from typing import Final

__all__ = ["__version__"]

__version__: Final = "0.1.0"

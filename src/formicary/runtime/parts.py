"""Runs that are done part by part: each command does the next part, and what was done is not done again."""

from __future__ import annotations

import os
from typing import Final, Protocol

from formicary.factory.engine.products import Command
from formicary.factory.engine.state import Receipt

__all__ = ["Commanded", "next_part"]

_KEY_BYTES: Final = 16


class Commanded(Protocol):
    """Whoever decides; ``EngineClient`` is one."""

    def command(self, product: str, command: Command, *, principal: str, key: str) -> Receipt:
        """Send a product's command; the same key gets the same receipt again."""


def next_part(engine: Commanded, product: str, command: Command) -> Receipt:
    """Have a product do the next part of a run.

    A part that was done is not done again, whatever it was asked by: a key need not be known again.
    """
    return engine.command(product, command, principal=product, key=os.urandom(_KEY_BYTES).hex())

"""The command line: ``formicary``."""

from __future__ import annotations

from formicary.surfaces.cli.app import run

__all__ = ["run"]

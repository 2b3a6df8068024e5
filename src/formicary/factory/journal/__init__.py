"""The journal: one totally ordered log in PostgreSQL, and the only package that talks to the driver."""

from __future__ import annotations

"""Under the supervisor: PostgreSQL's programs, its user, its data folder, its process, its roles."""

from __future__ import annotations

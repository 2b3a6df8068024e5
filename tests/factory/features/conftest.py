"""Training sets are also made from a real PostgreSQL."""

from tests.fixtures_postgres import access, postgres, postgres_source, small_segments

__all__ = ["access", "postgres", "postgres_source", "small_segments"]

"""Windowed and joined features by polars, DuckDB and Feast, on one stream of events in one run."""

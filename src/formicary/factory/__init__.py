"""The machine that every product stands on: exactly one of each."""

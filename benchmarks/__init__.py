"""Commands that print a table, peers in the same run."""

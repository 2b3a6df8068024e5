"""Features: defined once, the same online, replayed and in training."""

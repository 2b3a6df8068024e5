"""Labs of the learning loop: saboteurs, an attack of a new kind, and what selection does to a refit."""

"""Proofs: programs that try to break the guarantees, and show that they would notice."""

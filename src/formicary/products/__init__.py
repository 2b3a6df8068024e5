"""The products: each a manifest and its deciders; they never import each other."""

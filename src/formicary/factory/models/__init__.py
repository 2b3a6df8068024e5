"""Models: what is predicted is declared, trained on what was known then, and scored by one kernel."""

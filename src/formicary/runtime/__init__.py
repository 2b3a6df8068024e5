"""The only composition root: settings, processes, wiring."""

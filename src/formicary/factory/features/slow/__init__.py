"""Slow features: what a daily job computes from the transfers, devices and labels known by a day's end."""

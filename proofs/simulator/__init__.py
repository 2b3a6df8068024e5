"""A deterministic simulation of engines, their journal and their callers, from one seed.

The engine, its core, its state and the ledger's kernels are the real ones; the journal is a model in
memory that fails as databases do (``journal``), callers retry as callers do (``callers``), and the
dice (``dice``) decide who does what next (``schedule``). What must hold is checked after every step:
by an auditor that follows the journal (``auditor``), by an independent model that decides the same
(``model``), by what callers were told (``callers``), and once more at the end (``aftermath``).
"""

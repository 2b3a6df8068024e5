"""The live decision on credit: an application in, an offer or true reasons out, with no person in the path.

::

    consent ─▶ features as known now ─▶ champion ─▶ limit and price ─▶ what own funds and cash allow ─▶ offer
    the house's policy ──────────────────────────────┘    the book ────────┘            reasons, notice ─┘
"""

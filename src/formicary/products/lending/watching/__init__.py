"""Early warning as it runs: once a week the sales of whoever has a line, beside their own past.

::

    lines ─▶ borrowers ─▶ sales of the week ─▶ ring of weeks ─▶ evidence of a fall ─▶ limits of undrawn lines
"""

"""Underwriting: whom to lend how much, at what price and why not, and what is put aside for it.

Pure functions over columns; the product's decider calls them::

    chances ─▶ limit and affordability ─▶ price ─▶ what own funds and cash allow ─▶ offers with reasons
                                                                                 ─▶ notices
    sales of weeks ─▶ early warning ─▶ undrawn lines cut        loans of a day ─▶ stages, allowances
"""

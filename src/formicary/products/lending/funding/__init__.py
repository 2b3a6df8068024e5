"""What a house lends from: own funds, borrowed money and what it costs, and the cash that is left.

Whoever provides the money tells of it here; what became of it stands on the ledger.
"""

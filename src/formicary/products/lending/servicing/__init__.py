"""Loans on the ledger: accepted, drawn, accrued day by day, collected, paid back or written off."""

"""Lending: offers, lines and instalment loans on the ledger, underwriting, and the book as a whole."""

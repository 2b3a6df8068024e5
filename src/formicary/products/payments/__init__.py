"""Payments: wallets, payments between parties, escrow, and the rail to a bank."""

from formicary.products.payments.product import PAYMENTS

__all__ = ["PAYMENTS"]

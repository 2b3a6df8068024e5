"""The credit score: what a party's own history says of it, told to others with its word only."""

from formicary.products.credit.product import CREDIT

__all__ = ["CREDIT"]

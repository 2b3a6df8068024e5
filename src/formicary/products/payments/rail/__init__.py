"""The rail: money that comes from a bank or goes to one, over clearing accounts."""

from formicary.products.payments.rail.schemas import (
    RAIL_ORDER,
    ConfirmOrder,
    Direction,
    FailOrder,
    FailureReason,
    OrderState,
    RequestCashOut,
    RequestTopUp,
    ReturnOrder,
    SettleOrder,
)

__all__ = [
    "RAIL_ORDER",
    "ConfirmOrder",
    "Direction",
    "FailOrder",
    "FailureReason",
    "OrderState",
    "RequestCashOut",
    "RequestTopUp",
    "ReturnOrder",
    "SettleOrder",
]

"""Double-entry accounting as a deterministic state machine: accounts, transfers, holds.

``Ledger`` is the whole of it in memory; ``LedgerMachine`` is what the engine drives. The semantics
are in ``docs/ledger.md``.
"""

from formicary.factory.ledger._layout import SEMANTICS
from formicary.factory.ledger.filters import AccountFilter, QueryFilter
from formicary.factory.ledger.groups import (
    Group,
    MalformedRequest,
    RequestTooLarge,
    check_request,
    group_requests,
    refusal_of,
)
from formicary.factory.ledger.ledger import Ledger
from formicary.factory.ledger.machine import LedgerMachine
from formicary.factory.ledger.records import (
    ACCOUNT,
    ACCOUNT_RESULT,
    AMOUNT_MAX,
    ID_MAX,
    TRANSFER,
    TRANSFER_RESULT,
    Account,
    Transfer,
    account_array,
    id_column,
    transfer_array,
)
from formicary.factory.ledger.statuses import (
    TRANSIENT,
    AccountFlags,
    CreateAccountStatus,
    CreateTransferStatus,
    TransferFlags,
)
from formicary.factory.ledger.views import ACCOUNT_BALANCE

__all__ = [
    "ACCOUNT",
    "ACCOUNT_BALANCE",
    "ACCOUNT_RESULT",
    "AMOUNT_MAX",
    "ID_MAX",
    "SEMANTICS",
    "TRANSFER",
    "TRANSFER_RESULT",
    "TRANSIENT",
    "Account",
    "AccountFilter",
    "AccountFlags",
    "CreateAccountStatus",
    "CreateTransferStatus",
    "Group",
    "Ledger",
    "LedgerMachine",
    "MalformedRequest",
    "QueryFilter",
    "RequestTooLarge",
    "Transfer",
    "TransferFlags",
    "account_array",
    "check_request",
    "group_requests",
    "id_column",
    "refusal_of",
    "transfer_array",
]

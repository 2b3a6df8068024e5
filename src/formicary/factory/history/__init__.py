"""What was: balances as of a time, pages of entries, transfers by id or by filter.

Read from the journal, with the tail from the ledger's memory; the answers are those of ``Ledger``.
"""

from formicary.factory.history.chain import QueryTooBroad
from formicary.factory.history.entry_index import EntryIndex, EntryIndexReader
from formicary.factory.history.history import History, IndexBehind
from formicary.factory.history.looks import Look
from formicary.factory.history.pages import all_account_transfers
from formicary.factory.history.warm_up import load_kernels

__all__ = [
    "EntryIndex",
    "EntryIndexReader",
    "History",
    "IndexBehind",
    "Look",
    "QueryTooBroad",
    "all_account_transfers",
    "load_kernels",
]

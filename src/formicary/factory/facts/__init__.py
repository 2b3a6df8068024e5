"""Facts: what happened outside the ledger, or was found out about it later, told to the journal in columns.

Labels, log-ins, disputes and slow features come this way; whoever folds the journal reads them with
``formicary.factory.journal.fact_columns``.
"""

from formicary.factory.facts.messages import FactInTheFuture, FactsRecorded, MalformedFact, RecordFacts
from formicary.factory.facts.product import FACTS, FACTS_PRODUCT

__all__ = [
    "FACTS",
    "FACTS_PRODUCT",
    "FactInTheFuture",
    "FactsRecorded",
    "MalformedFact",
    "RecordFacts",
]

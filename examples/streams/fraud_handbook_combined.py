"""The *Fraud Detection Handbook*'s card payments, learnt from by two kinds of labels.

The stream is that of ``fraud_handbook``. Its plan names what people find at night as a label that comes fast,
beside the true one that is seven days late; a model of each is learnt, and their scores are one.

``formicary learn replay fraud_handbook_combined`` lives through it; what comes of one kind of labels, and of
other ways to keep a model up to date, prints ``formicary learn replay fraud_handbook``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from examples.streams.fraud_handbook import CardStream, payments_of

__all__ = ["CombinedCardStream", "open_stream"]


class CombinedCardStream(CardStream):
    """The stream with a fast label in its plan."""

    plan = replace(CardStream.plan, fast=replace(CardStream.spec, name="card_fraud_alerts"))

    @property
    def rivals(self) -> tuple[()]:
        """Nobody: they do not depend on the plan."""
        return ()


def open_stream(data_sets: Path) -> CombinedCardStream:
    """Return the stream of the data set in a folder of data sets."""
    return CombinedCardStream(payments_of(data_sets))

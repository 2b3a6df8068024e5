"""A shop in which a model decides about payments for some days, the last ones about larger sums."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Final

from formicary.factory.facts import RecordFacts
from formicary.factory.models.questions import Label
from tests.factory.decisions.desk import START, made_model, rules_of
from tests.factory.decisions.shop import Shop

__all__ = ["DAY", "DAYS", "FIRST_DAY", "LABEL", "shop_of_days"]

DAY: Final = 86_400 * 10**9
DAYS: Final = 9
FIRST_DAY: Final = START // DAY + 1
LABEL: Final = Label(fact="outcome", event="payment", positive=(("bad", 1),), horizon="2d")


@functools.cache
def shop_of_days() -> Shop:
    """Return a shop after nine days of eighty payments; from the seventh on sums are ten times as large.

    Of a payment in ten it is told a day later that it was bad. One is decided about before any model.
    """
    shop = Shop(Path(tempfile.gettempdir()))
    shop.arms(1, rules_of(1, {"when": "amount > 900"}), scores={})
    shop.pays(5)
    shop.promotes(made_model(1))
    scores = {"risk": {"model": "risk_model"}, "rival": {"model": "another", "alias": "shadow"}}
    shop.arms(2, rules_of(2, {"when": "amount > 900"}), scores=scores, trusted="amount < 30")
    told = list[int]()
    for day in range(DAYS):
        shop.clock.set((FIRST_DAY + day) * DAY)
        for payment in told:
            _tells(shop, payment)
        told.clear()
        for place in range(80):
            size = (1 + (40 + place * 37) % 80) * (10 if day >= 6 else 1)
            asked = shop.transfer(100 + place % 5, 105, size)
            shop.asks(asked)
            if place % 10 == 0:
                told.append(asked.id)
    return shop


def _tells(shop: Shop, payment: int) -> None:
    command = RecordFacts(
        subject=2**99,
        kind="outcome",
        at=[shop.clock.now() - 1],
        ids={"payment": [f"{payment:032x}"]},
        numbers={"bad": [1]},
    )
    shop.does("facts", command)

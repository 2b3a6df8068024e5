"""Invented payments by card between parties, some by thieves, for whoever checks payments.

Customers have shops of their own, a usual amount and hours at which they are awake. Now and then they buy
elsewhere, or much at once, or pay each other. A thief has a card for less than an hour: a few payments at
any shops, small ones too, many of them large for this customer. So no single sign tells all thefts, and each
sign is also seen where there was none.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final, TypeAlias

import polars as pl

__all__ = ["CHECKED_DAYS", "STOLEN_CARDS", "drifting_cards", "stolen_cards"]

STOLEN_CARDS: Final = pl.Schema(
    {
        "number": pl.Int64,
        # Nanoseconds since the Unix epoch, no two alike.
        "at": pl.Int64,
        "customer": pl.Int64,
        # A shop, or another customer.
        "payee": pl.Int64,
        "is_shop": pl.Boolean,
        "cents": pl.Int64,
        "is_theft": pl.Boolean,
        # On one of the last days, when payments are checked.
        "is_checked": pl.Boolean,
    }
)
"""The columns of a frame of such payments, in order of time."""

CHECKED_DAYS: Final = 8

_Payment: TypeAlias = tuple[int, int, int, bool, int]
# The second of the day, the customer, the payee, whether that is a shop, and cents.

_START: Final = 1_546_300_800  # 2019-01-01, in seconds: later than all other payments of the demo
_DAY: Final = 86_400
_SECOND: Final = 1_000_000_000

_USUAL_CENTS: Final = 2_500
_SHOPS: Final = 60
_OWN_SHOPS: Final = 4
_SLEEP: Final = 7 * 3_600
_THEFT_MINUTES_MAX: Final = 50
_VICTIMS: Final = 3


def stolen_cards(*, seed: int, days: int, customers: int) -> pl.DataFrame:
    """Return random payments (n) of ``STOLEN_CARDS`` of so many days; every customer pays every other day.

    A card is stolen on each day; the last ``CHECKED_DAYS`` days have two thefts.
    """
    random = Random(seed)  # noqa: S311, invented payments, not a secret
    people = [_Customer(number, customers, random) for number in range(customers)]
    made = []
    for day in range(days):
        is_checked = day >= days - CHECKED_DAYS
        payers = random.choices(people, k=customers // 2)
        made += [(day, is_checked, *payer.payment(random), False) for payer in payers]
        for _ in range(1 + is_checked):
            made += [(day, is_checked, *one, True) for one in random.choice(people).theft(random)]
    made.sort(key=lambda one: one[0] * _DAY + one[2])
    rows = [
        (number, (_START + day * _DAY + second) * _SECOND + number, *sides, cents, is_theft, checked)
        for number, (day, checked, second, *sides, cents, is_theft) in enumerate(made)
    ]
    return pl.DataFrame(rows, STOLEN_CARDS, orient="row")


def drifting_cards(*, seed: int, days: int, customers: int, turn: int) -> pl.DataFrame:
    """Return random payments (n) of ``STOLEN_CARDS`` of so many days, none of them among the checked.

    Three customers a day lose money: at first by their cards, from the day ``turn`` on by being talked into
    paying a stranger, by day and as much as they would spend anyway.
    """
    random = Random(seed)  # noqa: S311, invented payments, not a secret
    people = [_Customer(number, customers, random) for number in range(customers)]
    made = []
    for day in range(days):
        made += [(day, *payer.payment(random), False) for payer in random.choices(people, k=customers // 2)]
        for victim in random.sample(people, _VICTIMS):
            # Nobody has paid this stranger before, and nobody will.
            stranger = customers + len(made)
            stolen = victim.theft(random) if day < turn else victim.talked_into(stranger, random)
            made += [(day, *one, True) for one in stolen]
    made.sort(key=lambda one: one[0] * _DAY + one[1])
    rows = [
        (number, (_START + day * _DAY + second) * _SECOND + number, *sides, cents, is_theft, False)
        for number, (day, second, *sides, cents, is_theft) in enumerate(made)
    ]
    return pl.DataFrame(rows, STOLEN_CARDS, orient="row")


class _Customer:
    """Somebody with habits."""

    def __init__(self, number: int, customers: int, random: Random) -> None:
        self._number = number
        self._friends = [(number + step) % customers for step in (1, 2)]
        self._usual = _USUAL_CENTS * random.lognormvariate(0.0, 0.5)
        self._shops = random.sample(range(_SHOPS), _OWN_SHOPS)

    def payment(self, random: Random) -> _Payment:
        """Return a payment of the customer's own."""
        second = random.randrange(_SLEEP, _DAY)
        if random.random() < 0.1:  # noqa: PLR2004
            return second, self._number, random.choice(self._friends), False, self._cents(random, 1.0)
        shop = random.choice(self._shops) if random.random() < 0.9 else random.randrange(_SHOPS)  # noqa: PLR2004
        large = random.uniform(2.0, 5.0) if random.random() < 0.04 else 1.0  # noqa: PLR2004
        return second, self._number, shop, True, self._cents(random, large)

    def theft(self, random: Random) -> Iterator[_Payment]:
        """Yield the payments of whoever stole the card."""
        begin = random.randrange(_DAY - 60 * _THEFT_MINUTES_MAX)
        for second in sorted(random.sample(range(60 * _THEFT_MINUTES_MAX), random.randint(2, 5))):
            cents = self._cents(random, random.uniform(0.5, 6.0))
            yield begin + second, self._number, random.randrange(_SHOPS), True, cents

    def talked_into(self, stranger: int, random: Random) -> Iterator[_Payment]:
        """Yield the payments to a stranger, one or two on the same day."""
        for _ in range(random.randint(1, 2)):
            second = random.randrange(_SLEEP, _DAY)
            yield second, self._number, stranger, False, self._cents(random, random.uniform(0.8, 2.5))

    def _cents(self, random: Random, times: float) -> int:
        return 100 + int(self._usual * times * random.lognormvariate(0.0, 0.4))

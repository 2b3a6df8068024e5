"""A desk at which loans are decided about as well, with consent, and where frauds become known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import msgspec

from formicary.base.purposes import Purpose, wording_of
from formicary.factory.decisions.effects import Effect
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.policies import policy_findings
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.products import Command
from formicary.factory.engine.requests import LedgerRequest, command_request
from formicary.factory.engine.state import FactoryState
from formicary.factory.facts import FACTS_PRODUCT, RecordFacts
from formicary.factory.features.aggregates import count, total
from formicary.factory.features.compiler import Compiled, compiled
from formicary.factory.features.definitions import FeatureSet
from formicary.factory.features.kinds import EventKind, Facts, Transfers, amount, number, party
from formicary.factory.identity import IDENTITY
from formicary.factory.identity.consent import ConsentAct, GrantConsent, RevokeConsent
from formicary.factory.identity.party import PartyKind, RegisterParty
from formicary.factory.ledger import Transfer, TransferFlags, transfer_array
from formicary.factory.registry import Alias, ArmPolicy, DisarmPolicy, registry_product
from tests.factory.decisions.desk import (
    FEE,
    PARTIES,
    PAYMENT,
    POINT,
    RISK,
    TILL,
    Desk,
    features_of,
    made_model,
    rules_of,
)

__all__ = ["LOAN", "POINTS", "SETS", "Shop", "features_compiled", "goes_on"]

LOAN: Final = 10
LOAN_TAKEN: Final = EventKind(
    "loan",
    Transfers(codes=(LOAN,)),
    lender=party("debit_party"),
    taker=party("credit_party"),
    amount=amount(),
)
FRAUD: Final = EventKind("fraud", Facts("fraud"), payer=party(), lost=number())

_CREDIT_VALUES: Final[dict[str, Any]] = {
    "sum": LOAN_TAKEN["amount"],
    "loans_30d": count(LOAN_TAKEN, by="taker", over="30d"),
    "paid_7d": total(PAYMENT["amount"], by="payer", of="taker", over="7d"),
    "frauds_7d": count(FRAUD, by="payer", of="taker", over="7d"),
}
CREDIT: Final = FeatureSet(
    name="credit",
    on=LOAN_TAKEN,
    owner="tests",
    features=features_of(_CREDIT_VALUES, Purpose.CREDIT),
)
LENDING: Final = DecisionPoint(
    name="lending",
    on=LOAN_TAKEN,
    outcomes=("allow", "reject"),
    effects=(Effect.ALLOW, Effect.REJECT),
    safe_outcome="reject",
    feature_set=CREDIT,
    purpose=Purpose.CREDIT,
    party="taker",
)
POINTS: Final = {"payment": POINT, "lending": LENDING}
SETS: Final = (RISK, CREDIT)

_REGISTRY: Final = registry_product(
    lambda point, policy, rules: policy_findings(POINTS[point], policy, rules)
)
_PRODUCTS: Final = (
    _REGISTRY,
    replace(TILL, features=SETS, decision_points=tuple(POINTS.values())),
    FACTS_PRODUCT,
    *IDENTITY,
)
_LARGE: Final = 2_500
_HOUR: Final = 3_600 * 10**9


def features_compiled() -> Compiled:
    """Return the sets as the engine compiles them."""
    return compiled(SETS)


class Shop(Desk):
    """A desk with two decision points; ``large`` are payments that may have been held."""

    large: list[int]

    def new_state(self) -> FactoryState:
        """Return the state before the first row."""
        return FactoryState(self.folder, _PRODUCTS)

    def does(self, product: str, command: Command) -> None:
        """Carry out a command of any product."""
        self._commands += 1
        request = command_request(product, command, principal="house", key=f"command {self._commands}")
        assert self.engine.execute([request])[0].code == ""

    def lends_by(self, version: int, *conditions: str) -> None:
        """Arm a policy for loans, which rejects where a condition holds."""
        rules = [
            {"name": f"loan_{place}", "when": one, "outcome": "reject", "reason": "Too much."}
            for place, one in enumerate(conditions)
        ]
        told = {"name": "loans", "version": version, "point": "lending", "rules": rules}
        command = ArmPolicy(
            subject=text_id("lending"),
            point="lending",
            version=version,
            policy=msgspec.json.encode({"name": "loans", "version": version}).decode(),
            rules=msgspec.json.encode(told).decode(),
            reason="Tests.",
        )
        self.does("registry", command)

    def asks_at_once(self, requests: Sequence[Sequence[Transfer]], group: int) -> None:
        """Ask for requests at one moment, in groups: stamps follow one another, wherever a group ends."""
        for first in range(0, len(requests), group):
            told = [transfer_array(request) for request in requests[first : first + group]]
            self.engine.execute([LedgerRequest(one) for one in told])

    def lends_freely(self) -> None:
        """Let nothing decide about loans any more."""
        command = DisarmPolicy(subject=text_id("lending"), point="lending", reason="Tests.")
        self.does("registry", command)

    def agrees(self, party: int, *, to_it: bool) -> None:
        """Let a party agree to credit, or take it back."""
        command: Command = RevokeConsent(subject=party, purpose=Purpose.CREDIT)
        if to_it:
            words = wording_of("Words.")
            command = GrantConsent(
                subject=party, purpose=Purpose.CREDIT, wording=words, act=ConsentAct.WRITTEN
            )
        self.does("consent", command)

    def finds_fraud(self, payer: int, lost: int) -> None:
        """Find out late that a payment was fraud."""
        told: dict[str, Any] = {"ids": {"payer": [f"{payer:032x}"]}, "numbers": {"lost": [lost]}}
        at = self.clock.now() - _HOUR
        self.does("facts", RecordFacts(subject=2**99, kind="fraud", at=[at], **told))


class _Draws:
    """Numbers that follow from a seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn = 0

    def below(self, end: int) -> int:
        """Return the next one, from 0 on."""
        self._drawn += 1
        digest = blake2b(f"{self._seed} {self._drawn}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) % end


def goes_on(folder: Path, *, seed: int, payments: int, group: int = 12) -> Shop:
    """Return a shop after thousands of payments, with all that may happen between them.

    Whatever is asked for follows from the seed alone, and so do the times: ``group``, how many requests are
    decided together, changes nothing but where the journal's commits end.
    """
    shop = Shop(folder)
    shop.large = []
    for member in range(100, 100 + PARTIES):
        shop.does("party", RegisterParty(subject=member, kind=PartyKind.PERSON))
    draws = _Draws(seed)
    shop.promotes(made_model(1))
    _arm(shop, 1)
    for member in (100, 101, 102):
        shop.agrees(member, to_it=True)
    shop.lends_by(1, "sum > 1500", "frauds_7d > 0", "paid_7d > 60000")
    agreed = {100, 101, 102}
    asked = era = 0
    while asked < payments:
        era += 1
        requests = [_request(shop, draws) for _ in range(100)]
        asked += sum(map(len, requests))
        shop.clock.advance(20 * 10**9)
        shop.asks_at_once(requests, group)
        _happens(shop, draws, era, agreed)
    return shop


def _arm(shop: Shop, version: int) -> None:
    rules = (
        {"when": "score.risk > 0.33", "if_unknown": "hold"},
        {"when": "payments_1h > 25 and amount < 150", "outcome": "confirm"},
        {"when": f"amount > {_LARGE + 10 * version}", "outcome": "hold"},
        {"when": "since_pair < 0.01", "outcome": "confirm", "enabled": version % 2 == 0},
    )
    caps = [
        {"name": "rejects", "outcome": "reject", "seconds": 20, "count": 9, "then": "hold"},
        {"name": "held", "outcome": "hold", "seconds": 60, "amount": 30_000, "then": "reject"},
    ]
    shop.arms(
        version,
        rules_of(version, *rules),
        scores={"risk": {"model": "risk_model"}, "rival": {"model": "risk_model", "alias": "shadow"}},
        trusted="received_1d > 20000 and amount < 250" if version % 3 else "",
        hold_seconds=45,
        caps=caps[: 1 + version % 2],
        explore={
            "share": 100_000,
            "of": ["hold", "reject"],
            "then": "confirm" if version % 2 else "allow",
            "amount_max": 2_000,
            "count": 3,
            "seconds": 30,
        },
    )


def _request(shop: Shop, draws: _Draws) -> list[Transfer]:
    """Return a request: a payment, one with its fee, some of a chain, a loan, a verdict on what is held."""
    payer, payee = 100 + draws.below(PARTIES), 100 + draws.below(PARTIES)
    payee = payee if payee != payer else 100 + (payee - 99) % PARTIES
    moved, way = 1 + draws.below(3_000), draws.below(20)
    payment = shop.transfer(payer, payee, moved, user_data_64=draws.below(9))
    if way < 9:
        shop.large += [payment.id] if moved > _LARGE else []
        return [payment]
    if way < 13:
        fee = shop.transfer(payer, 1, 1 + moved // 100, code=FEE)
        return [replace(payment, flags=TransferFlags.LINKED), fee]
    if way < 15:
        again = shop.transfer(payer, payee, 1 + draws.below(2_000))
        last = shop.transfer(payee, payer, 1 + draws.below(500))
        linked = [replace(one, flags=TransferFlags.LINKED) for one in (payment, again)]
        return [*linked, last]
    if way < 17:
        return [shop.transfer(1, payee, moved, code=LOAN)]
    if way == 17:
        return [replace(payment, flags=TransferFlags.PENDING, timeout=30)]
    flag = TransferFlags.POST_PENDING_TRANSFER if way == 18 else TransferFlags.VOID_PENDING_TRANSFER
    # Of two that may be held, and of any: most of them are not.
    large = shop.large[-6:] if way == 18 else shop.large[-2:]
    held = large[draws.below(len(large))] if large else payment.id - 1
    return [shop.transfer(0, 0, 0, code=0, ledger=0, flags=flag, pending_id=held)]


def _happens(shop: Shop, draws: _Draws, era: int, agreed: set[int]) -> None:
    """Let something else happen: another policy, another model, consent, a fraud found out."""
    member = 100 + draws.below(PARTIES)
    if era % 3 == 0:
        _arm(shop, era)
    match era % 5:
        case 1:
            shop.promotes(made_model(1 + (era // 5 + 1) % 3))
        case 2:
            shop.promotes(made_model(1 + era // 5 % 3), Alias.SHADOW)
            shop.promotes(made_model(1 + (era // 5 + 2) % 3), Alias.CHALLENGER)
            assert shop.tries_out(500_000) == ""
        case 3:
            shop.agrees(member, to_it=member not in agreed)
            agreed ^= {member}
        case 4:
            shop.finds_fraud(member, draws.below(5_000))
        case _:
            shop.lends_freely()
            shop.lends_by(1 + era, f"sum > {1_000 + 100 * era}", "loans_30d > 20")
    if era % 5 == 0:
        shop.finds_fraud(100, 1)

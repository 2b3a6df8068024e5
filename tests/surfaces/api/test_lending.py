"""Lending over HTTP on a real database: from the offer to what came of a loss, and what the house sees."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from formicary.base.civil import date_text
from formicary.base.purposes import wording_of
from formicary.factory.engine.reads import find_aggregates
from formicary.factory.engine.requests import LedgerRequest, ReadRequest
from formicary.factory.engine.state import known_events
from formicary.factory.journal.reader import JournalReader
from formicary.factory.ledger import Transfer, transfer_array
from formicary.products.lending.portfolio.report import portfolio_of
from formicary.products.lending.servicing.postings import LoanAccount, house_account_id
from formicary.products.lending.servicing.reconciliation import differences
from formicary.products.lending.servicing.terms import day_at
from formicary.runtime.closing import close_dates
from formicary.runtime.health_lending import examine_lending
from formicary.runtime.portfolio import book_in
from formicary.runtime.products import PRODUCTS
from formicary.runtime.settings import Settings
from formicary.surfaces.cli.ports import Outcome
from formicary.surfaces.lending.kept import KeptPortfolio
from proofs.api.lending_house import FUNDS, PAY_IN, POLICY, judged
from tests.surfaces.api.conftest import Desk

WORDS = wording_of("You may decide on credit by what I pay and owe.")
SCOPES = ["parties:read", "consents:write", "loans:read", "loans:write", "accounts:read"]
TERMS = {"kind": "instalments", "rate": 120_000_000, "instalments": 3}
LINE = {"kind": "line", "rate": 182_500_000, "share": 50_000, "day_count": "actual_365"}
DAY_SECONDS = 86_400


class Lender:
    """A house that lends to one party with a key of its own."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.post("/v1/credit/policies", POLICY)
        desk.post(PAY_IN, FUNDS)
        judged(desk.factory)
        self.party = desk.party(pounds=1_000)
        token = desk.post("/v1/tokens", {"party": self.party, "scopes": SCOPES})["token"]
        body = {"purpose": "credit", "wording": WORDS, "act": "signed_in_party"}
        desk.post(f"/v1/parties/{self.party}/consents", body, key=token)
        # A token ends within hours, and these tests last for weeks.
        self.key = desk.key_of(self.party, SCOPES)

    @property
    def now(self) -> str:
        """The sandbox's time."""
        now: str = self.desk.get("/v1/clock")["now"]
        return now

    def offers(self, limit: int, terms: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Offer the party credit until the end of the century."""
        body = {"party": self.party, "currency": "GBP", "limit": limit, "terms": terms}
        made: dict[str, Any] = self.desk.post(
            "/v1/credit/offers", body | {"expires_at": "2099-01-01T00:00:00Z"} | more
        )
        return made

    def takes(self, offer: dict[str, Any], amount: int) -> dict[str, Any]:
        """Let the party accept at the rate that it is shown."""
        path = f"/v1/credit/offers/{offer['id']}/quote?amount={amount}"
        quote = self.desk.get(path, key=self.key)
        above = path.replace(f"={amount}", f"={offer['limit'] + 1}")
        assert self.desk.code("GET", above, key=self.key) == (422, "draw_out_of_range")
        body = {
            "offer": offer["id"],
            "amount": amount,
            "effective_rate": quote["effective_rate"],
            "collected": True,
        }
        made: dict[str, Any] = self.desk.post("/v1/loans", body, key=self.key)
        assert made["instalment"] == 0 or made["state"] == "accepted"
        return made

    def waits(self, days: int) -> None:
        """Let days pass, and close all that are over, as ``up`` does."""
        for _ in range(days):
            self.desk.post("/v1/clock/advance", {"seconds": DAY_SECONDS})
            list(close_dates(_Engine(self.desk), self.desk.factory.engine.clock.now()))

    def spends(self) -> None:
        """Empty the wallet."""
        (account,) = self.desk.get(f"/v1/accounts?party={self.party}")
        shop = self.desk.party("merchant")
        pay = {"payer": self.party, "payee": shop, "amount": account["balance"], "currency": "GBP"}
        self.desk.post("/v1/payments", pay)


class _Engine:
    """The factory of a desk as a caller of the engine's socket has it."""

    def __init__(self, desk: Desk) -> None:
        self.command = desk.factory.command
        self.aggregates = desk.factory.aggregates
        self._engine = desk.factory.engine

    def find_aggregates(self, product: str, field: str, value: int, *, after: int, limit: int) -> Any:
        """Find aggregates."""
        look = find_aggregates(product, field, value, after=after, limit=limit)
        return self._engine.execute([ReadRequest(look)])[0]


@pytest.fixture
def lender(desk: Desk) -> Lender:
    """Give a house and a party that agreed."""
    return Lender(desk)


def test_from_the_offer_to_the_first_close(lender: Lender, desk: Desk) -> None:
    """Offer, quote, acceptance, draw, close: what is shown is what happens, and what is put aside is told."""
    key = lender.key
    offer = lender.offers(60_000, TERMS, default=30_000, loss=500_000)
    assert (offer["state"], offer["terms"]["waterfall"]) == ("open", ["fees", "interest", "principal"])
    assert desk.get(f"/v1/credit/offers/{offer['id']}", key=key) == offer
    loan = lender.takes(offer, 60_000)
    path = f"/v1/loans/{loan['id']}"
    assert (loan["state"], loan["owed"], loan["next_due"], loan["provision"]) == ("accepted", 0, None, None)
    (listed,) = desk.get(f"/v1/credit/offers?party={lender.party}", key=key)["items"]
    assert listed["state"] == "accepted"
    ahead = desk.get(f"{path}/schedule", key=key)["items"]
    drawn = desk.post(f"{path}/draw", {"amount": 60_000}, key=key)
    assert (drawn["state"], drawn["owed"], drawn["instalment"]) == ("active", 60_000, ahead[0]["payment"])
    assert desk.get(f"{path}/schedule", key=key)["items"] == ahead
    assert desk.get(f"/v1/loans?party={lender.party}", key=key)["items"] == [drawn]
    today = date_text(day_at(desk.factory.engine.clock.now()))
    lender.waits(1)
    date = desk.get(f"/v1/business-dates/{today}")
    assert (date["closed"], date["loans"], date["reminders"]) == (True, 1, 0)
    (moved,) = desk.get(f"/v1/business-dates/{today}/provisions")["items"]
    house = desk.get(path)
    assert moved["closing"] == moved["new"] == house["provision"]["allowance"] > 0
    assert (house["provision"]["stage"], house["provision"]["default"]) == (1, 30_000)


def test_from_arrears_to_the_end(lender: Lender, desk: Desk) -> None:
    """Arrears, charge-off, recovery, write-back, the last payment; books balance on the real database."""
    key = lender.key
    loan = lender.takes(lender.offers(60_000, TERMS), 60_000)
    path = f"/v1/loans/{loan['id']}"
    desk.post(f"{path}/draw", {"amount": 60_000}, key=key)
    lender.spends()
    lender.waits(35)
    late = desk.get(path, key=key)
    assert late["due"]["principal"] + late["due"]["interest"] == late["instalment"]
    assert (late["days_late"] > 0, late["bucket"]) == (True, "days_1")
    assert desk.code("POST", f"{path}/draw", {"amount": 1}, key=key) == (422, "loan_drawn")
    assert desk.code("POST", f"{path}/charge-off", {}, key=key) == (403, "scope_missing")
    assessed = desk.post(f"{path}/risk", {"default": 900_000, "impaired": True})
    assert assessed["provision"]["impaired"] is True
    lost = desk.post(f"{path}/charge-off")
    assert (lost["state"], lost["owed"], lost["charged"]["principal"]) == ("charged_off", 0, 60_000)
    desk.fund(lender.party, 5_000)
    assert desk.post(f"{path}/recover", {"amount": 5_000})["recovered"] == 5_000
    assert desk.post(f"{path}/write-back")["state"] == "active"
    desk.fund(lender.party, 90_000)
    assert desk.post(f"{path}/collection", {"on": False}, key=key)["collected"] is False
    done = desk.post(f"{path}/repay", {"amount": 90_000}, key=key)
    assert (done["state"], done["owed"]) == ("repaid", 0)
    kinds = [one["kind"] for one in desk.get(f"{path}/entries", key=key)["items"]]
    assert kinds[0] in {"principal_paid", "interest_paid"}
    assert {"draw", "charge_off", "recovery", "write_back"} <= set(kinds)
    page = desk.get(f"{path}/entries?limit=2", key=key)
    rest = desk.get(f"{path}/entries?limit=100&cursor={page['next']}", key=key)
    assert [one["kind"] for one in (*page["items"], *rest["items"])] == kinds
    lender.waits(1)
    assert differences(desk.factory.engine.state) == []
    for _, debits, _, credits_ in desk.factory.engine.state.machine.trial_balance().values():
        assert debits == credits_ > 0


def test_the_doctor_says_when_the_last_date_closed(
    lender: Lender, desk: Desk, hosted_home: Settings, new_home: Settings
) -> None:
    """Without loans there is none; where nobody closes any more it is a warning."""
    sandbox = replace(hosted_home, is_sandbox=True)

    def check(settings: Settings = sandbox) -> tuple[Outcome, str]:
        (found,) = examine_lending(settings)
        return found.outcome, found.found

    assert "no server" in check(new_home)[1]
    assert check() == (Outcome.OK, "no loans yet")
    assert list(close_dates(_Engine(desk), desk.factory.engine.clock.now())) == []
    lender.takes(lender.offers(60_000, TERMS), 60_000)
    assert check() == (Outcome.OK, "no date yet")
    today = date_text(day_at(desk.factory.engine.clock.now()))
    lender.waits(1)
    assert check() == (Outcome.OK, f"last date {today}")
    desk.post("/v1/clock/advance", {"seconds": 4 * DAY_SECONDS})
    assert check() == (Outcome.WARN, f"last date {today}")
    income, cash = (
        house_account_id(code, 826) for code in (LoanAccount.FEE_INCOME, LoanAccount.CLIENT_MONEY)
    )
    past = Transfer(id=7, debit_account_id=cash, credit_account_id=income, amount=123, ledger=826, code=9)
    (results,) = desk.factory.engine.execute([LedgerRequest(transfer_array([past]))])
    assert not results["status"].any()
    lender.waits(1)
    outcome, found = check()
    assert (outcome, "do not balance: GBP -1.23" in found) == (Outcome.FAIL, True)


def test_what_became_of_it(lender: Lender, desk: Desk, hosted_home: Settings) -> None:
    """The book is folded from the journal alone, kept, and shown to the house, as a page as well."""
    parts = ("", "/vintages", "/roll-rates", "/default-curves", "/returns", "/page")
    for part in parts:
        assert desk.code("GET", f"/v1/lending/portfolio{part}") == (404, "portfolio_not_there")
    loan = lender.takes(lender.offers(50_000, LINE), 40_000)
    path = f"/v1/loans/{loan['id']}"
    assert desk.get(f"{path}/schedule")["items"] == []
    desk.post(f"{path}/draw", {"amount": 30_000}, key=lender.key)
    ahead = desk.get(f"{path}/schedule")["items"]
    assert (len(ahead), ahead[0]["principal"]) == (12, 1_500)
    lender.waits(33)
    with closing(JournalReader(desk.factory.access, upcasters=known_events(PRODUCTS))) as reader:
        book = book_in(reader)
    kept = KeptPortfolio(hosted_home.portfolio_folder)
    kept.keep(portfolio_of(book))
    told = desk.get("/v1/lending/portfolio")
    (pounds,) = told["currencies"]
    assert pounds["currency"] == "GBP"
    assert pounds["buckets"][0]["loans"] == 1
    returned = desk.get("/v1/lending/portfolio/returns")
    assert returned["currencies"]["GBP"]["30"]["yield"] > 150_000
    for part in parts[1:4]:
        assert desk.get(f"/v1/lending/portfolio{part}")["as_of"] == told["as_of"]
    page = desk.ask("GET", "/v1/lending/portfolio/page")
    assert (page.status_code, "<script" in page.text, "Vintages" in page.text) == (200, False, True)


def test_refinancing_and_withdrawal(lender: Lender, desk: Desk) -> None:
    """An accepted loan pays off another one; an offer that was withdrawn is nobody's any more."""
    first = lender.takes(lender.offers(20_000, TERMS), 20_000)
    desk.post(f"/v1/loans/{first['id']}/draw", {"amount": 20_000}, key=lender.key)
    second = lender.takes(lender.offers(30_000, TERMS), 30_000)
    body = {"loan": first["id"]}
    done = desk.post(f"/v1/loans/{second['id']}/refinance", body, key=lender.key)
    assert (done["balance"], done["refinanced"]) == (30_000, 1)
    assert desk.get(f"/v1/loans/{first['id']}")["state"] == "repaid"
    offer = lender.offers(20_000, TERMS)
    assert desk.post(f"/v1/credit/offers/{offer['id']}/withdraw")["state"] == "withdrawn"
    taken = {"offer": offer["id"], "amount": 1, "effective_rate": 0, "collected": True}
    assert desk.code("POST", "/v1/loans", taken, key=lender.key) == (422, "offer_taken")
    (wallet,) = desk.get(f"/v1/accounts?party={lender.party}")
    other = lender.offers(20_000, TERMS)
    wrong = taken | {"offer": other["id"], "wallet": wallet["id"], "amount": 20_000}
    assert desk.code("POST", "/v1/loans", wrong, key=lender.key) == (422, "rate_not_shown")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"currency": "XXQ"}, "unknown_currency"),
        ({"expires_at": "soon"}, "malformed_field"),
        ({"terms": TERMS | {"waterfall": ["fees", "fees", "interest"]}}, "malformed_field"),
        ({"terms": TERMS | {"instalments": 0}}, "offer_malformed"),
    ],
)
def test_offers_that_are_none(lender: Lender, desk: Desk, change: dict[str, Any], code: str) -> None:
    """What cannot be offered is refused with its reason."""
    body = {"party": lender.party, "currency": "GBP", "limit": 1_000, "terms": TERMS}
    body |= {"expires_at": "2099-01-01T00:00:00Z"} | change
    assert desk.code("POST", "/v1/credit/offers", body)[1] == code


def test_dates_that_are_none(lender: Lender, desk: Desk) -> None:
    """A path that names no date names nothing; a date that has not come is not closed."""
    for date in ("2025-02-30", "today", "1969-01-01"):
        assert desk.code("GET", f"/v1/business-dates/{date}") == (404, "not_found")
    assert desk.code("POST", "/v1/business-dates/2099-01-01/close", {}) == (422, "business_date_not_over")
    today = lender.now[:10]
    assert desk.post(f"/v1/business-dates/{today}/close", {"most": 10})["closed"] is True
    assert desk.get(f"/v1/business-dates/{today}/provisions") == {"date": today, "items": []}
    assert desk.code("POST", f"/v1/business-dates/{today}/close", {}) == (422, "business_date_closed")

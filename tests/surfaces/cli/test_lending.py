"""``formicary lending``: what it asks of the API, what it shows, and the book from the journal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from formicary.products.lending.portfolio.book import Book
from formicary.products.lending.portfolio.report import portfolio_of
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.lending.page import portfolio_page
from formicary.surfaces.lending.words import share_text
from tests.products.lending.portfolio.test_book import events
from tests.products.lending.servicing.bank import INSTALMENTS, START, Bank
from tests.surfaces.cli.kit import Terminal
from tests.surfaces.cli.test_credit import Api

OFFER = {
    "id": "ofr_1",
    "party": "pty_1",
    "currency": "EUR",
    "limit": 500,
    "terms": {"kind": "line"},
    "effective_rate": 123_000,
    "state": "open",
    "expires_at": "t",
    "changed_at": "u",
}
PARTS = {"fees": 1, "interest": 2, "principal": 3}
LOAN = {
    "id": "loan_1",
    "party": "pty_1",
    "wallet": "acc_1",
    "currency": "EUR",
    "state": "active",
    "limit": 500,
    "terms": {"kind": "line"},
    "instalment": 0,
    "balance": 400,
    "owed": 407,
    "due": PARTS,
    "accrued": 4,
    "next_due": "2025-02-01",
    "days_late": 3,
    "bucket": "days_1",
    "non_accrual": False,
    "collected": True,
    "charged": PARTS,
    "recovered": 0,
    "refinanced": 0,
    "provision": None,
    "changed_at": "t",
}
ROW = {"due": "2025-02-01", "principal": 3, "interest": 2, "fees": 1, "payment": 6, "balance": 397}
ENTRY = {"id": "pay_1", "kind": "draw", "debit_account": "a", "credit_account": "b", "amount": 7, "at": "t"}
DATE = {
    "date": "2025-01-31",
    "closed": True,
    "loans": 1,
    "accrued": 1,
    "collected": 1,
    "charged_off": 1,
    "provided": 1,
    "told": 1,
    "payments": 1,
    "losses": 0,
    "skipped": 0,
    "reminders": 0,
    "changed_at": "t",
}
MOVED = {
    "currency": "EUR",
    "stage": 1,
    "opening": 1000,
    "new": 2,
    "moved_in": 3,
    "moved_out": 4,
    "remeasured": -5,
    "gone": 6,
    "closing": 990,
}
OFFERED = {
    "party": "pty_1",
    "currency": "EUR",
    "limit": 500,
    "terms": {"rate": 7, "kind": "instalments", "instalments": 3, "share": 0, "fee": 9},
    "default": 0,
    "loss": 0,
    "expires_at": "t",
}
ACCEPTED = {"offer": "ofr_1", "amount": 5, "effective_rate": 6, "collected": True}
QUOTE = {"offer": "ofr_1", "amount": 5, "instalment": 2, "effective_rate": 77}
PATH = "/v1/loans/loan_1"
DAY = "/v1/business-dates/2025-01-31"

CASES: list[tuple[str, Any, tuple[str, str, Any], str]] = [
    (
        'offer pty_1 --currency EUR --limit 500 --rate 7 --instalments 3 --until t --terms {"fee":9}',
        OFFER,
        ("POST", "/v1/credit/offers", OFFERED),
        "123000",
    ),
    ("quote ofr_1 --amount 5", QUOTE, ("GET", "/v1/credit/offers/ofr_1/quote", None), "77"),
    ("withdraw ofr_1", OFFER, ("POST", "/v1/credit/offers/ofr_1/withdraw", {}), "ofr_1"),
    (
        "accept ofr_1 --amount 5 --effective-rate 6 --collect",
        LOAN,
        ("POST", "/v1/loans", ACCEPTED),
        "due interest",
    ),
    (
        "accept ofr_1 --amount 5 --effective-rate 6 --no-collect --wallet acc_2",
        LOAN,
        ("POST", "/v1/loans", ACCEPTED | {"collected": False, "wallet": "acc_2"}),
        "407",
    ),
    ("loan loan_1", LOAN, ("GET", PATH, None), "charged fees"),
    ("draw loan_1 --amount 5", LOAN, ("POST", f"{PATH}/draw", {"amount": 5}), "407"),
    ("repay loan_1 --amount 5", LOAN, ("POST", f"{PATH}/repay", {"amount": 5}), "407"),
    ("refinance loan_1 loan_2", LOAN, ("POST", f"{PATH}/refinance", {"loan": "loan_2"}), "407"),
    ("collection loan_1 --off", LOAN, ("POST", f"{PATH}/collection", {"on": False}), "407"),
    ("charge-off loan_1", LOAN, ("POST", f"{PATH}/charge-off", {}), "407"),
    ("recover loan_1 --amount 5", LOAN, ("POST", f"{PATH}/recover", {"amount": 5}), "407"),
    ("write-back loan_1", LOAN, ("POST", f"{PATH}/write-back", {}), "407"),
    (
        "risk loan_1 --default 5 --impaired",
        LOAN,
        ("POST", f"{PATH}/risk", {"default": 5, "impaired": True}),
        "407",
    ),
    ("close 2025-01-31", DATE, ("POST", f"{DAY}/close", {}), "True"),
    ("date 2025-01-31", DATE, ("GET", DAY, None), "reminders"),
]
LISTS: list[tuple[str, Any, str, list[str]]] = [
    ("offers pty_1", OFFER, "/v1/credit/offers", ["ofr_1", "EUR", "500", "123000", "open", "t"]),
    ("loans pty_1", LOAN, "/v1/loans", ["loan_1", "EUR", "active", "407", "2025-02-01", "3"]),
    ("entries loan_1", ENTRY, f"{PATH}/entries", ["t", "draw", "7", "a", "b"]),
]


@pytest.mark.parametrize(("words", "document", "asked", "shown"), CASES)
def test_commands_ask_and_show(
    terminal: Terminal, words: str, document: Any, asked: tuple[str, str, Any], shown: str
) -> None:
    """Each sends what it says, shows it as a table, and the whole document when asked."""
    terminal.program.api = Api(document)
    assert terminal.run("lending", *words.split()) == ExitCode.DONE
    assert terminal.program.api.asked == [asked]
    assert shown in terminal.out
    assert terminal.run("lending", *words.split(), "--json") == ExitCode.DONE
    assert json.loads(terminal.out) == document


@pytest.mark.parametrize(("words", "item", "path", "row"), LISTS)
def test_lists(terminal: Terminal, words: str, item: Any, path: str, row: list[str]) -> None:
    """One line for each."""
    terminal.program.api = Api({"items": [item], "next": None})
    assert terminal.run("lending", *words.split()) == ExitCode.DONE
    assert terminal.out.splitlines()[-1].split() == row or row == terminal.out.split()[-len(row) :]
    assert terminal.program.api.asked == [("GET", path, None)]
    assert terminal.run("lending", *words.split(), "--json") == ExitCode.DONE
    assert json.loads(terminal.out) == [item]


def test_what_is_to_come_and_what_moved(terminal: Terminal) -> None:
    """A schedule and the movements of a date, a row each."""
    document: Any = {"loan": "loan_1", "as_of": "2025-01-02", "items": [ROW]}
    terminal.program.api = Api(document)
    assert terminal.run("lending", "schedule", "loan_1") == ExitCode.DONE
    assert terminal.out.split()[-6:] == ["2025-02-01", "6", "3", "2", "1", "397"]
    assert terminal.run("lending", "schedule", "loan_1", "--json") == ExitCode.DONE
    assert json.loads(terminal.out) == document
    terminal.program.api = Api({"date": "2025-01-31", "items": [MOVED]})
    assert terminal.run("lending", "provisions", "2025-01-31") == ExitCode.DONE
    assert terminal.out.split()[-9:] == ["EUR", "1", "1,000", "2", "3", "4", "-5", "6", "990"]
    assert terminal.run("lending", "provisions", "2025-01-31", "--json") == ExitCode.DONE
    assert json.loads(terminal.out) == [MOVED]


def test_a_date_is_closed_part_by_part(terminal: Terminal) -> None:
    """It is asked for until it is closed."""
    open_date = DATE | {"closed": False, "told": 0}

    class Slow(Api):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            """Be closed by the third part."""
            self.document = DATE if len(self.asked) == 2 else open_date
            await super().__call__(scope, receive, send)

    terminal.program.api = Slow(open_date)
    assert terminal.run("lending", "close", "2025-01-31") == ExitCode.DONE
    assert len(terminal.program.api.asked) == 3


def test_terms_that_are_none(terminal: Terminal) -> None:
    """What is no object of JSON is refused before anything is asked."""
    words = "offer pty_1 --currency EUR --limit 5 --rate 7 --until t --terms [1]"
    assert terminal.run("lending", *words.split()) == ExitCode.USAGE


def test_the_book(terminal: Terminal, tmp_path: Any) -> None:
    """Tables of every analysis, or one document; the page shows the same."""
    bank = Bank(tmp_path)
    bank.has(11, 12)
    bank.lends(1, 11, 600_00, INSTALMENTS, is_collected=False)
    bank.lends(2, 12, 600_00, INSTALMENTS)
    for day in range(START, START + 48):
        bank.closes(day)
    book = Book()
    book.fold(events(bank))
    found = portfolio_of(book)
    terminal.program.lent = found
    assert terminal.run("lending", "portfolio") == ExitCode.DONE
    shown_all = ("1 to 29", "2025-01", "rolled in 2025-02", "by months since", "within so many days", "yield")
    for shown in shown_all:
        assert shown in terminal.out
    assert terminal.run("lending", "portfolio", "--json") == ExitCode.DONE
    told = json.loads(terminal.out)
    assert told["currencies"][0]["buckets"][1] == {
        "bucket": "days_1",
        "loans": 1,
        "owed": told["currencies"][0]["buckets"][1]["owed"],
    }
    early, told_early = Book(), events(bank)
    first = next(place for place, event in enumerate(told_early) if event.kind.endswith("BooksClosed"))
    early.fold(told_early[: first + 1])
    assert "polyline" not in portfolio_page(portfolio_of(early))
    page = portfolio_page(found)
    assert ("<script" in page, "Roll rates of 2025-02" in page, "polyline" in page) == (False, True, True)
    assert (share_text(None), share_text(12_345)) == ("-", "1.23 %")


def test_what_only_the_client_asks(terminal: Terminal) -> None:
    """An offer by itself, and the portfolio as it is kept, or a part of it."""
    terminal.program.api = Api(OFFER)
    with terminal.program.client() as client:
        assert client.lending.offered("ofr_1").limit == 500
        assert client.lending.portfolio()["limit"] == 500
        assert client.lending.portfolio("vintages")["limit"] == 500
    paths = [path for _, path, _ in terminal.program.api.asked]
    portfolio = "/v1/lending/portfolio"
    assert paths == ["/v1/credit/offers/ofr_1", portfolio, f"{portfolio}/vintages"]

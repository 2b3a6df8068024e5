"""A notice has what the law asks for, nothing that runs, no words unescaped, and always the same bytes."""

from __future__ import annotations

import doctest
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from formicary.base.currencies import currency
from formicary.base.errors import ProgrammingError
from formicary.base.money import Money
from formicary.base.times import parse_time
from formicary.factory.decisions.counterfactuals import Change, Counterfactual
from formicary.products.lending.underwriting import notice as module
from formicary.products.lending.underwriting.notice import (
    Creditor,
    Notice,
    Phrase,
    Unit,
    counterfactual_sentence,
    notice_of,
)

CNY = currency("CNY")
LENDER = Creditor(name="Anthill & Sons", address="1 Ant Road", appeal="appeals@example.com")
REASONS = ("Sales are too low.", "A debt is <b>past</b> due.")


def told(**changes: Any) -> Notice:
    """Return a notice."""
    fields: dict[str, Any] = {
        "party": "party_1",
        "decision": "decision_2",
        "granted": None,
        "decided_at": parse_time("2026-11-26T12:00:00Z"),
        "reasons": REASONS,
        "creditor": LENDER,
    }
    return notice_of(**{**fields, **changes})


class Words(HTMLParser):
    """What a browser would show, and what it would fetch or run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.tags = list[str]()
        self.attributes = set[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        """Keep it."""
        self.text += data


@pytest.mark.parametrize("agency", ["", "Bureau of Ants, 1 Hill Street"])
@pytest.mark.parametrize("enough", ["", "It would have been granted had sales been CNY 1.00."])
def test_every_form_says_all_of_it(agency: str, enough: str) -> None:
    """Action, reasons, creditor, appeal, ids, times; equal credit only where it is supervised."""
    creditor = msgspec.structs.replace(LENDER, agency=agency)
    notice = told(creditor=creditor, counterfactual=enough)
    page, text = Words(notice.as_html()).text, notice.as_text()
    document = msgspec.json.decode(notice.as_json())
    wanted = [*REASONS, "Your application for credit was declined.", "2026-11-26", "party_1"]
    wanted += ["decision_2", "Anthill & Sons, 1 Ant Road", "appeals@example.com", enough]
    for words in wanted:
        assert words in page
        assert words in text
    for shown in (page, text):
        assert ("Equal Credit Opportunity Act" in shown) == bool(agency)
        assert agency in shown
        assert ("turned the decision" in shown) == bool(enough)
    assert document["reasons"] == list(REASONS)
    assert document["counterfactual"] == enough
    assert document["creditor"]["name"] == "Anthill & Sons"
    assert document["equal_credit"] == notice.equal_credit
    assert document["tell_until"] == "2026-12-26"


def test_a_page_runs_and_fetches_nothing() -> None:
    """Words of a policy are shown as they are."""
    page = told().as_html()
    assert "&lt;b&gt;past&lt;/b&gt;" in page
    seen = Words(page)
    assert not {"script", "img", "link", "iframe", "b", "form"} & set(seen.tags)
    assert not {"src", "href", "onclick", "style"} & seen.attributes


def test_the_same_notice_has_the_same_bytes() -> None:
    """Whoever is told twice is told the same."""
    assert (told().as_html(), told().as_text(), told().as_json()) == (
        told().as_html(),
        told().as_text(),
        told().as_json(),
    )


def test_a_smaller_line_is_an_offer() -> None:
    """What is lent instead is said."""
    assert (
        told(granted=Money(1_234_500, CNY)).action == "Of the credit you applied for we offer CNY 12,345.00."
    )


@pytest.mark.parametrize("reasons", [(), ("One.",) * 5])
def test_one_to_four_reasons(reasons: tuple[str, ...]) -> None:
    """None says nothing, five are not principal."""
    with pytest.raises(ProgrammingError, match="one to 4 reasons"):
        told(reasons=reasons)


def test_what_would_have_been_enough() -> None:
    """Two values together, in their units; the example of the page holds as well."""
    phrases = {
        1: Phrase(words="the share of refunds", unit=Unit.SHARE),
        4: Phrase(words="days with sales", unit=Unit.NUMBER),
    }
    found = Counterfactual(
        changes=(
            Change(feature=1, before=0.3, after=0.0425),
            Change(feature=4, before=3.0, after=20.0),
        ),
        distance=0.2,
    )
    assert counterfactual_sentence(found, phrases, CNY) == (
        "It would have been granted had the share of refunds been 4.25 % and days with sales been 20."
    )
    failures, examples = doctest.testmod(module)
    assert examples > 0
    assert failures == 0

"""Profiles in the vault, and approvals by two keys, over HTTP."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from formicary.base.public_ids import Prefix, decode, encode
from formicary.factory.identity.keys import key_id_of
from formicary.factory.identity.party import PARTY_PRODUCT, EraseParty
from formicary.products.payments.postings import HOUSE, AccountCode, account_id, house_account_id
from tests.surfaces.api.conftest import POUNDS, Desk

NOBODY = "0" * 26
FIELDS = {"name": "Ada Löwe", "address": "7 Mill Lane"}


def test_a_profile_is_stored_read_and_erased(desk: Desk) -> None:
    """It is the party's and the house's to see; erasing destroys it whoever stored it, for good."""
    party, other = desk.party(), desk.party()
    path = f"/v1/parties/{party}/profile"
    own = desk.key_of(party, ["parties:read", "parties:write"])
    foreign = desk.key_of(other, ["parties:read", "parties:write"])
    assert desk.get(path) == {"party": party, "fields": {}}
    assert desk.ask("PUT", path, key=own, json={"fields": FIELDS}).json()["fields"] == FIELDS
    assert desk.get(path, key=own)["fields"] == FIELDS
    assert desk.code("GET", path, key=foreign) == (404, "not_found")
    assert desk.code("PUT", path, {"fields": {}}, key=foreign) == (404, "not_found")
    assert desk.code("PUT", path, {"fields": {}}, key=desk.key_of(party, ["parties:read"]))[0] == 403
    assert desk.code("GET", f"/v1/parties/pty_{NOBODY}/profile") == (404, "not_found")
    assert desk.code("PUT", path, {"fields": {"Name": "x"}}) == (422, "personal_data_malformed")
    assert desk.code("PUT", path, {"fields": {"name": 5}}) == (400, "malformed_field")
    assert desk.get(path)["fields"] == FIELDS
    desk.post(f"/v1/parties/{party}/erase")
    assert desk.code("GET", path) == (404, "not_found")
    assert desk.code("PUT", path, {"fields": FIELDS}) == (404, "not_found")


def test_erasing_again_finishes_what_was_cut_off(desk: Desk) -> None:
    """A party that the journal says is erased loses what the vault still has, under any key."""
    party = desk.party()
    subject = decode(Prefix.PARTY, party)
    desk.ask("PUT", f"/v1/parties/{party}/profile", json={"fields": FIELDS})
    desk.factory.command(PARTY_PRODUCT.name, EraseParty(subject=subject), principal="p", key="k")
    vault = desk.api._services.vault
    assert vault.read(subject) == FIELDS
    assert desk.code("POST", f"/v1/parties/{party}/erase") == (422, "party_not_active")
    assert vault.read(subject) is None
    assert desk.code("POST", f"/v1/parties/pty_{NOBODY}/erase") == (404, "party_not_found")


@pytest.fixture
def second(desk: Desk) -> str:
    """Return another key of the house."""
    return desk.second_house_key()


def entry(party: str, amount: int = 250) -> dict[str, Any]:
    """Return an entry that gives a wallet something out of the house's adjustments."""
    line = {
        "debit_account": encode(Prefix.ACCOUNT, house_account_id(AccountCode.ADJUSTMENTS, POUNDS)),
        "credit_account": encode(Prefix.ACCOUNT, account_id(decode(Prefix.PARTY, party), POUNDS)),
        "amount": amount,
        "currency": "GBP",
    }
    return {"lines": [line]}


def test_an_entry_takes_two_keys(desk: Desk, second: str) -> None:
    """Proposed with one it moves nothing; approved with the other it does, once."""
    party = desk.party(pounds=100)
    made = desk.post("/v1/approvals/entries", entry(party))
    assert (made["kind"], made["status"], made["decided_by"], made["party"]) == (
        "entry",
        "proposed",
        None,
        None,
    )
    assert made["lines"] == entry(party)["lines"]
    path = f"/v1/approvals/{made['id']}"
    assert desk.get(path) == made
    assert desk.code("POST", f"{path}/approve") == (422, "approver_is_proposer")
    balance = f"/v1/accounts/{made['lines'][0]['credit_account']}"
    assert desk.get(balance)["balance"] == 100
    done = desk.post(f"{path}/approve", key=second)
    assert (done["status"], done["decided_by"] is None) == ("approved", False)
    assert desk.get(balance)["balance"] == 350
    assert desk.code("POST", f"{path}/reject", key=second) == (422, "approval_not_open")


def test_limits_take_two_keys(desk: Desk, second: str) -> None:
    """The party shows them once they are approved; a rejected proposal changes nothing."""
    party = desk.party()
    body = {"party": party, "daily_amount_max": 5_000, "daily_count_max": 3}
    rejected = desk.post("/v1/approvals/limits", body)
    assert desk.post(f"/v1/approvals/{rejected['id']}/reject", key=second)["status"] == "rejected"
    assert desk.get(f"/v1/parties/{party}")["daily_count_max"] == 0
    made = desk.post("/v1/approvals/limits", body)
    assert (made["party"], made["daily_amount_max"], made["lines"]) == (party, 5_000, [])
    desk.post(f"/v1/approvals/{made['id']}/approve", key=second)
    assert desk.get(f"/v1/parties/{party}")["daily_count_max"] == 3


def test_approvals_are_for_keys_of_the_house(desk: Desk) -> None:
    """Nobody else proposes, sees or approves; what is not there looks the same to the house."""
    party = desk.party()
    made = desk.post("/v1/approvals/entries", entry(party))
    stranger = desk.key_of(party, ["approvals:write", "parties:read"])
    path = f"/v1/approvals/{made['id']}"
    for method, where, body in (
        ("GET", path, None),
        ("POST", f"{path}/approve", {}),
        ("POST", f"{path}/reject", {}),
        ("POST", "/v1/approvals/entries", entry(party)),
    ):
        assert desk.code(method, where, body, key=stranger) == (403, "scope_missing")
    for where in ("apr_" + NOBODY, "apr_x", "pty_" + NOBODY):
        assert desk.code("POST", f"/v1/approvals/{where}/approve") == (404, "not_found")
        assert desk.code("POST", f"/v1/approvals/{where}/reject") == (404, "not_found")
        assert desk.code("GET", f"/v1/approvals/{where}") == (404, "not_found")


def test_a_token_proposes_nothing(desk: Desk) -> None:
    """An end user's token is nobody's second pair of eyes, not even the house's own."""
    body = {"party": encode(Prefix.PARTY, HOUSE), "scopes": ["approvals:write"]}
    token = desk.post("/v1/tokens", body)["token"]
    assert desk.code("POST", "/v1/approvals/entries", entry(desk.party()), key=token) == (
        403,
        "scope_missing",
    )


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"debit_account": "acc_x"}, (400, "malformed_field")),
        ({"amount": 0}, (400, "malformed_field")),
        ({"currency": "AAA"}, (422, "unknown_currency")),
        ({"note": "for Ada"}, (400, "malformed_field")),
    ],
)
def test_a_malformed_entry_is_refused(desk: Desk, change: dict[str, Any], refused: tuple[int, str]) -> None:
    """Each with its code, and nothing is proposed; there is no room for free text."""
    body = entry(desk.party())
    body["lines"][0] |= change
    assert desk.code("POST", "/v1/approvals/entries", body) == refused
    assert desk.code("POST", "/v1/approvals/entries", {"lines": []}) == (400, "malformed_field")


def test_nobody_rotates_themselves_into_another_key(desk: Desk, second: str) -> None:
    """A new text is a new holder: neither a key with more scopes, nor another approver's, but one's own."""
    party = desk.party()
    strong = desk.post("/v1/keys", {"party": party, "scopes": ["parties:read", "keys:write"]})
    weak = desk.key_of(party, ["keys:write"])
    overlap = {"overlap_seconds": 0}
    assert desk.code("POST", f"/v1/keys/{strong['id']}/rotate", overlap, key=weak) == (403, "scope_missing")
    own = f"/v1/keys/{encode(Prefix.KEY, key_id_of(second))}/rotate"
    assert desk.code("POST", own, overlap) == (403, "scope_missing")
    assert desk.post(own, overlap, key=second)["key"] != second
    assert desk.post(f"/v1/keys/{strong['id']}/rotate", overlap)["key"] != strong["key"]


def test_no_secret_is_logged_counted_or_journaled(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Keys, tokens and personal data pass through, also in requests that fail, and stay nowhere."""
    caplog.set_level(logging.DEBUG)
    party = desk.party()
    key = desk.key_of(party, ["parties:read", "parties:write", "tokens:write"])
    token = desk.post("/v1/tokens", {"party": party, "scopes": ["parties:read"]}, key=key)["token"]
    path = f"/v1/parties/{party}/profile"
    desk.ask("PUT", path, key=key, json={"fields": FIELDS})
    problems = [
        desk.ask("PUT", path, json={"fields": FIELDS | {"Bad Name": "x"}}).text,
        desk.ask("PUT", path, json={"fields": FIELDS, "note": "x"}).text,
        desk.ask("GET", f"{path}/{FIELDS['address']}", key=token).text,
        desk.ask("GET", "/v1/parties/x", key=token[:-1]).text,
        desk.ask("GET", "/v1/parties/x", key=key[:-1]).text,
    ]
    assert desk.get(path, key=token)["fields"] == FIELDS
    events = desk.factory.history.events(after=0, limit=1_000)
    metrics = desk.ask("GET", "/metrics").text
    places = [caplog.text, metrics, *problems, *(event.body.decode() for event in events)]
    secrets = [*FIELDS.values(), key.rpartition("_")[2], token.rpartition(".")[2], desk.house_key]
    assert [secret for secret in secrets for place in places if secret in place] == []
    assert any("KeyIssued" in event.kind for event in events)

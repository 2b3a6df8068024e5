"""Consent over HTTP: said by the party itself, or entered from a paper or a call, and by nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from formicary.base.public_ids import Prefix, decode, encode
from formicary.base.purposes import NEEDS_CONSENT, purpose_name, wording_of
from formicary.factory.identity.consent import CONSENT_PRODUCT
from formicary.products.payments.postings import HOUSE
from tests.surfaces.api.conftest import Desk

NOBODY = "0" * 26
WORDS = wording_of("You may look at my payments.")
SCOPES = ["parties:read", "consents:write"]


def yes(purpose: str = "credit", act: str = "signed_in_party", wording: str = WORDS) -> dict[str, Any]:
    """Return the body of a grant."""
    return {"purpose": purpose, "wording": wording, "act": act}


def token_of(desk: Desk, party: str, scopes: list[str] | None = None) -> str:
    """Return a token of a party."""
    token: str = desk.post("/v1/tokens", {"party": party, "scopes": scopes or SCOPES})["token"]
    return token


def granted(desk: Desk, party: str) -> list[str]:
    """Return the purposes that a party agrees to."""
    shown = desk.get(f"/v1/parties/{party}/consents")
    assert [consent["purpose"] for consent in shown] == [purpose_name(one) for one in sorted(NEEDS_CONSENT)]
    return [consent["purpose"] for consent in shown if consent["granted"]]


def test_a_party_agrees_with_its_own_token(desk: Desk) -> None:
    """It sees what it agreed to and takes it back; nobody agreed to anything before."""
    party = desk.party()
    path, token = f"/v1/parties/{party}/consents", token_of(desk, party)
    assert granted(desk, party) == []
    made = desk.post(path, yes(), key=token)
    assert made == {
        "party": party,
        "purpose": "credit",
        "granted": True,
        "wording": WORDS,
        "act": "signed_in_party",
    }
    assert made in desk.get(path, key=token)
    assert granted(desk, party) == ["credit"]
    assert desk.code("POST", path, yes(), key=token) == (422, "consent_already_given")
    taken_back = desk.post(f"{path}/credit/revoke", key=token)
    assert taken_back == made | {"granted": False, "wording": None, "act": None}
    assert desk.code("POST", f"{path}/credit/revoke", key=token) == (422, "consent_not_given")


@pytest.mark.parametrize("act", ["written", "spoken"])
def test_the_house_enters_a_paper_or_a_call(desk: Desk, act: str) -> None:
    """It never presses in the party's place, not even where it would be the first to know."""
    party = desk.party()
    path = f"/v1/parties/{party}/consents"
    assert desk.code("POST", path, yes()) == (403, "consent_act_not_allowed")
    assert desk.post(path, yes("research", act))["act"] == act
    assert granted(desk, party) == ["research"]
    assert desk.post(f"{path}/research/revoke")["granted"] is False


def test_a_token_says_only_that_it_pressed(desk: Desk) -> None:
    """Whoever holds a phone can not make up a paper, nor a recorded call."""
    party = desk.party()
    path, token = f"/v1/parties/{party}/consents", token_of(desk, party)
    for act in ("written", "spoken"):
        assert desk.code("POST", path, yes(act=act), key=token) == (403, "consent_act_not_allowed")
    assert granted(desk, party) == []


def test_a_program_agrees_to_nothing(desk: Desk) -> None:
    """A party's API key is a program's: it may take back what the party said, and say nothing itself."""
    party = desk.party("merchant")
    path, key = f"/v1/parties/{party}/consents", desk.key_of(party, SCOPES)
    for act in ("signed_in_party", "written", "spoken"):
        assert desk.code("POST", path, yes(act=act), key=key) == (403, "consent_act_not_allowed")
    desk.post(path, yes(act="written"))
    assert desk.post(f"{path}/credit/revoke", key=key)["granted"] is False


def test_a_token_of_the_house_is_nobody_elses(desk: Desk) -> None:
    """What the house's keys may do for everyone, its tokens may not."""
    token = token_of(desk, encode(Prefix.PARTY, HOUSE))
    path = f"/v1/parties/{desk.party()}/consents"
    assert desk.code("POST", path, yes(act="written"), key=token) == (404, "not_found")
    assert desk.code("GET", path, key=token) == (404, "not_found")


def test_scopes_and_strangers(desk: Desk) -> None:
    """Looking and agreeing are two scopes; another party's consent looks like what is not there."""
    party, other = desk.party(), desk.party()
    path = f"/v1/parties/{party}/consents"
    reads = token_of(desk, party, ["parties:read", "parties:write"])
    writes = token_of(desk, party, ["consents:write"])
    assert desk.code("POST", path, yes(), key=reads) == (403, "scope_missing")
    assert desk.code("POST", f"{path}/credit/revoke", key=reads) == (403, "scope_missing")
    assert desk.code("GET", path, key=writes) == (403, "scope_missing")
    for stranger in (token_of(desk, other), desk.key_of(other, SCOPES)):
        assert desk.code("POST", path, yes(), key=stranger) == (404, "not_found")
        assert desk.code("POST", f"{path}/credit/revoke", key=stranger) == (404, "not_found")
        assert desk.code("GET", path, key=stranger) == (404, "not_found")
    assert desk.code("GET", f"/v1/parties/pty_{NOBODY}/consents") == (404, "not_found")


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"purpose": "everything"}, (422, "unknown_purpose")),
        ({"purpose": ["credit", "wealth"]}, (400, "malformed_field")),
        ({"purpose": "fraud"}, (422, "consent_not_needed")),
        ({"wording": "I agree."}, (400, "malformed_field")),
        ({"wording": "0" * 32}, (422, "malformed_command")),
        ({"act": "silent"}, (400, "malformed_field")),
        ({"granted": True}, (400, "malformed_field")),
    ],
)
def test_a_malformed_grant_is_refused(desk: Desk, change: dict[str, Any], refused: tuple[int, str]) -> None:
    """One purpose, known words, an act of the party's: nothing else is a grant."""
    party = desk.party()
    path = f"/v1/parties/{party}/consents"
    assert desk.code("POST", path, yes(act="written") | change) == refused
    for missing in ("purpose", "wording", "act"):
        body = {name: value for name, value in yes(act="written").items() if name != missing}
        assert desk.code("POST", path, body) == (400, "malformed_field")
    assert desk.factory.aggregates(CONSENT_PRODUCT.name, [decode(Prefix.PARTY, party)]) == [None]


def test_no_purpose_no_route(desk: Desk) -> None:
    """A path names one purpose; there is none for all of them."""
    party = desk.party()
    assert desk.code("POST", f"/v1/parties/{party}/consents/all/revoke") == (404, "not_found")
    assert desk.code("DELETE", f"/v1/parties/{party}/consents") == (405, "method_not_allowed")


def test_consent_ends_with_the_party_only_when_said(desk: Desk) -> None:
    """A closed party agrees to nothing new; the house takes back what it says it does not want any more."""
    party = desk.party()
    path = f"/v1/parties/{party}/consents"
    desk.post(path, yes(act="spoken"))
    desk.post(f"/v1/parties/{party}/close")
    assert desk.code("POST", path, yes("wealth", "spoken")) == (422, "party_not_active")
    assert granted(desk, party) == ["credit"]
    desk.post(f"{path}/credit/revoke")
    assert granted(desk, party) == []

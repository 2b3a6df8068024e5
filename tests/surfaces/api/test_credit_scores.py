"""The credit score over HTTP: a party sees all of its own, a third party a score and a band, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from formicary.base.public_ids import Prefix, decode
from formicary.base.purposes import wording_of
from formicary.base.scopes import Scope, scope_names
from formicary.factory.facts import FACTS_PRODUCT, RecordFacts
from formicary.surfaces.api.values import time_text
from tests.surfaces.api.conftest import Desk

WORDS = wording_of("You may make a score of what I pay and owe, and show it to whom I say.")
SCOPES = ["parties:read", "consents:write", "scores:read", "scores:write", "payments:write"]


class Scored:
    """A party with a score, its own token, and a landlord with a key."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.party = desk.party(pounds=500_000)
        self.shop = desk.party("merchant", pounds=500_000)
        self.landlord = desk.party("partner")
        self.key = desk.key_of(self.landlord, list(scope_names(int(sum(Scope)))))
        self.token = self.token_of(self.party)
        self.path = f"/v1/credit-scores/{self.party}"
        desk.post("/v1/payments", self.pays(self.shop, self.party, 200_000))
        desk.post("/v1/payments", self.pays(self.party, self.shop, 100_000))

    def pays(self, payer: str, payee: str, amount: int) -> dict[str, Any]:
        """Return the body of a payment."""
        return {"payer": payer, "payee": payee, "amount": amount, "currency": "GBP"}

    def token_of(self, party: str) -> str:
        """Return a token of a party."""
        token: str = self.desk.post("/v1/tokens", {"party": party, "scopes": SCOPES})["token"]
        return token

    def agrees(self, *purposes: str) -> None:
        """Let the party agree to purposes."""
        for purpose in purposes:
            body = {"purpose": purpose, "wording": WORDS, "act": "signed_in_party"}
            self.desk.post(f"/v1/parties/{self.party}/consents", body, key=self.token)

    def owes(self, late: int) -> str:
        """Tell of an obligation; return its time as the journal has it."""
        at = self.desk.factory.engine.state.machine.timestamp
        command = RecordFacts(
            subject=9,
            kind="obligation",
            at=[at],
            ids={"party": [f"{decode(Prefix.PARTY, self.party):032x}"]},
            numbers={"due": [1], "late": [late]},
        )
        key = f"obligation {at}"
        receipt = self.desk.factory.command(FACTS_PRODUCT.name, command, principal="test", key=key)
        assert receipt.code == ""
        return time_text(at)

    def lets(self, scope: str = "score_and_band", ends: str = "") -> Any:
        """Let the landlord ask."""
        body = {"third_party": self.landlord, "scope": scope, "expires_at": ends or self.soon()}
        return self.desk.post(f"{self.path}/authorisations", body, key=self.token)

    def soon(self) -> str:
        """Return a time within a year."""
        year, rest = self.desk.get("/v1/clock")["now"].split("-", 1)
        month = int(rest[:2])
        return f"{int(year) + (month > 6)}-{(month + 5) % 12 + 1:02}-01T00:00:00Z"


@pytest.fixture
def scored(desk: Desk) -> Scored:
    """Give a party that agreed and has a score."""
    scored = Scored(desk)
    scored.agrees("credit", "score_sharing")
    desk.post(f"{scored.path}/refresh", key=scored.token)
    return scored


def test_a_score_from_consent_to_correction(desk: Desk) -> None:
    """The whole way on a real database: consent, score, dispute, revocation, and folded again."""
    scored = Scored(desk)
    path, token = scored.path, scored.token
    assert desk.code("POST", f"{path}/refresh", key=token) == (422, "score_needs_consent")
    assert desk.code("GET", path, key=token) == (422, "score_needs_consent")
    scored.agrees("credit")
    assert desk.code("GET", path, key=token) == (404, "score_not_there")
    scored.owes(0)
    late_at = scored.owes(1)
    made = desk.post(f"{path}/refresh", key=token)
    assert 350 <= made["score"] == 350 + sum(one["points"] for one in made["dimensions"]) <= 950
    assert made["relations"] is made["disputed"] is False
    assert made["next_refresh_at"][8:10] == "01"
    assert made["business_date"] == made["refreshed_at"][:10]
    assert desk.get(path, key=token) == made

    explained = desk.get(f"{path}/explanation", key=token)
    assert 1 <= len(explained["reasons"]) <= 4
    assert explained["score"] == made["score"]
    history, *_, relations = explained["dimensions"]
    assert [one["feature"] for one in history["advice"]] == ["late_share_365d", "met_365d"]
    assert history["advice"][0]["reading"] == 5_000
    assert relations == {"dimension": "relations", "points": 0, "most": 0, "missing": [], "advice": []}

    opened = desk.post("/v1/score-disputes", {"party": scored.party, "dimension": "history"}, key=token)
    assert (opened["status"], opened["decided_by"]) == ("open", None)
    assert desk.get(path, key=token)["disputed"] is True
    assert desk.get("/v1/score-disputes")["items"] == [opened]
    wrong = {"fact": "obligation", "at": late_at, "was": True, "is_now": None}
    verdict = {"verdict": "upheld", "corrections": [wrong]}
    assert desk.code("POST", f"/v1/score-disputes/{scored.party}/verdict", verdict, key=token)[0] == 403
    upheld = desk.post(f"/v1/score-disputes/{scored.party}/verdict", verdict)
    assert (upheld["status"], upheld["corrections"]) == ("upheld", 1)
    assert desk.get(f"/v1/score-disputes/{scored.party}", key=token) == upheld
    desk.factory.engine.execute([])
    corrected = desk.get(path, key=token)
    assert corrected["score"] > made["score"]
    assert corrected["disputed"] is False

    desk.post(f"/v1/parties/{scored.party}/consents/credit/revoke", key=token)
    assert desk.code("GET", path, key=token) == (422, "score_needs_consent")
    assert desk.code("POST", f"{path}/refresh", key=token) == (422, "score_needs_consent")

    state = desk.factory.engine.state
    position, state_hash = state.position, state.state_hash
    desk.factory.engine.recover()
    again = desk.factory.engine.state
    assert again is not state
    assert (again.position, again.state_hash) == (position, state_hash)


def test_a_third_party_gets_score_and_band_only(scored: Scored) -> None:
    """With authorisation; the party sees each query with what was shown; the same key asks once."""
    desk, path = scored.desk, scored.path
    assert desk.code("POST", f"{path}/queries", {}, key=scored.key) == (404, "score_not_authorised")
    given = scored.lets()
    assert given["active"] is True
    same = {"Idempotency-Key": "once"}
    shown = desk.post(f"{path}/queries", key=scored.key, headers=same)
    assert set(shown) == {"score", "band"}
    assert shown["score"] == desk.get(path, key=scored.token)["score"]
    assert desk.post(f"{path}/queries", key=scored.key, headers=same) == shown
    scored.lets("band")
    assert desk.post(f"{path}/queries", key=scored.key) == {"score": None, "band": shown["band"]}
    seen = desk.get(f"{path}/queries", key=scored.token)
    assert [(one["third_party"], one["score"], one["scope"]) for one in seen["items"]] == [
        (scored.landlord, shown["score"], "score_and_band"),
        (scored.landlord, None, "band"),
    ]
    first = desk.get(f"{path}/queries?limit=1", key=scored.token)
    rest = desk.get(f"{path}/queries?limit=1&cursor={first['next']}", key=scored.token)
    assert [*first["items"], *rest["items"]] == seen["items"]
    assert rest["next"] is None
    for other in ("", "/explanation", "/queries", "/authorisations"):
        assert desk.code("GET", f"{path}{other}", key=scored.key) == (404, "not_found")


def test_an_authorisation_ends_and_is_taken_back(scored: Scored) -> None:
    """Each with its own code; the list says which is active."""
    desk, path = scored.desk, scored.path
    scored.lets()
    revoke = f"{path}/authorisations/{scored.landlord}/revoke"
    assert desk.post(revoke, key=scored.token)["active"] is False
    assert desk.code("POST", f"{path}/queries", {}, key=scored.key) == (403, "score_authorisation_revoked")
    assert desk.code("POST", revoke, {}, key=scored.token) == (404, "score_not_authorised")
    scored.lets()
    desk.post("/v1/clock/advance", {"seconds": 300 * 86_400})
    assert desk.code("POST", f"{path}/queries", {}, key=scored.key) == (403, "score_authorisation_expired")
    (listed,) = desk.get(f"{path}/authorisations")["items"]
    assert (listed["third_party"], listed["active"]) == (scored.landlord, False)


def test_only_the_party_itself_lets_others_ask(scored: Scored) -> None:
    """No key does so in its name, the house's neither; and the house asks for no score."""
    desk, path = scored.desk, scored.path
    own = desk.key_of(scored.party, SCOPES)
    body = {"third_party": scored.landlord, "scope": "band", "expires_at": scored.soon()}
    for key in (own, None):
        for target, sent in ((f"{path}/authorisations", body), (f"{path}/relations", {"on": True})):
            assert desk.code("POST", target, sent, key=key) == (403, "consent_act_not_allowed")
    assert desk.code("POST", f"{path}/queries", {}) == (403, "scope_missing")
    far = body | {"expires_at": "2200-01-01T00:00:00Z"}
    assert desk.code("POST", f"{path}/authorisations", far, key=scored.token) == (
        422,
        "authorisation_expiry_out_of_range",
    )


def test_relations_are_switched(scored: Scored) -> None:
    """On by the party, off by anybody who acts for it."""
    desk, path = scored.desk, scored.path
    assert desk.post(f"{path}/relations", {"on": True}, key=scored.token)["relations"] is True
    shown = desk.get(path, key=scored.token)
    assert shown["relations"] is True
    assert shown["dimensions"][-1]["most"] == 30
    assert desk.post(f"{path}/relations", {"on": False})["relations"] is False


def test_a_dispute_is_rejected(scored: Scored) -> None:
    """The house says that the score is right."""
    desk = scored.desk
    desk.post("/v1/score-disputes", {"party": scored.party, "dimension": "identity"}, key=scored.token)
    rejected = desk.post(f"/v1/score-disputes/{scored.party}/verdict", {"verdict": "rejected"})
    assert (rejected["status"], rejected["dimension"]) == ("rejected", "identity")
    assert rejected["decided_by"].startswith("key_")
    assert desk.get("/v1/score-disputes?status=rejected")["items"] == [rejected]
    assert desk.get("/v1/score-disputes")["items"] == []

"""The resources of ``/v1``: what they show, and what they refuse."""

from __future__ import annotations

from tests.surfaces.api.conftest import Desk

NOBODY = "0" * 26


def test_parties(desk: Desk) -> None:
    """A party is registered once a key, shown, closed and erased; only the house does that."""
    made = desk.ask("POST", "/v1/parties", json={"kind": "merchant"}, headers={"Idempotency-Key": "k"})
    assert made.status_code == 201
    party = made.json()
    assert (party["kind"], party["status"]) == ("merchant", "active")
    again = desk.ask("POST", "/v1/parties", json={"kind": "merchant"}, headers={"Idempotency-Key": "k"})
    assert again.json() == party
    other = desk.code("POST", "/v1/parties", {"kind": "person"}, headers={"Idempotency-Key": "k"})
    assert other == (422, "idempotency_key_reused")
    assert desk.get(f"/v1/parties/{party['id']}") == party
    assert desk.post(f"/v1/parties/{party['id']}/close")["status"] == "closed"
    assert desk.code("POST", f"/v1/parties/{party['id']}/close") == (422, "party_not_active")
    assert desk.post(f"/v1/parties/{party['id']}/erase")["status"] == "erased"
    assert desk.code("POST", "/v1/parties", {"kind": "house"}) == (400, "malformed_field")
    assert (
        desk.code("POST", "/v1/accounts", {"party": party["id"], "currency": "GBP"})[1] == "party_not_active"
    )
    assert desk.code("GET", f"/v1/parties/pty_{NOBODY}") == (404, "not_found")
    assert desk.code("GET", "/v1/parties/acc_x") == (404, "not_found")
    assert desk.code("POST", f"/v1/parties/pty_{NOBODY}/close") == (404, "party_not_found")


def test_accounts_and_balances(desk: Desk) -> None:
    """A wallet shows what it holds, now and as of any time, and its transfers a page at a time."""
    payer, payee = desk.party(pounds=1_000), desk.party()
    account = desk.post("/v1/accounts", {"party": payer, "currency": "GBP"})
    assert (account["balance"], account["kind"], account["status"]) == (1_000, "person_wallet", "open")
    payments = [
        desk.post("/v1/payments", {"payer": payer, "payee": payee, "amount": n, "currency": "GBP"})
        for n in (1, 2, 3)
    ]
    path = f"/v1/accounts/{account['id']}"
    assert desk.get(path)["balance"] == 994
    assert desk.get(f"{path}/balance")["available"] == 994
    assert desk.get(f"{path}/balance?as_of={payments[0]['created_at']}")["balance"] == 999
    assert desk.get(f"{path}/balance?as_of={account['opened_at']}")["balance"] == 0
    assert desk.code("GET", f"{path}/balance?as_of=2001-01-01T00:00:00Z") == (404, "not_found")
    for wrong in ("yesterday", "1066-01-01", "2500-01-01", "0" * 41):
        assert desk.code("GET", f"{path}/balance?as_of={wrong}") == (400, "malformed_field")
    first = desk.get(f"{path}/transfers?limit=3")
    assert [item["amount"] for item in first["items"]] == [3, 2, 1]
    second = desk.get(f"{path}/transfers?limit=3&cursor={first['next']}")
    assert [item["kind"] for item in second["items"]] == ["top_up_credited"]
    assert second["next"] is None
    assert desk.code("GET", f"{path}/transfers?limit=0") == (400, "malformed_field")
    assert desk.code("GET", f"{path}/transfers?cursor=x") == (400, "malformed_field")
    assert desk.code("GET", f"/v1/accounts?party={payer}&currency=AAA") == (422, "unknown_currency")
    assert desk.code("GET", "/v1/accounts?party=x") == (400, "malformed_field")
    assert desk.code("POST", "/v1/accounts", {"party": payer, "currency": "AAA"}) == (422, "unknown_currency")
    assert desk.code("POST", "/v1/accounts", {"party": f"pty_{NOBODY}", "currency": "GBP"})[0] == 404


def test_searches(desk: Desk) -> None:
    """Transfers are found by conditions that all hold and of which one holds, in one account or in all."""
    payer, payee = desk.party(pounds=1_000), desk.party()
    for amount, reference in ((10, "a"), (20, "b"), (30, "a"), (40, "c")):
        body = {"payer": payer, "payee": payee, "amount": amount, "currency": "GBP", "reference": reference}
        desk.post("/v1/payments", body)
    account = desk.get(f"/v1/accounts?party={payee}")[0]["id"]

    def found(**search: object) -> list[int]:
        page = desk.post("/v1/transfers/search", search)
        return [item["amount"] for item in page["items"]]

    assert found(account=account, all=[{"reference": "a"}]) == [30, 10]
    assert found(all=[{"amount_min": 15, "amount_max": 30}]) == [30, 20]
    assert found(any=[{"reference": "b"}, {"amount_min": 40, "amount_max": 40}]) == [40, 20]
    assert found(all=[{"kind": "person_payment", "tag": 0}], any=[{"reference": "a"}], limit=1) == [30]
    page = desk.post("/v1/transfers/search", {"account": account, "limit": 3})
    rest = desk.post("/v1/transfers/search", {"account": account, "limit": 3, "cursor": page["next"]})
    assert [item["amount"] for item in (*page["items"], *rest["items"])] == [40, 30, 20, 10]
    since = page["items"][1]["at"]
    assert found(account=account, since=since) == [40, 30]
    assert found(account=account, until=since, limit=1) == [30]
    search = "/v1/transfers/search"
    assert desk.code("POST", search, {"all": [{"kind": "gift"}]}) == (400, "malformed_field")
    assert desk.code("POST", search, {"account": "x"}) == (400, "malformed_field")
    assert desk.code("POST", search, key=desk.key_of(payer)) == (400, "malformed_body")
    assert desk.code("POST", search, {}, key=desk.key_of(payer)) == (403, "scope_missing")


def test_escrows(desk: Desk) -> None:
    """A trade from agreement to release and another to a refund, each side with its own key."""
    buyer, seller = desk.party(pounds=1_000), desk.party("merchant")
    body = {"buyer": buyer, "seller": seller, "amount": 500, "currency": "GBP"}
    keys = {"buyer": desk.key_of(buyer), "seller": desk.key_of(seller)}
    path = f"/v1/escrows/{desk.post('/v1/escrows', body, key=keys['buyer'])['id']}"
    assert desk.post(f"{path}/pay", key=keys["buyer"])["state"] == "WAIT_SELLER_SEND_GOODS"
    assert desk.code("POST", f"{path}/ship", key=keys["buyer"])[0] == 422
    shipped = desk.post(f"{path}/ship", key=keys["seller"])
    assert (shipped["state"], shipped["held"]) == ("WAIT_BUYER_CONFIRM_GOODS", 500)
    assert shipped["timer_due"] is not None
    done = desk.post(f"{path}/confirm", {"acting_as": "buyer"})
    assert (done["state"], done["released"], done["timer"]) == ("TRADE_FINISHED", 500, None)
    assert desk.code("POST", f"{path}/confirm", key=keys["buyer"])[0] == 422
    assert desk.get(path, key=keys["seller"]) == done
    assert desk.get(f"/v1/accounts?party={seller}")[0]["balance"] == 497

    path = f"/v1/escrows/{desk.post('/v1/escrows', body)['id']}"
    desk.post(f"{path}/pay", {"acting_as": "buyer"})
    asked = desk.post(f"{path}/refund", {"amount": 500}, key=keys["buyer"])
    assert asked["refund_state"] == "WAIT_SELLER_AGREE"
    assert desk.post(f"{path}/refund/agree", key=keys["seller"])["refunded"] == 500
    assert desk.code("POST", f"{path}/refund", {"amount": 1}, key=keys["buyer"])[0] == 422
    stranger = desk.key_of(desk.party())
    assert desk.code("GET", path, key=stranger) == desk.code("GET", f"/v1/escrows/esc_{NOBODY}", key=stranger)
    assert desk.code("POST", f"{path}/pay", key=stranger) == (404, "not_found")
    assert desk.code("POST", "/v1/escrows", body, key=stranger) == (404, "not_found")
    assert desk.code("POST", "/v1/escrows", body | {"currency": "AAA"}) == (422, "unknown_currency")


def test_a_clock_that_is_put_forward(desk: Desk) -> None:
    """Ten days later an escrow that nobody confirmed is released by itself; a jump loses no timer."""
    buyer, seller = desk.party(pounds=1_000), desk.party("merchant")
    body = {"buyer": buyer, "seller": seller, "amount": 500, "currency": "GBP"}
    path = f"/v1/escrows/{desk.post('/v1/escrows', body)['id']}"
    desk.post(f"{path}/pay", {"acting_as": "buyer"})
    desk.post(f"{path}/ship", {"acting_as": "seller"})
    before = desk.get("/v1/clock")["now"]
    after = desk.post("/v1/clock/advance", {"seconds": 11 * 86_400})["now"]
    assert after > before
    assert desk.get(path)["state"] == "TRADE_FINISHED"
    assert desk.code("POST", "/v1/clock/advance", {"seconds": 0}) == (400, "malformed_field")


def test_keys(desk: Desk) -> None:
    """A key's text is shown once; it is rotated and revoked, and gives nothing its maker does not have."""
    party = desk.party()
    body = {"party": party, "scopes": ["accounts:read", "keys:write"], "expires_at": "2100-01-01T00:00:00Z"}
    made = desk.ask("POST", "/v1/keys", json=body, headers={"Idempotency-Key": "k"}).json()
    assert made["key"].startswith("fk_test_")
    again = desk.ask("POST", "/v1/keys", json=body, headers={"Idempotency-Key": "k"}).json()
    assert again == made | {"key": None}
    assert desk.get(f"/v1/accounts?party={party}", key=made["key"])
    assert desk.code("POST", "/v1/keys", body | {"scopes": ["clock:write"]}, key=made["key"]) == (
        403,
        "scope_missing",
    )
    assert desk.code("POST", "/v1/keys", body | {"scopes": ["all"]}) == (422, "unknown_scope")
    rotated = desk.post(f"/v1/keys/{made['id']}/rotate", {"overlap_seconds": 0})
    assert rotated["key"] != made["key"]
    assert desk.get(f"/v1/keys/{made['id']}", key=rotated["key"])["key"] is None
    assert desk.post(f"/v1/keys/{made['id']}/revoke")["status"] == "revoked"
    fresh = Desk(desk.api, desk.factory, desk.house_key)
    fresh.api._authenticator._known.clear()
    assert desk.code("GET", f"/v1/accounts?party={party}", key=rotated["key"]) == (401, "key_invalid")
    assert desk.code("GET", f"/v1/keys/key_{NOBODY}") == (404, "not_found")


def test_tokens(desk: Desk) -> None:
    """A token acts for its one party until it expires, and makes no other token."""
    party, other = desk.party(pounds=100), desk.party()
    body = {"party": party, "scopes": ["payments:write", "accounts:read", "tokens:write"], "seconds": 60}
    token = desk.post("/v1/tokens", body)["token"]
    pay = {"payer": party, "payee": other, "amount": 5, "currency": "GBP"}
    assert desk.post("/v1/payments", pay, key=token)["status"] == "completed"
    assert desk.code("GET", f"/v1/accounts?party={other}", key=token) == (404, "not_found")
    assert desk.code("POST", "/v1/tokens", body, key=token) == (403, "scope_missing")
    assert desk.code("GET", "/v1/clock", key=token[:-1] + "x")[0] == 401
    desk.post("/v1/clock/advance", {"seconds": 61})
    assert desk.code("GET", f"/v1/accounts?party={party}", key=token)[0] == 401
    assert desk.code("POST", "/v1/tokens", body | {"party": f"pty_{NOBODY}"}) == (404, "not_found")


def test_refunds(desk: Desk) -> None:
    """The payee gives back what was paid in parts, never more in all."""
    payer, payee = desk.party(pounds=100), desk.party()
    pay = {"payer": payer, "payee": payee, "amount": 50, "currency": "GBP"}
    path = f"/v1/payments/{desk.post('/v1/payments', pay)['id']}/refunds"
    assert desk.post(path, {"amount": 20})["refunded"] == 20
    assert desk.post(path, {"amount": 30}, key=desk.key_of(payee))["refunded"] == 50
    assert desk.code("POST", path, {"amount": 1}) == (422, "refund_exceeds_payment")
    assert desk.code("POST", path, {"amount": 1}, key=desk.key_of(payer)) == (404, "not_found")
    assert desk.get(f"/v1/accounts?party={payer}")[0]["balance"] == 100


def test_rail_orders(desk: Desk) -> None:
    """Money comes in when the bank says so, and goes out or comes back."""
    party = desk.party()
    top_up = {"direction": "top_up", "party": party, "amount": 70, "currency": "GBP"}
    order = desk.post("/v1/rail-orders", top_up)
    path = f"/v1/rail-orders/{order['id']}"
    assert order["state"] == "requested"
    assert desk.post(f"{path}/confirm")["state"] == "confirmed"
    assert desk.get(f"/v1/accounts?party={party}")[0]["balance"] == 70
    assert desk.code("POST", f"{path}/fail") == (422, "rail_order_wrong_state")
    out = desk.post("/v1/rail-orders", top_up | {"direction": "cash_out"})
    assert desk.get(f"/v1/accounts?party={party}")[0]["available"] == 0
    assert desk.post(f"/v1/rail-orders/{out['id']}/fail")["state"] == "failed"
    assert desk.post(f"{path}/return")["state"] == "returned"
    assert desk.get(path)["state"] == "returned"
    assert desk.code("POST", "/v1/rail-orders", top_up | {"currency": "AAA"}) == (422, "unknown_currency")


def test_events(desk: Desk) -> None:
    """Events come in order, each once, a page at a time; only the house reads them."""
    desk.party()
    desk.party()
    seen: list[str] = []
    cursor = "0"
    while True:
        page = desk.get(f"/v1/events?cursor={cursor}&limit=2")
        cursor = page["next"]
        if not page["items"]:
            break
        seen += [event["kind"] for event in page["items"]]
    assert seen.count("party.PartyRegistered") == 3
    assert seen.count("credential.KeyIssued") == 1
    assert desk.code("GET", "/v1/events", key=desk.key_of(desk.party(), ["events:read"]))[0] == 403


def test_health_and_metrics(desk: Desk) -> None:
    """Without any key: alive, ready, and figures that name nobody."""
    for path in ("/healthz", "/readyz"):
        assert desk.ask("GET", path, headers={"Authorization": ""}).status_code == 200
    payer = desk.party(pounds=10)
    pay = {"payer": payer, "payee": desk.party(), "amount": 1, "currency": "GBP"}
    desk.post("/v1/payments", pay)
    text = desk.ask("GET", "/metrics", headers={"Authorization": ""}).text
    assert 'formicary_payments_total{outcome="completed"} 1.0' in text
    assert 'formicary_http_answers_total{route="/v1/parties",status="201"} 2.0' in text
    assert payer not in text
    assert payer.removeprefix("pty_") not in text


def test_paths_and_methods_that_are_not_there(desk: Desk) -> None:
    """Nothing is there but what is documented, in one spelling."""
    for path in ("/", "/v1", "/v1/parties/", "/v2/parties", "/docs", "/openapi.json", "/v1/nothing"):
        assert desk.code("GET", path) == (404, "not_found")
    assert desk.code("DELETE", "/v1/parties") == (405, "method_not_allowed")
    assert desk.code("GET", "/v1/nothing", headers={"Authorization": ""})[0] == 401


def test_statements(desk: Desk) -> None:
    """What was booked in a period, as a table and in the standard's form."""
    payer, payee = desk.party(pounds=1_000), desk.party()
    pay = {"payer": payer, "payee": payee, "currency": "GBP"}
    first = desk.post("/v1/payments", pay | {"amount": 10})["created_at"]
    second = desk.post("/v1/payments", pay | {"amount": 20})["created_at"]
    path = f"/v1/accounts/{desk.get(f'/v1/accounts?party={payer}')[0]['id']}/statement"
    table = desk.ask("GET", f"{path}?since={first}&until={second}")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert [line.split(",")[1] for line in table.text.splitlines()] == ["amount", "-0.10", "-0.20"]
    form = desk.ask("GET", f"{path}?since={second}&until={second}&format=camt.053")
    assert form.headers["content-type"] == "application/xml"
    assert "camt.053.001.08" in form.text
    assert ">9.90<" in form.text
    assert desk.code("GET", f"{path}?since={second}&until={first}") == (400, "malformed_field")
    assert desk.code("GET", f"{path}?since={second}&until={second}&format=pdf") == (400, "malformed_field")


def test_nobody_makes_themselves_two_persons(desk: Desk) -> None:
    """The house's second approver gets a key past the API: one key can not make another that approves."""
    house = "pty_" + "0" * 25 + "1"
    body = {"party": house, "scopes": ["approvals:write"]}
    assert desk.code("POST", "/v1/keys", body) == (403, "scope_missing")
    assert desk.post("/v1/keys", body | {"scopes": ["accounts:read"]})["status"] == "active"


def test_webhooks(desk: Desk) -> None:
    """An address is registered, its secret shown once, and removed; only the house does that."""
    body = {"url": "http://127.0.0.1:9/hook", "kinds": ["escrow.EscrowPaid"]}
    made = desk.ask("POST", "/v1/webhooks", json=body, headers={"Idempotency-Key": "k"}).json()
    assert made["secret"].startswith("whsec_")
    again = desk.ask("POST", "/v1/webhooks", json=body, headers={"Idempotency-Key": "k"}).json()
    assert again == made | {"secret": None}
    assert desk.get("/v1/webhooks") == [again]
    assert desk.get(f"/v1/webhooks/{made['id']}") == again
    assert desk.post(f"/v1/webhooks/{made['id']}/redeliver") == again
    assert desk.code("POST", "/v1/webhooks", {"url": "gopher://x"}) == (422, "webhook_target_forbidden")
    assert desk.ask("DELETE", f"/v1/webhooks/{made['id']}").status_code == 204
    assert desk.code("GET", f"/v1/webhooks/{made['id']}") == (404, "not_found")


def test_a_body_is_json_whatever_it_is_called(desk: Desk) -> None:
    """``curl -d`` says that it sends a form."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = desk.ask("POST", "/v1/parties", content=b'{"kind": "person"}', headers=headers)
    assert answer.status_code == 201
    answer = desk.ask("POST", "/v1/parties", content=b"kind=person", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")


def test_a_refusal_says_what_an_id_looks_like(desk: Desk) -> None:
    """The detail is about the id that was sent, not about another kind of id."""
    body = {"payer": "x", "payee": "y", "amount": 1, "currency": "GBP"}
    problem = desk.ask("POST", "/v1/payments", json=body).json()
    assert (problem["code"], problem["param"]) == ("malformed_id", "payer")
    assert "pty_" in problem["detail"]

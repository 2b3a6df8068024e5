"""The routes of ``/v1`` that are not hot, through FastAPI, and the document of all of them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from formicary import __version__
from formicary.base.errors import OperationalFault, Refusal
from formicary.surfaces.api.exchange import Exchange
from formicary.surfaces.api.payments import BatchBody, BatchDocument, PaymentBody, PaymentDocument
from formicary.surfaces.api.problems import (
    MalformedBody,
    MalformedField,
    MethodNotAllowed,
    NotFound,
    Problem,
    problem_of,
)
from formicary.surfaces.api.routes import (
    accounts,
    appeals,
    approvals,
    business_dates,
    consents,
    credit_applications,
    credit_offers,
    credit_policies,
    credit_scores,
    escrows,
    events,
    experiments,
    held_payments,
    keys,
    lending_funds,
    lending_portfolio,
    loans,
    parties,
    payments,
    profiles,
    rail_orders,
    refunds,
    score_disputes,
    score_sharing,
    statements,
    system,
    tokens,
    transfers,
    webhooks,
)
from formicary.surfaces.api.services import Services

__all__ = ["build_rest", "document"]

_ROUTERS: Final = (
    parties.router,
    profiles.router,
    consents.router,
    accounts.router,
    statements.router,
    transfers.router,
    payments.router,
    held_payments.router,
    refunds.router,
    rail_orders.router,
    escrows.router,
    keys.router,
    tokens.router,
    approvals.router,
    appeals.router,
    experiments.router,
    credit_scores.router,
    credit_policies.router,
    credit_applications.router,
    score_sharing.router,
    score_disputes.router,
    credit_offers.router,
    loans.router,
    business_dates.router,
    lending_funds.router,
    lending_portfolio.router,
    events.router,
    webhooks.router,
    system.router,
    system.public_router,
)
_PLACES: Final = {"body", "query", "path", "header"}
_HOT: Final = {
    "/v1/payments": (
        PaymentBody,
        PaymentDocument,
        {"201": "Done", "202": "Its money is held"},
        "Make a payment",
    ),
    "/v1/payments/batch": (BatchBody, BatchDocument, {"200": "Done"}, "Make many payments, each by itself"),
}
_WITHOUT_KEY: Final = ("/v1/transfers/search", "/v1/clock/advance", "/v1/tokens")
_REF: Final = "#/components/schemas/{name}"


def build_rest(services: Services | None = None) -> FastAPI:
    """Return the application; without services it answers nothing and still has its document."""
    app = FastAPI(
        title="formicary",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # A path has one spelling: another one is not there.
        redirect_slashes=False,
    )
    app.state.services = services
    for router in _ROUTERS:
        app.include_router(router)
    app.add_exception_handler(Refusal, _answer_error)
    app.add_exception_handler(OperationalFault, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    return app


def _problem(request: Request, error: Refusal | OperationalFault) -> Response:
    exchange: Exchange = request.scope["formicary.exchange"]
    problem = problem_of(error, exchange.request_id)
    headers = {name.decode(): value.decode() for name, value in problem.headers}
    return Response(problem.body(), problem.status, headers, "application/problem+json")


def _answer_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal | OperationalFault)  # noqa: S101, as registered
    return _problem(request, error)


def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101, as registered
    first = error.errors()[0]
    place = [str(part) for part in first["loc"] if part not in _PLACES]
    if first["type"] == "json_invalid" or not place:
        return _problem(request, MalformedBody(first["msg"]))
    return _problem(request, MalformedField(first["msg"], param=".".join(place)))


def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101, as registered
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response = _problem(request, MethodNotAllowed())
        response.headers.update(error.headers or {})
        return response
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _problem(request, NotFound())
    return _problem(request, MalformedBody(str(error.detail)))


# -- the document ------------------------------------------------------------------------------


def document() -> dict[str, Any]:
    """Return the OpenAPI document of every route, the hot ones included."""
    openapi = build_rest().openapi()
    types = [kind for body, answer, *_ in _HOT.values() for kind in (body, answer)]
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=_REF)
    openapi["components"]["schemas"].update(components)
    openapi["components"]["schemas"].pop("HTTPValidationError", None)
    openapi["components"]["schemas"].pop("ValidationError", None)
    openapi["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    for path, (body, answer, statuses, summary) in _HOT.items():
        operation = {
            "tags": ["payments"],
            "summary": summary,
            "operationId": summary.lower().replace(" ", "_").replace(",", ""),
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": schemas[types.index(body)]}},
            },
            "responses": {
                status: {
                    "description": description,
                    "content": {"application/json": {"schema": schemas[types.index(answer)]}},
                }
                for status, description in statuses.items()
            },
        }
        openapi["paths"].setdefault(path, {})["post"] = operation
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
    return openapi


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Add what all operations have in common: problems, who asks, the idempotency key."""
    operation["responses"].pop("422", None)
    problem = {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}}
    operation["responses"]["default"] = {"description": "A problem document", "content": problem}
    if not path.startswith("/v1"):
        return
    operation["security"] = [{"bearer": []}]
    if method == "post" and path not in _WITHOUT_KEY:
        operation.setdefault("parameters", []).append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            }
        )

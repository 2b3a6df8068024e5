"""Requests made from the document by schemathesis, right ones and wrong ones, to every route."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.openapi import from_dict

from formicary.base.errors import Refusal
from formicary.surfaces.api.rest import document

__all__ = ["Fuzz", "Report"]

_SERVER_ERROR: Final = 500
_NOT_NOW: Final = 503
_FINDINGS_MAX: Final = 20

# What would make every later request something else than what it says.
_LEFT_OUT: Final = frozenset({("POST", "/v1/clock/advance")})


@dataclass
class Report:
    """What came of it: answers by status, and what should not have been."""

    cases: int = 0
    keys: int = 0
    dropped: int = 0
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """Return the figures by name."""
        return {
            "cases": self.cases,
            "keys, each a hundred times at once": self.keys,
            "answers dropped after their commit": self.dropped,
            "seconds": round(self.seconds, 1),
            **{f"answers {status}": count for status, count in sorted(self.statuses.items())},
            "findings": len(self.findings),
        }


class Fuzz:
    """Sends what schemathesis makes up.

    Parameters
    ----------
    client
        Reaches the API.
    key
        An API key with every scope.
    known
        Ids of what is there, by the names of the paths' parameters: half of the requests are about them.
    seed_number
        Of what is made up.
    """

    def __init__(
        self, client: httpx.Client, key: str, *, known: Mapping[str, str], seed_number: int = 0
    ) -> None:
        self._client = client
        self._key = key
        self._known = known
        self._seed = seed_number
        self.report = Report()

    def run(self, cases: int, say: Callable[[str], None] = lambda _: None) -> Report:
        """Send at least so many requests, as many to each route as can be made up."""
        config = SchemathesisConfig()
        schema = from_dict(document(), config=config)
        operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
        wanted = [one for one in operations if (one.method.upper(), one.path) not in _LEFT_OUT]
        began = time.monotonic()
        # Of some routes less can be made than was asked for: what is missing is made of all of them.
        while (missing := cases - self.report.cases) > 0:
            each = -(-missing // (2 * len(wanted)))
            for operation in wanted:
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                    self._try(operation, mode, each)
                say(f"{operation.method.upper()} {operation.path}: {self.report.cases} cases")
            self._seed += 1
        self.report.seconds = time.monotonic() - began
        return self.report

    def _try(self, operation: Any, mode: GenerationMode, each: int) -> None:
        @seed(self._seed)
        @settings(
            max_examples=each,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def send(case: Case[Any]) -> None:
            self._send(case)

        # Of a route without parameters nothing wrong can be made.
        with suppress(Unsatisfiable):
            send()

    def _send(self, case: Case[Any]) -> None:
        if self.report.cases % 2:
            for name in case.path_parameters.keys() & self._known.keys():
                case.path_parameters[name] = self._known[name]
        given = case.as_transport_kwargs(base_url=str(self._client.base_url))
        given.pop("cookies", None)
        if isinstance(given.get("data"), bytes | str):
            given["content"] = given.pop("data")
        given["headers"] = {
            "Idempotency-Key": f"fuzz-{self.report.cases}",
            **dict(given.get("headers") or {}),
            "Authorization": f"Bearer {self._key}",
        }
        try:
            answer = self._client.request(**given)
        except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeEncodeError):
            # No client can send it.
            return
        self.report.cases += 1
        self.report.statuses[answer.status_code] += 1
        self._judge(case, answer)

    def _judge(self, case: Case[Any], answer: httpx.Response) -> None:
        wrong = ""
        if answer.status_code >= _SERVER_ERROR and case.path != "/readyz":
            wrong = f"{answer.status_code}"
        elif answer.is_error:
            problem = answer.json()
            if problem.get("code") not in Refusal.codes():
                wrong = f"an undocumented code {problem.get('code')!r}"
            elif answer.headers["content-type"] != "application/problem+json":
                wrong = f"a problem as {answer.headers['content-type']}"
        if wrong and len(self.report.findings) < _FINDINGS_MAX:
            self.report.findings.append(f"{wrong} to {case.as_curl_command()[:600]}: {answer.text[:200]}")

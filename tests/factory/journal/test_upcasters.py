"""Old bodies take the present form; newer ones are refused."""

from __future__ import annotations

import pytest

from formicary.base.errors import ProgrammingError
from formicary.factory.journal.errors import JournalTooNew
from formicary.factory.journal.upcasters import Body, Upcasters
from tests.factory.journal.kit import event


@pytest.fixture
def upcasters() -> Upcasters:
    """Give a kind that is at its third version."""
    upcasters = Upcasters()
    upcasters.declare("Happened", version=3)

    @upcasters.upcast("Happened", version=1)
    def _first_change(body: Body) -> Body:
        return {**body, "second": body["n"] + 1}

    @upcasters.upcast("Happened", version=2)
    def _second_change(body: Body) -> Body:
        return {"third": body["second"] * 2}

    return upcasters


@pytest.mark.parametrize(
    ("version", "body", "expected"),
    [(1, b'{"n":1}', b'{"third":4}'), (2, b'{"second":5}', b'{"third":10}'), (3, b'{ "x":0}', b'{ "x":0}')],
)
def test_a_body_passes_through_every_version(
    upcasters: Upcasters, version: int, body: bytes, expected: bytes
) -> None:
    """Each step is taken once; a present body is not touched at all."""
    upcasters.check()
    found = upcasters.apply(event(7, version=version, body=body))
    assert (found.version, found.body, found.position) == (3, expected, 7)


def test_newer_versions_and_kinds_are_refused(upcasters: Upcasters) -> None:
    """Whoever does not know a form does not guess."""
    with pytest.raises(JournalTooNew, match="knows versions up to 3"):
        upcasters.apply(event(1, version=4))
    with pytest.raises(JournalTooNew, match="knows no such kind"):
        upcasters.apply(event(1, kind="Unheard"))


def test_raw_events_pass() -> None:
    """A tool that does not look into bodies needs no upcasters."""
    stored = event(1, kind="Unheard", version=9)
    assert Upcasters(raw=True).apply(stored) is stored


def test_a_missing_step_is_an_error_of_the_code(upcasters: Upcasters) -> None:
    """It is found at start-up, not when an old event is read."""
    upcasters.declare("Other", version=2)
    with pytest.raises(ProgrammingError, match="Other has no upcaster from version 1"):
        upcasters.check()


def test_nothing_is_registered_twice(upcasters: Upcasters) -> None:
    """A kind has one present version and one way there."""
    upcasters.declare("Happened", version=3)
    with pytest.raises(ProgrammingError, match="versions 3 and 4"):
        upcasters.declare("Happened", version=4)
    with pytest.raises(ProgrammingError, match="two upcasters from version 1"):
        upcasters.upcast("Happened", version=1)(dict)

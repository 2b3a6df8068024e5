"""Eras: which meaning the kernels had from where on."""

from __future__ import annotations

import pytest

from formicary.factory.journal.errors import JournalCorrupted, JournalTooNew
from formicary.factory.journal.semantics import (
    Era,
    declare_semantics,
    eras_of,
    require_known,
    semantics_activated,
)
from formicary.factory.journal.upcasters import Upcasters


def test_eras_are_the_events_in_order() -> None:
    """Each event begins an era."""
    events = [semantics_activated(semantics=n, position=10 * n, timestamp=1) for n in (1, 2, 5)]
    assert eras_of(events) == tuple(Era(semantics=n, position=10 * n) for n in (1, 2, 5))


def test_semantics_only_increase() -> None:
    """A version that comes again would make the rows between ambiguous."""
    events = [semantics_activated(semantics=n, position=n, timestamp=1) for n in (2, 2)]
    with pytest.raises(JournalCorrupted, match="follow semantics 2"):
        eras_of(events)


def test_only_newer_semantics_are_refused() -> None:
    """A journal without eras, or of older ones, can be opened."""
    eras = (Era(semantics=1, position=1), Era(semantics=3, position=9))
    require_known((), semantics=1)
    require_known(eras, semantics=3)
    require_known(eras, semantics=4)
    with pytest.raises(JournalTooNew, match="semantics 3 from position 9"):
        require_known(eras, semantics=2)


def test_the_event_is_known_once_declared() -> None:
    """Reading it needs no product."""
    upcasters = Upcasters()
    declare_semantics(upcasters)
    event = semantics_activated(semantics=1, position=1, timestamp=1)
    assert upcasters.apply(event) is event

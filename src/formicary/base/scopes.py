"""What a credential may do: a set of named permissions, stored as one number.

They stand below the factory because they name what the ways in offer: the factory keeps the number, and a
way in asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntFlag

from formicary.base.errors import Refusal

__all__ = ["Scope", "UnknownScope", "scope_names", "scopes_of"]


class UnknownScope(Refusal):
    """A credential is given at least one scope, and only scopes that there are."""

    code = "unknown_scope"


class Scope(IntFlag):
    """One permission each; a number never changes its meaning, as credentials in the journal hold it."""

    PARTIES_READ = 1 << 0
    PARTIES_WRITE = 1 << 1
    PAYMENTS_WRITE = 1 << 2
    ACCOUNTS_READ = 1 << 3
    ESCROWS_WRITE = 1 << 4
    RAIL_WRITE = 1 << 5
    TOKENS_WRITE = 1 << 6
    KEYS_WRITE = 1 << 7
    APPROVALS_WRITE = 1 << 8
    EVENTS_READ = 1 << 9
    WEBHOOKS_WRITE = 1 << 10
    CLOCK_WRITE = 1 << 11
    CONSENTS_WRITE = 1 << 12
    DECISIONS_WRITE = 1 << 13
    EXPERIMENTS_READ = 1 << 14
    EXPERIMENTS_WRITE = 1 << 15
    SCORES_READ = 1 << 16
    SCORES_WRITE = 1 << 17
    SCORES_QUERY = 1 << 18
    LOANS_READ = 1 << 19
    LOANS_WRITE = 1 << 20
    APPLICATIONS_READ = 1 << 21
    APPLICATIONS_WRITE = 1 << 22
    LENDING_READ = 1 << 23
    LENDING_WRITE = 1 << 24


def scope_names(scopes: int) -> tuple[str, ...]:
    """Return the names of scopes, ``parties:read`` and so on, in the order of their numbers."""
    return tuple(_name(scope) for scope in Scope if scope & scopes)


def scopes_of(names: Iterable[str]) -> Scope:
    """Return the scopes of some names.

    Raises
    ------
    UnknownScope
        A name is none of a scope.
    """
    scopes = Scope(0)
    for name in names:
        if name not in _NAMED:
            raise UnknownScope
        scopes |= _NAMED[name]
    return scopes


def _name(scope: Scope) -> str:
    return str(scope.name).lower().replace("_", ":")


_NAMED = {_name(scope): scope for scope in Scope}

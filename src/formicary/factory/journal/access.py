"""Who may do what in the journal's database, and how to connect as one of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from psycopg.conninfo import conninfo_to_dict, make_conninfo

__all__ = ["Access", "Role"]


class Role(StrEnum):
    """The database roles: four from the most to the least that they may do, and one apart."""

    OWNER = "formicary_owner"
    """Runs migrations and looks after segments; owns every table."""
    WRITER = "formicary_writer"
    """The engine: adds rows, moves the fence, reads. It cannot change or delete a row."""
    FOLLOWER = "formicary_follower"
    """Reads the journal and keeps read models of its own in their own schema."""
    READER = "formicary_reader"
    """Reads tables and views: analysts."""
    VAULT = "formicary_vault"
    """Reads and changes personal data and the keys to it; sees nothing of the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to reach one database.

    Attributes
    ----------
    conninfo
        A libpq connection string or URL without a role.
    roles
        Whether the roles exist there and may be taken. Without them everything runs as the login, which owns
        the tables; triggers and rights revoked from the owner itself still keep rows final.
    peer
        Whether a role is a login of its own (peer authentication over a Unix socket). Otherwise the login
        takes it on.
    """

    conninfo: str
    roles: bool
    peer: bool = False

    def conninfo_for(self, role: Role) -> str:
        """Return a connection string that is ``role`` from its first statement on."""
        if not self.roles:
            return self.conninfo
        if self.peer:
            return make_conninfo(self.conninfo, user=role.value)
        given = str(conninfo_to_dict(self.conninfo).get("options", ""))
        return make_conninfo(self.conninfo, options=f"{given} -c role={role.value}".strip())

    @property
    def login(self) -> str:
        """A connection string as which the backends of a writer may be ended: the user they logged in as."""
        return self.conninfo_for(Role.WRITER) if self.peer else self.conninfo

"""Roles and databases: made where we may, done without where we may not."""

from __future__ import annotations

import logging
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from formicary.base.limits import DEADLINE_SECONDS
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.errors import JournalUnavailable

__all__ = ["access_by_url", "provide_database", "url_beside"]

_LOG: Final = logging.getLogger(__name__)
_HAS_ROLE: Final = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)"
_MAY_LOG_IN: Final = "SELECT rolcanlogin FROM pg_roles WHERE rolname = %s"
_HAS_DATABASE: Final = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)"
_MAY_BE_ALL: Final = (
    "SELECT bool_and(pg_has_role(current_user, name, 'MEMBER')) FROM unnest(%s::text[]) AS name"
)
_ROLES: Final = [role.value for role in Role]

Connection = psycopg.Connection[tuple[Any, ...]]


def provide_database(superuser_conninfo: str, database: str) -> Access:
    """Return access to a database of our own server; create it and the roles when missing.

    Every role is a login of its own there: the operating system says who connects.

    Raises
    ------
    JournalUnavailable
        The server failed.
    """
    try:
        with _connect(superuser_conninfo) as connection:
            for role in _ROLES:
                _create_role(connection, role, login=True)
            if not _exists(connection, _HAS_DATABASE, database):
                name, owner = sql.Identifier(database), sql.Identifier(Role.OWNER)
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, owner))
                connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
            # Each time: a database of an older release does not know the roles that came since.
            roles = sql.SQL(", ").join(map(sql.Identifier, _ROLES))
            grant = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
            connection.execute(grant.format(sql.Identifier(database), roles))
    except psycopg.Error as error:
        message = f"the database {database} could not be made: {error}"
        raise JournalUnavailable(message, sqlstate=error.sqlstate or "") from error
    conninfo = make_conninfo(superuser_conninfo, dbname=database, user=Role.READER.value)
    return Access(conninfo=conninfo, roles=True, peer=True)


def access_by_url(url: str, *, setting: str = "DATABASE_URL") -> Access:
    """Return access to the database of a URL; the login takes on the roles where it may have them.

    Parameters
    ----------
    url
        A libpq URL or connection string.
    setting
        Where it was given, for the message of an error.

    Raises
    ------
    JournalUnavailable
        The database cannot be reached.
    """
    try:
        with _connect(url) as connection:
            roles = _provide_roles(connection)
    except psycopg.Error as error:
        message = f"the database of {setting} cannot be reached: {error}"
        raise JournalUnavailable(message, sqlstate=error.sqlstate or "") from error
    if not roles:
        _LOG.warning(
            "the login may not create roles: triggers and rights revoked from itself keep rows final"
        )
    return Access(conninfo=url, roles=roles)


def url_beside(url: str, suffix: str) -> str:
    """Return a connection string of the database beside a URL's, named with a suffix; make it if missing.

    Raises
    ------
    JournalUnavailable
        The server cannot be reached, or the login may not make databases.
    """
    try:
        with _connect(url) as connection:
            name = f"{connection.info.dbname}{suffix}"
            if not _exists(connection, _HAS_DATABASE, name):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
                connection.execute(
                    sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name))
                )
    except psycopg.Error as error:
        message = f"there is no database {suffix} beside that of the URL: {error}"
        raise JournalUnavailable(message, sqlstate=error.sqlstate or "") from error
    return make_conninfo(url, dbname=name)


def _provide_roles(connection: Connection) -> bool:
    """Create the roles, join them, let the owner create schemas; False where that is refused."""
    try:
        with connection.transaction():
            for role in _ROLES:
                _create_role(connection, role, login=False)
            if not _exists(connection, _MAY_BE_ALL, _ROLES):
                roles = sql.SQL(", ").join(map(sql.Identifier, _ROLES))
                connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(roles))
            name = sql.Identifier(connection.info.dbname)
            connection.execute(
                sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(name, sql.Identifier(Role.OWNER))
            )
            # Refused without an error where we neither own the database nor may pass the right on.
            return _exists(
                connection, "SELECT has_database_privilege(%s, current_database(), 'CREATE')", Role.OWNER
            )
    except psycopg.errors.InsufficientPrivilege:
        return False


def _create_role(connection: Connection, role: str, *, login: bool) -> None:
    if not _exists(connection, _HAS_ROLE, role):
        kind = sql.SQL("LOGIN" if login else "NOLOGIN")
        connection.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(role), kind))
    elif login and not _exists(connection, _MAY_LOG_IN, role):
        # Made by somebody who reached our server by a URL.
        connection.execute(sql.SQL("ALTER ROLE {} LOGIN").format(sql.Identifier(role)))


def _exists(connection: Connection, query: str, parameter: object) -> bool:
    row = connection.execute(query.encode(), (parameter,)).fetchone()
    return bool(row and row[0])


def _connect(conninfo: str) -> Connection:
    return psycopg.connect(
        conninfo, autocommit=True, connect_timeout=DEADLINE_SECONDS, application_name="formicary provision"
    )

"""What ``formicary doctor`` finds on machines that are not as they should be."""

from __future__ import annotations

import ctypes
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from formicary.factory.journal.errors import PostgresNotFound
from formicary.factory.journal.server.os_user import OsUser
from formicary.runtime import health, health_postgres
from formicary.runtime.health import examine
from formicary.runtime.settings import Settings
from formicary.surfaces.cli.ports import Check, Outcome


class Usage(NamedTuple):
    """Of a disk, in bytes."""

    total: int
    used: int
    free: int


def checks(settings: Settings) -> dict[str, Check]:
    """Return the checks by name."""
    return {check.name: check for check in examine(settings)}


def outcome(settings: Settings, name: str) -> Outcome:
    """Return how a check went."""
    return checks(settings)[name].outcome


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give a home that does not exist yet, in a folder that does."""
    return Settings(home=tmp_path / "home")


def test_looking_changes_nothing(settings: Settings) -> None:
    """No folder is made and no server is started."""
    found = checks(settings)
    assert not settings.home.exists()
    assert "not running" in found["postgresql"].found
    assert "not made yet" in found["data folder"].found


def test_every_problem_has_advice(settings: Settings) -> None:
    """Whatever is not well says what to do about it."""
    assert [
        check.name for check in examine(settings) if check.outcome is not Outcome.OK and not check.advice
    ] == []


@pytest.mark.parametrize(("gibibytes", "expected"), [(100, Outcome.OK), (5, Outcome.WARN), (0, Outcome.FAIL)])
def test_disk_space(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, gibibytes: int, expected: Outcome
) -> None:
    """A full disk stops every commit; a small one soon does."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, gibibytes << 30))
    assert outcome(settings, "disk space") is expected


@pytest.mark.parametrize(("milliseconds", "expected"), [(0.1, Outcome.OK), (50.0, Outcome.WARN)])
def test_disk_sync(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, milliseconds: float, expected: Outcome
) -> None:
    """A slow disk is told, as every commit waits for it."""
    monkeypatch.setattr(health, "_sync_ms", lambda _: milliseconds)
    assert outcome(settings, "disk sync") is expected


def test_a_disk_that_does_not_write(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in which nothing can be written fails."""

    def refuse(_: Path) -> float:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(health, "_sync_ms", refuse)
    assert outcome(settings, "disk sync") is Outcome.FAIL


def test_a_closed_data_folder(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home that cannot be made fails."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert health._home(settings.home, settings.home.parent).outcome is Outcome.FAIL


@pytest.mark.parametrize(("cores", "expected"), [({0}, Outcome.WARN), ({0, 1}, Outcome.OK)])
def test_cores(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, cores: set[int], expected: Outcome
) -> None:
    """One core is little, as engine and database each want one."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cores)
    assert outcome(settings, "cores") is expected


@pytest.mark.parametrize(("state", "expected"), [(5, Outcome.WARN), (0, Outcome.OK)])
def test_clock_that_nothing_keeps_right(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, state: int, expected: Outcome
) -> None:
    """The kernel knows whether something synchronizes the clock."""

    class Library:
        def __init__(self, _: object) -> None:
            self.adjtimex = lambda _: state

    monkeypatch.setattr(ctypes, "CDLL", Library)
    assert outcome(settings, "clock") is expected


def test_clock_without_the_call(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that cannot say is no problem."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert outcome(settings, "clock") is Outcome.OK


def test_clock_far_in_the_past(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that believes in 1970 must not stamp a journal."""

    class Past(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Past:
            return cls(1970, 1, 1, tzinfo=tz or UTC)

    monkeypatch.setattr(health, "datetime", Past)
    assert outcome(settings, "clock") is Outcome.FAIL


def test_kernels(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty cache is a warning, a full one is well, one that cannot be written fails."""
    monkeypatch.setenv("FORMICARY_CACHE", str(tmp_path))
    assert outcome(settings, "compiled kernels") is Outcome.WARN
    [folder] = tmp_path.glob("kernels-*")
    (folder / "one.nbi").touch()
    assert outcome(settings, "compiled kernels") is Outcome.OK
    monkeypatch.setenv("FORMICARY_CACHE", "/proc/none")
    assert outcome(settings, "compiled kernels") is Outcome.FAIL


def test_socket(settings: Settings) -> None:
    """A path that is too long for a socket fails; whether an engine runs is told."""
    assert "no engine runs" in checks(settings)["engine's socket"].found
    settings.home.mkdir()
    settings.engine_socket.touch()
    assert "in use" in checks(settings)["engine's socket"].found
    long = Settings(home=settings.home / ("x" * 100))
    assert outcome(long, "engine's socket") is Outcome.FAIL


def test_data_sets(settings: Settings, tmp_path: Path) -> None:
    """Without the real data the demo invents some."""
    assert outcome(settings, "data sets") is Outcome.WARN
    assert outcome(replace(settings, data_sets=tmp_path / "none"), "data sets") is Outcome.WARN
    assert outcome(replace(settings, data_sets=tmp_path), "data sets") is Outcome.OK


def test_no_postgresql(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without PostgreSQL fails, and so does one without a user to run it as."""

    def refuse(*_: object) -> None:
        raise PostgresNotFound

    monkeypatch.setattr(health_postgres, "find_binaries", refuse)
    monkeypatch.setattr(health_postgres, "server_user", refuse)
    assert outcome(settings, "postgresql programs") is Outcome.FAIL
    assert outcome(settings, "postgresql's user") is Outcome.FAIL


def test_a_home_that_the_server_cannot_enter(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root the server runs as somebody else, who must be able to enter."""
    somebody = OsUser(name="somebody", uid=12_345, gid=12_345)
    monkeypatch.setattr(health_postgres, "server_user", lambda _: somebody)
    monkeypatch.setattr(health_postgres, "can_reach", lambda _, user: user is not somebody)
    assert outcome(settings, "postgresql's user") is Outcome.FAIL


def test_a_server_that_does_not_answer(settings: Settings) -> None:
    """A database that cannot be reached fails."""
    by_url = replace(settings, database_url="host=/nowhere dbname=none")
    assert outcome(by_url, "postgresql") is Outcome.FAIL


@pytest.mark.parametrize(
    ("values", "durability", "standby"),
    [
        ({"fsync": "off"}, Outcome.FAIL, Outcome.WARN),
        ({"synchronous_standby_names": "other"}, Outcome.OK, Outcome.OK),
    ],
)
def test_durability(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    values: dict[str, str],
    durability: Outcome,
    standby: Outcome,
) -> None:
    """A server that may forget fails; one with a synchronous standby also survives its machine."""
    names = (*health_postgres._SHOWN, *health_postgres._DURABLE)
    well = {**dict.fromkeys(names, "on"), "synchronous_standby_names": "", **values}
    monkeypatch.setattr(health_postgres, "_values", lambda _: well)
    found = checks(replace(settings, database_url="dbname=some"))
    assert (found["durability"].outcome, found["lost machine"].outcome) == (durability, standby)

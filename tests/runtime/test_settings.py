"""Where things are."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.runtime.settings import SettingMalformed, Settings, read_settings


@pytest.mark.parametrize(
    ("environment", "home"),
    [
        ({"FORMICARY_HOME": "/srv/house"}, "/srv/house"),
        ({"FORMICARY_HOME": "house"}, "/somewhere/house"),
        ({"FORMICARY_HOME": "", "XDG_DATA_HOME": "/srv/data"}, "/srv/data/formicary"),
        ({"HOME": "/people/ada"}, "/people/ada/.local/share/formicary"),
        ({}, "/nonexistent/.local/share/formicary"),
    ],
)
def test_home(environment: dict[str, str], home: str) -> None:
    """The home is named, or lies where the user's data do; an empty variable is none."""
    settings = read_settings(environment, folder=Path("/somewhere"), is_root=False)
    assert settings.home == Path(home)


def test_home_of_root() -> None:
    """Root's own folder is closed to the server's user, so root's data lie elsewhere."""
    settings = read_settings({"HOME": "/closed"}, folder=Path("/somewhere"), is_root=True)
    assert settings.home == Path("/var/lib/formicary")


def test_database_url() -> None:
    """An empty URL is none."""
    urls = [
        read_settings({"DATABASE_URL": url}, folder=Path("/"), is_root=False).database_url
        for url in ("", "postgresql:///house")
    ]
    assert urls == [None, "postgresql:///house"]


def test_data_sets(tmp_path: Path) -> None:
    """The data sets are named, or lie beside the checkout, or are not there."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    assert read_settings({}, folder=checkout, is_root=False).data_sets is None
    beside = tmp_path / "shared" / "data"
    beside.mkdir(parents=True)
    assert read_settings({}, folder=checkout, is_root=False).data_sets == beside
    named = read_settings({"FORMICARY_DATA": "sets"}, folder=checkout, is_root=False)
    assert named.data_sets == checkout / "sets"


def test_folders_are_apart() -> None:
    """No two parts write to the same place, and all of them below the home."""
    settings = Settings(home=Path("/srv/house"))
    places = [
        getattr(settings, name) for name in dir(Settings) if name.endswith(("_folder", "_socket", "_file"))
    ]
    assert len(set(places)) == len(places) == 13
    assert {place.parent for place in places} == {settings.home}


def test_the_api(tmp_path: Path) -> None:
    """One worker on port 8420 unless told otherwise; what is no number is refused, not guessed."""
    plain = read_settings({}, folder=tmp_path, is_root=False)
    assert (plain.api_port, plain.api_workers, plain.is_sandbox, plain.key) == (8_420, 1, False, None)
    environment = {"FORMICARY_API_PORT": "80", "FORMICARY_API_WORKERS": "2", "FORMICARY_SANDBOX": "1"}
    told = read_settings(environment | {"FORMICARY_KEY": "k"}, folder=tmp_path, is_root=False)
    assert (told.api_port, told.api_workers, told.is_sandbox, told.key) == (80, 2, True, "k")
    for wrong in ("-1", "eighty", "65536", "\u0663"):
        with pytest.raises(SettingMalformed):
            read_settings({"FORMICARY_API_PORT": wrong}, folder=tmp_path, is_root=False)


def test_a_teams_features(tmp_path: Path) -> None:
    """The file is named, from the current folder on; an empty variable names none."""
    named = read_settings({"FORMICARY_FEATURES": "team/features.py"}, folder=tmp_path, is_root=False)
    assert named.features == tmp_path / "team" / "features.py"
    assert read_settings({"FORMICARY_FEATURES": ""}, folder=tmp_path, is_root=False).features is None


def test_learning() -> None:
    """Models learn by themselves unless told otherwise."""
    told = [
        read_settings({"FORMICARY_LEARNING": value}, folder=Path("/"), is_root=False).is_learning
        for value in ("", "1", "0")
    ]
    assert told == [True, True, False]

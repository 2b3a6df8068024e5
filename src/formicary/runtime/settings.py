"""Where things are, read from an explicit mapping: nothing else looks at the environment.

``FORMICARY_HOME``
    Holds all data: the embedded database, snapshots, sealed ids, the engine's socket.
``DATABASE_URL``
    A PostgreSQL to use instead of the embedded one.
``FORMICARY_KEYS_URL``
    The PostgreSQL that holds the keys to personal data, best on another server.
``FORMICARY_API_PORT``
    Where the API listens on this machine: 8420 unless given.
``FORMICARY_API_WORKERS``
    How many processes answer it: 1 unless given.
``FORMICARY_SANDBOX``
    1 for a factory whose clock can be put forward, and whose webhooks may go to private addresses.
``FORMICARY_URL``
    The API that the client's commands ask: the one on this machine unless given.
``FORMICARY_KEY``
    The API key they ask with.
``FORMICARY_DATA``
    The folder of real data sets, for the demo and some tests.
``FORMICARY_LEARNING``
    0 where no model is to learn by itself.
``FORMICARY_FEATURES``
    A Python file with a team's own sets of features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from formicary.base.errors import Refusal

__all__ = ["SettingMalformed", "Settings", "read_settings"]

# Root's own folder is closed to the unprivileged user that PostgreSQL runs as.
_HOME_OF_ROOT: Final = Path("/var/lib/formicary")
_API_PORT: Final = 8_420
_NUMBER_MAX: Final = 65_535
_DATA_SETS: Final = Path("..", "shared", "data")


class SettingMalformed(Refusal):
    """A setting in the environment is not what it must be."""

    code = "setting_malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where things are.

    Attributes
    ----------
    home
        The folder that holds all data.
    database_url
        The PostgreSQL to use; the embedded one unless given.
    keys_url
        The PostgreSQL of the keys to personal data; a second database beside the first unless given.
    data_sets
        The folder of real data sets, where there is one.
    api_port
        Where the API listens, on this machine only; 0 for a port that is free.
    api_workers
        How many processes answer it.
    is_sandbox
        Whether its clock can be put forward.
    url, key
        The API that the client's commands ask, and the key they ask with.
    is_learning
        Whether models with a plan learn by themselves while ``formicary up`` runs.
    features
        The file of a team's own sets of features, where there is one.
    """

    home: Path
    database_url: str | None = None
    keys_url: str | None = None
    data_sets: Path | None = None
    api_port: int = _API_PORT
    api_workers: int = 1
    is_sandbox: bool = False
    url: str | None = None
    key: str | None = None
    is_learning: bool = True
    features: Path | None = None

    @property
    def postgres_folder(self) -> Path:
        """The embedded server's data, socket and log."""
        return self.home / "postgres"

    @property
    def snapshots_folder(self) -> Path:
        """The follower's snapshots of all state."""
        return self.home / "snapshots"

    @property
    def engine_folder(self) -> Path:
        """Files of the engine's state."""
        return self.home / "engine"

    @property
    def follower_folder(self) -> Path:
        """Files of the follower's state."""
        return self.home / "follower"

    @property
    def models_folder(self) -> Path:
        """The files of models that were trained, by model."""
        return self.home / "models"

    @property
    def training_folder(self) -> Path:
        """Training sets, which can be made again from the journal."""
        return self.home / "training"

    @property
    def engine_socket(self) -> Path:
        """Where the engine answers while it runs."""
        return self.home / "engine.socket"

    @property
    def token_secret_file(self) -> Path:
        """The secret under which end users' tokens are signed."""
        return self.home / "tokens.secret"

    @property
    def webhooks_folder(self) -> Path:
        """Which webhooks there are, and how far each has come."""
        return self.home / "webhooks"

    @property
    def experiments_folder(self) -> Path:
        """What came of experiments, which can be found again from the journal."""
        return self.home / "experiments"

    @property
    def portfolio_folder(self) -> Path:
        """What became of what was lent, which can be found again from the journal."""
        return self.home / "portfolio"

    @property
    def clock_file(self) -> Path:
        """By how much a sandbox's clock was put forward."""
        return self.home / "sandbox-clock"

    @property
    def processes_file(self) -> Path:
        """The numbers of the running processes."""
        return self.home / "processes"


def read_settings(environment: Mapping[str, str], *, folder: Path, is_root: bool) -> Settings:
    """Return the settings of an environment.

    Parameters
    ----------
    environment
        As in ``os.environ``; a variable that is empty counts as not there.
    folder
        The current folder: relative paths start there, and so does the search for the data sets.
    is_root
        Whether the process may do everything, so that its own data folder is not the place.
    """
    home = _given(environment, "FORMICARY_HOME") or _default_home(environment, is_root=is_root)
    data_sets = _given(environment, "FORMICARY_DATA")
    features = _given(environment, "FORMICARY_FEATURES")
    if data_sets is None and (folder / _DATA_SETS).is_dir():
        data_sets = _DATA_SETS
    return Settings(
        # Processes that are started elsewhere must mean the same folders.
        home=(folder / home).resolve(),
        database_url=environment.get("DATABASE_URL") or None,
        keys_url=environment.get("FORMICARY_KEYS_URL") or None,
        data_sets=None if data_sets is None else (folder / data_sets).resolve(),
        api_port=_number(environment, "FORMICARY_API_PORT", _API_PORT),
        api_workers=_number(environment, "FORMICARY_API_WORKERS", 1),
        is_sandbox=environment.get("FORMICARY_SANDBOX") == "1",
        url=environment.get("FORMICARY_URL") or None,
        key=environment.get("FORMICARY_KEY") or None,
        is_learning=environment.get("FORMICARY_LEARNING") != "0",
        features=None if features is None else (folder / features).resolve(),
    )


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) > _NUMBER_MAX:
        message = f"{name} is a number up to {_NUMBER_MAX}, not {text[:20]!r}"
        raise SettingMalformed(message)
    return int(text)


def _given(environment: Mapping[str, str], name: str) -> Path | None:
    value = environment.get(name)
    return Path(value).expanduser() if value else None


def _default_home(environment: Mapping[str, str], *, is_root: bool) -> Path:
    data_home = _given(environment, "XDG_DATA_HOME")
    if data_home is not None:
        return data_home / "formicary"
    if is_root:
        return _HOME_OF_ROOT
    return Path(environment.get("HOME", "/nonexistent"), ".local", "share", "formicary")

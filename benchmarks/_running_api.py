"""Engine, API workers and PostgreSQL, each a process of its own, for benchmarks that come through HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from formicary.factory.engine.client import EngineClient, EngineUnreachable
from formicary.factory.journal.migrations import migrate
from formicary.factory.journal.supervisor import Supervisor
from formicary.runtime.api_process import api_main, listen
from formicary.runtime.children import Child, Children
from formicary.runtime.engine_process import engine_main, warm_up
from formicary.runtime.products import PRODUCTS
from formicary.runtime.settings import Settings
from formicary.runtime.wiring import recovered_state

__all__ = ["cpu_seconds", "engine_client", "running_api"]

_PATIENCE_SECONDS: Final = 120


@contextmanager
def running_api(home: Path, *, workers: int) -> Iterator[tuple[Settings, int, Supervisor, Children]]:
    """Yield settings, the port on the loopback, the database's supervisor, and the processes."""
    settings = Settings(home=home, api_port=0, api_workers=workers)
    warm_up()
    with listen(settings) as listener, Supervisor(settings.postgres_folder, stop_on_exit=True) as supervisor:
        access = supervisor.access()
        migrate(access)

        def engine() -> None:
            engine_main(
                access,
                settings.engine_socket,
                lambda: recovered_state(settings, access, PRODUCTS),
                products=PRODUCTS,
            )

        children = Children(
            [
                Child("engine", engine),
                *(Child(f"api-{n}", lambda: api_main(settings, access, listener)) for n in range(workers)),
            ]
        )
        children.tend()
        try:
            yield settings, listener.getsockname()[1], supervisor, children
        finally:
            children.stop(10.0)


def engine_client(settings: Settings) -> EngineClient:
    """Return a client of the engine, once it is there."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return EngineClient(settings.engine_socket)
        except EngineUnreachable:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def cpu_seconds(children: Children) -> dict[str, float]:
    """Return what each process took of a core so far, by name."""
    return {
        name: int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
        for name, pid in children.pids.items()
    }

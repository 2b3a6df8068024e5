"""``formicary up``: PostgreSQL, the engine and the follower, kept alive until told to end."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import Final

from formicary.factory.engine.products import Product
from formicary.factory.engine.state import known_events
from formicary.factory.follower import Follower, StateSnapshots
from formicary.factory.follower.process import follow
from formicary.factory.history import EntryIndex
from formicary.factory.journal.access import Access
from formicary.factory.journal.migrations import migrate
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.server.provision import access_by_url
from formicary.factory.journal.supervisor import Supervisor
from formicary.runtime.api_process import api_main, clock_of, listen
from formicary.runtime.children import AskedToEnd, Child, Children
from formicary.runtime.closing import closing_main
from formicary.runtime.engine_process import engine_main, warm_up
from formicary.runtime.experiments_watch import experiments_main
from formicary.runtime.learner_process import learner_main
from formicary.runtime.settings import Settings
from formicary.runtime.webhook_process import courier_main
from formicary.runtime.wiring import recovered_state

__all__ = ["run_follower", "run_processes"]

_LOG: Final = logging.getLogger(__name__)
_TEND_SECONDS: Final = 0.01
_STOP_SECONDS_MAX: Final = 10.0
# Who learns, looks at experiments or follows may wait for a core; an answer may not.
_FOLLOWER_NICENESS: Final = 5


def run_processes(
    settings: Settings, *, on_change: Callable[[dict[str, int]], None], products: Sequence[Product] = ()
) -> None:
    """Keep the server, the engine, the follower and the API running until ``SIGTERM`` or ``SIGINT``.

    ``on_change`` gets the process numbers by name whenever one changes; 0 is one that is down.
    The embedded server is stopped at the end if it was started here.
    """
    settings.home.mkdir(mode=0o755, parents=True, exist_ok=True)
    # Taken first: where the port is somebody else's, nothing is started.
    with ExitStack() as stack:
        listener = stack.enter_context(listen(settings)) if settings.api_workers else None
        _run_processes(settings, listener, on_change, products)


def _run_processes(
    settings: Settings,
    listener: socket.socket | None,
    on_change: Callable[[dict[str, int]], None],
    products: Sequence[Product],
) -> None:
    warm_up()
    supervisor = Supervisor(settings.postgres_folder) if settings.database_url is None else None
    was_running = supervisor is not None and supervisor.pid is not None
    if supervisor is not None:
        supervisor.start()
    try:
        access = access_by_url(settings.database_url or "") if supervisor is None else supervisor.access()
        migrate(access)
        children = [
            Child("engine", lambda: _run_engine(settings, access, products)),
            Child("follower", lambda: run_follower(settings, access, products)),
            Child("experiments", lambda: experiments_main(settings)),
            Child("closing", lambda: closing_main(settings)),
        ]
        if settings.is_learning:
            children.append(Child("learner", lambda: learner_main(settings)))
        if listener is not None:
            children += [
                Child("webhooks", lambda: courier_main(settings, access)),
                *(
                    Child(f"api-{number}", lambda: api_main(settings, access, listener))
                    for number in range(1, settings.api_workers + 1)
                ),
            ]
        _keep_alive(settings, supervisor, Children(children), on_change)
    finally:
        if supervisor is not None and not was_running:
            supervisor.stop()


def _run_engine(settings: Settings, access: Access, products: Sequence[Product]) -> None:
    engine_main(
        access,
        settings.engine_socket,
        lambda: recovered_state(settings, access, products),
        products=products,
        clock=clock_of(settings),
    )


def run_follower(settings: Settings, access: Access, products: Sequence[Product]) -> None:
    """Follow the journal in this process until ``SIGTERM``."""
    stop = threading.Event()
    os.nice(_FOLLOWER_NICENESS)
    AskedToEnd(stop.set)
    follower = Follower(
        reader=JournalReader(access, upcasters=known_events(products)),
        index=EntryIndex(access),
        snapshots=StateSnapshots(settings.snapshots_folder),
        folder=settings.follower_folder,
        products=products,
    )
    with closing(follower):
        follow(follower, stop, access=access)


def _keep_alive(
    settings: Settings,
    supervisor: Supervisor | None,
    children: Children,
    on_change: Callable[[dict[str, int]], None],
) -> None:
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    known: dict[str, int] = {}
    try:
        while not stop.is_set():
            if supervisor is not None and supervisor.pid is None:
                _LOG.warning("PostgreSQL is down; starting it")
                supervisor.start()
            children.tend()
            pids = children.pids | ({"postgres": supervisor.pid or 0} if supervisor is not None else {})
            if pids != known:
                known = pids
                settings.processes_file.write_text("".join(f"{name} {pid}\n" for name, pid in known.items()))
                on_change(known)
            time.sleep(_TEND_SECONDS)
    finally:
        children.stop(_STOP_SECONDS_MAX)
        settings.processes_file.unlink(missing_ok=True)
        for number, handler in before.items():
            signal.signal(number, handler)

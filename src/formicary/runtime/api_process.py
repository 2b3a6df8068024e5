"""What runs in an API worker's process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from contextlib import closing

import uvicorn
import uvloop

from formicary.base.clock import Clock, LiveClock
from formicary.base.limits import API_KEEP_ALIVE_SECONDS, API_LISTEN_BACKLOG, API_STOP_SECONDS
from formicary.factory.identity.tokens import token_secret
from formicary.factory.journal.access import Access
from formicary.products.payments.postings import code_of
from formicary.runtime.api_backend import RemoteBackend
from formicary.runtime.garbage import spare_what_is_there
from formicary.runtime.products import decision_points
from formicary.runtime.sandbox_clock import FileClock
from formicary.runtime.settings import Settings
from formicary.runtime.vaults import InstalledVault
from formicary.surfaces.api.application import Api
from formicary.surfaces.api.auth import CachedAuthenticator
from formicary.surfaces.api.decisions import Decisions
from formicary.surfaces.api.experiments import Experiments
from formicary.surfaces.api.identity import IdentityAuthenticator
from formicary.surfaces.api.lending import Movements
from formicary.surfaces.api.metrics import Metrics
from formicary.surfaces.api.party_kinds import PartyKinds
from formicary.surfaces.api.ports import Backend
from formicary.surfaces.api.services import PersonalData, Services
from formicary.surfaces.experiments.kept import KeptResults
from formicary.surfaces.lending.kept import KeptPortfolio
from formicary.surfaces.webhooks.store import WebhookStore

__all__ = ["api_main", "build_api", "clock_of", "listen"]


def clock_of(settings: Settings) -> Clock:
    """Return the clock of every process of these settings: in a sandbox one that can be put forward."""
    return FileClock(settings.clock_file) if settings.is_sandbox else LiveClock()


def listen(settings: Settings) -> socket.socket:
    """Return the socket of the API's workers, on this machine only.

    It is opened once, before workers are forked: each takes what comes, and one that dies closes nothing.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", settings.api_port))
    listener.listen(API_LISTEN_BACKLOG)
    return listener


def build_api(settings: Settings, backend: Backend, clock: Clock, vault: PersonalData) -> Api:
    """Return the API in front of a factory."""
    secret = token_secret(settings.token_secret_file, os.urandom)
    services = Services(
        backend=backend,
        vault=vault,
        kinds=PartyKinds(backend),
        metrics=Metrics(),
        now=clock.now,
        random=os.urandom,
        token_secret=secret,
        code_of=code_of,
        webhooks=WebhookStore(settings.webhooks_folder),
        decisions=Decisions(backend, decision_points().values()),
        experiments=Experiments(backend),
        results=KeptResults(settings.experiments_folder),
        movements=Movements(backend),
        portfolio=KeptPortfolio(settings.portfolio_folder),
        clock=clock if isinstance(clock, FileClock) else None,
    )
    authenticator = CachedAuthenticator(
        IdentityAuthenticator(backend, clock.now, secret), now=clock.now, monotonic=time.monotonic
    )
    return Api(services, authenticator)


def api_main(settings: Settings, access: Access, listener: socket.socket) -> None:
    """Answer requests until ``SIGTERM``."""
    # A terminal's interrupt reaches the whole group; the parent passes it on in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uvloop.run(_serve(settings, access, listener))


async def _serve(settings: Settings, access: Access, listener: socket.socket) -> None:
    with (
        closing(RemoteBackend(settings.engine_socket, access)) as backend,
        closing(InstalledVault(settings, access)) as vault,
    ):
        config = uvicorn.Config(
            build_api(settings, backend, clock_of(settings), vault),
            http="httptools",
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=API_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=API_STOP_SECONDS,
        )
        server = _Server(config)
        spare_what_is_there()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.ask_to_end)
        await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """Leave signals alone: the worker has its own."""

    def ask_to_end(self) -> None:
        """Answer what is under way, then end."""
        self.should_exit = True

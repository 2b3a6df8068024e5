"""What runs in the courier's process: it reads the journal and sends events to webhooks."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import threading
import time
from contextlib import closing
from typing import Final

import httpx

from formicary.base.errors import OperationalFault
from formicary.factory.journal.access import Access
from formicary.factory.journal.reader import JournalReader
from formicary.runtime.children import AskedToEnd
from formicary.runtime.settings import Settings
from formicary.surfaces.webhooks.courier import Courier
from formicary.surfaces.webhooks.store import WebhookStore

__all__ = ["courier_main"]

_LOG: Final = logging.getLogger(__name__)
_PAUSE_SECONDS: Final = 0.5
# An event may wait for a core; an answer may not.
_NICENESS: Final = 5


def courier_main(settings: Settings, access: Access) -> None:
    """Deliver until ``SIGTERM``."""
    stop = threading.Event()
    os.nice(_NICENESS)
    AskedToEnd(stop.set)
    asyncio.run(_deliver(settings, access, stop))


async def _deliver(settings: Settings, access: Access, stop: threading.Event) -> None:
    with closing(JournalReader(access)) as reader:
        # Proxies of the environment would connect to whatever they like.
        async with httpx.AsyncClient(follow_redirects=False, trust_env=False) as client:
            courier = Courier(
                WebhookStore(settings.webhooks_folder),
                lambda after, limit: reader.events(after=after, limit=limit),
                client,
                now=time.time,
                chance=random.random,
                is_sandbox=settings.is_sandbox,
            )
            while not stop.is_set():
                try:
                    tried = await courier.step()
                except OperationalFault as fault:
                    _LOG.warning("webhooks wait: %s", fault)
                    tried = 0
                if not tried:
                    await asyncio.sleep(_PAUSE_SECONDS)

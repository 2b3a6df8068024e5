"""Lists that come in pages, read one after the other as they are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from formicary.client.documents import Page
from formicary.client.transport import Transport

__all__ = ["PAGE_ITEMS", "pages"]

PAGE_ITEMS = 100

Item = TypeVar("Item")


def pages(transport: Transport, path: str, kind: type[Item], **parameters: Any) -> Iterator[Item]:
    """Yield the items of all pages of a path."""
    cursor: str | None = None
    while True:
        page = transport.get(path, Page, cursor=cursor, limit=PAGE_ITEMS, **parameters)
        yield from (msgspec.json.decode(item, type=kind) for item in page.items)
        cursor = page.next
        if cursor is None:
            return

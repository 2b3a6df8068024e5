"""What everything else stands on: money, time, ids, errors and limits. No input or output."""

from __future__ import annotations

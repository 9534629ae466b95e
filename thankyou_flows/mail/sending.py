"""Sending what is due: claim, ask, write, hand over, record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one run did."""

    sent: int = 0
    skipped: int = 0
    postponed: int = 0
    failed: int = 0
    retried: int = 0


def send_due(*, limit: int | None = None, worker: str = "", now: datetime | None = None) -> Report:
    """Send what is due, batch by batch, until nothing is left or ``limit`` messages were taken. Safe to run any number
    of times at the same time, and to be killed at any moment (OP-5).

    For each message: is it worth sending still, does its follow-up still apply (``followups.stops``), does the gate let
    it through, is there a place; then it is marked as attempted, written, handed to the mail backend, and recorded. One
    bad message stops nobody (EM-9).
    """
    raise NotImplementedError

"""The outbox: workers claim, send and record messages; the mail backend does nothing."""

from __future__ import annotations

from statistics import median
from typing import Any

import django
from django.apps import apps
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import override_settings

from .. import outboxes
from ..measuring import Budget, Table

MAILS = 1_000
#: For a look whether it works at all.
FEW = 100
#: DESIGN: at least a thousand messages in a second.
LIMIT = 1_000


def measure(*, app: WSGIHandler, products: list[Any], rounds: int) -> list[Table]:
    """Work off a queue of mails: by four workers on PostgreSQL; by one on SQLite, which has one writer at a time."""
    on_postgres = connection.vendor == "postgresql"
    workers = 4 if on_postgres else 1
    mails = MAILS if rounds >= 10 else FEW
    backend = "benchmarks.outboxes.Counting"
    mail: dict[str, Any] = {"MAILERS": {"default": {"BACKEND": backend}}}
    if django.VERSION < (6, 1):
        mail = {"EMAIL_BACKEND": backend}
    flows = {"BASE_URL": "https://shop.example", "MAIL_FOOTER": "Kettle & Fern, Berlin", "QUIET_HOURS": ""}
    with override_settings(THANKYOU_FLOWS={**_flows(), **flows}, **mail):
        rivals: list[outboxes.Rival] = [outboxes.Ours(), outboxes.OursToAList()]
        if on_postgres:
            rivals.append(outboxes.Raw())
        if apps.is_installed("django_tasks_db"):
            rivals.append(outboxes.Worker())
        costs = [outboxes.count_statements(rival) for rival in rivals]
        with outboxes.working(rivals, workers=workers) as crew:
            scores = outboxes.compete(crew, turns=max(1, min(rounds // 10, 9)), mails=mails)
    ours = scores[0]
    rows = [
        {
            "name": score.rival.name,
            "milliseconds": median(score.seconds) / mails * 1000,
            "ratio": median(ours.seconds) / median(score.seconds),
            "busy_ratio": median(ours.busy) / median(score.busy),
            "queries": queries,
            "writes": writes,
        }
        for score, (queries, writes) in zip(scores, costs, strict=True)
    ]
    title = f"Outbox: {mails:,} messages, {workers} worker{'s' if workers > 1 else ''} (time of one message)"
    return [Table(title, rows, [_budget(ours, mails)] if on_postgres else [])]


def _flows() -> dict[str, Any]:
    from django.conf import settings

    return dict(settings.THANKYOU_FLOWS)


def _budget(ours: outboxes.Score, mails: int) -> Budget:
    seconds = median(ours.seconds) / mails
    text = f"time of one message, µs ({1 / seconds:,.0f} in a second; DESIGN: at least {LIMIT:,})"
    return Budget(text, seconds * 1_000_000, 1_000_000 / LIMIT, "µs")

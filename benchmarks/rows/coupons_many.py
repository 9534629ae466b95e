"""A thousand coupons: sixteen clients that hardly ever want the same one."""

from __future__ import annotations

from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection

from ..clients import CLIENTS, as_quick, compete, tabulate, working
from ..measuring import Table
from ..reserving import make_rivals

COUPONS, TRIES, LIMIT = 1_000, 400, 400


def measure(*, app: WSGIHandler, products: list[Any], rounds: int) -> list[Table]:
    """Take a use of a coupon at random, again and again. On PostgreSQL only."""
    if connection.vendor != "postgresql":
        return []
    coupons = COUPONS if rounds >= 10 else 20
    with working(make_rivals()) as clients:
        scores = compete(clients, turns=max(1, min(rounds // 10, 10)), coupons=coupons, limit=LIMIT, tries=TRIES)
    table = tabulate(f"{coupons:,} coupons: {CLIENTS} clients, {TRIES} tries (time of one try)", scores, tries=TRIES)
    return [Table(table.title, table.rows, [as_quick(0.25, scores[0], scores[1], "raw SQL")])]

"""A thousand coupons: sixteen clients that hardly ever want the same one."""

from __future__ import annotations

from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection

from ..clients import CLIENTS, as_quick, compete, tabulate, working
from ..measuring import Table
from ..reserving import make_rivals

COUPONS, TRIES = 1_000, 400
#: Nobody is refused.
LIMIT = 1_000_000


def measure(*, app: WSGIHandler, products: list[Any], rounds: int) -> list[Table]:
    """Take a use of a coupon at random, again and again. On PostgreSQL only."""
    if connection.vendor != "postgresql":
        return []
    coupons = COUPONS if rounds >= 10 else 20
    turns = max(1, min(rounds // 4, 15))
    with working(make_rivals()) as clients:
        scores = compete(clients, turns=turns, coupons=coupons, limit=LIMIT, tries=TRIES, fresh=False)
    table = tabulate(f"{coupons:,} coupons: {CLIENTS} clients, {TRIES} tries (time of one try)", scores, tries=TRIES)
    return [Table(table.title, table.rows, [as_quick(0.25, scores[0], scores[1], "raw SQL")])]

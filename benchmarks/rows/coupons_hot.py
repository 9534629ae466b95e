"""One hot coupon: sixteen clients at once want it, and there are half as many uses as tries."""

from __future__ import annotations

from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection

from ..clients import CLIENTS, as_quick, compete, tabulate, working
from ..measuring import Table
from ..reserving import make_rivals

TRIES, LIMIT = 400, 200


def measure(*, app: WSGIHandler, products: list[Any], rounds: int) -> list[Table]:
    """Take all uses of one coupon. On PostgreSQL only: SQLite has one writer at a time, whoever writes."""
    if connection.vendor != "postgresql":
        return []
    with working(make_rivals()) as clients:
        scores = compete(clients, turns=max(1, min(rounds // 4, 25)), coupons=1, limit=LIMIT, tries=TRIES)
    table = tabulate(
        f"One hot coupon: {CLIENTS} clients, {TRIES} tries, {LIMIT} uses (time of one try)", scores, tries=TRIES
    )
    ours, raw, _in_django, _orm, oscar, *flexcommerce = scores
    budgets = [as_quick(0.5, ours, raw, "raw SQL"), as_quick(2.5, ours, oscar, "Oscar's vouchers")]
    budgets += [as_quick(2.5, ours, each, each.rival.name) for each in flexcommerce[:1]]
    return [Table(table.title, table.rows, budgets)]

"""One module a row of the budgets. Each has ``measure(*, app, products, rounds) -> list[Table]``; name it here."""

from __future__ import annotations

ROWS = {
    "page": "benchmarks.rows.page",
    "cart": "benchmarks.rows.cart",
    "lists_save": "benchmarks.rows.lists_save",
    "lists_show": "benchmarks.rows.lists_show",
    "lists_news": "benchmarks.rows.lists_news",
    "issuing": "benchmarks.rows.issuing",
    "coupons_hot": "benchmarks.rows.coupons_hot",
    "coupons_many": "benchmarks.rows.coupons_many",
    "outbox": "benchmarks.rows.outbox",
}

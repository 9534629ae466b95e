"""Codes in bulk beside a raw COPY (PostgreSQL) or executemany (SQLite), Oscar's voucher set, and flexcommerce; and how
much memory it takes to make and export a million.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, transaction
from django.utils import timezone
from oscar.core.loading import get_class, get_model

from coupons.batches.minting import mint
from coupons.bulk import order_batch, work_batch
from coupons.models import Campaign, Coupon, CouponBatch

from ..measuring import Budget, Side, Table, ratio, tabulate, take_turns

#: As DESIGN asks for; and so many that peers are through in a second or two.
CODES, FEW = 100_000, 1_000
MILLION = 1_000_000
#: The memory that DESIGN and the issue allow, in MB.
MEMORY, MEMORY_OF_A_MILLION = 200, 500
#: Under so many rounds somebody only wants to see that it runs.
IN_EARNEST = 10

COLUMNS = (
    "campaign_id", "batch_id", "code", "state", "holder_key", "usage_limit", "used", "issued_at", "extensions", "is_word"
)  # fmt: skip


def measure(*, app: WSGIHandler, products: list[Any], rounds: int) -> list[Table]:
    """A hundred thousand codes beside the floor, a thousand beside the peers, and the memory."""
    codes, few, million = (CODES, FEW, MILLION) if rounds >= IN_EARNEST else (2_000, 20, 20_000)
    campaign = Campaign.objects.create(title="Flyers", status=Campaign.Status.RUNNING)
    return [
        _beside_the_floor(campaign, codes, rounds=max(1, min(rounds // 10, 7))),
        _beside_peers(campaign, few, rounds=max(1, min(rounds // 5, 10))),
        _memory(codes, million),
    ]


def _beside_the_floor(campaign: Campaign, count: int, *, rounds: int) -> Table:
    batch = CouponBatch.objects.create(campaign=campaign, quantity=count, status=CouponBatch.Status.DONE)
    floor_name, floor = _floor(batch, count)
    ours = Side("our batch", _ours(campaign, count), before=_empty)
    raw = Side(f"{floor_name}, codes ready", floor, before=_empty)
    take_turns([ours, raw], rounds=rounds, warm_up=1)
    # By the clock alone: what a COPY takes of the processor is the server's, and not in our figures.
    budgets = [Budget(f"× {floor_name} (DESIGN: at least 0.1 × as quick)", ratio(ours, raw), 10)]
    return tabulate(f"Issue {count:,} single codes", [ours, raw], budgets)


def _beside_peers(campaign: Campaign, count: int, *, rounds: int) -> Table:
    batch = CouponBatch.objects.create(campaign=campaign, quantity=count, status=CouponBatch.Status.DONE)
    name, floor = _floor(batch, count)
    sides = [
        Side("our batch", _ours(campaign, count), before=_empty),
        Side(f"{name}, codes ready", floor, before=_empty),
        Side("Oscar's voucher set", _oscar(count)),
        Side("Oscar's rows by bulk_create", _oscar_in_bulk(count)),
    ]
    if apps.is_installed("flexcommerce_discounts"):
        sides.append(Side("flexcommerce-discounts, one by one", _flexcommerce(count)))
    take_turns(sides, rounds=rounds, warm_up=1)
    return tabulate(f"Issue {count:,} single codes", sides, [])


def _ours(campaign: Campaign, count: int) -> Callable[[], Any]:
    def run() -> None:
        batch = work_batch(batch=order_batch(campaign=campaign, quantity=count))
        assert batch.made == count

    return run


def _floor(batch: CouponBatch, count: int) -> tuple[str, Callable[[], Any]]:
    """Return the least with which as many rows come into our table, with its indexes; the codes are made before."""
    table, columns = Coupon._meta.db_table, ", ".join(COLUMNS)
    values = (batch.campaign_id, batch.pk, "", "available", "", 1, 0, "2026-05-04 12:00:00+00:00", 0, False)

    rows = [(*values[:2], code, *values[3:]) for code in mint(count)]
    if connection.vendor == "postgresql":
        text = "".join("\t".join(map(str, row)) + "\n" for row in rows)

        def copy() -> None:
            with connection.cursor() as cursor, cursor.cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as pipe:
                pipe.write(text)

        return "a raw COPY", copy
    sql = f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"

    def execute() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(sql, rows)

    return "a raw executemany", execute


def _empty() -> None:
    """Every turn meets the same table, without the last one's remains."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {Coupon._meta.db_table} WHERE batch_id IS NOT NULL")
        if connection.vendor == "postgresql":
            cursor.execute(f"VACUUM {Coupon._meta.db_table}")


def _oscar_models() -> tuple[Any, Any, Any]:
    voucher, offer = get_model("voucher", "Voucher"), get_model("offer", "ConditionalOffer")
    condition = get_model("offer", "Condition").objects.create(type="Count", value=1)
    benefit = get_model("offer", "Benefit").objects.create(type="Percentage", value=10)
    name = f"Flyers {offer.objects.count()}"
    made = offer.objects.create(name=name, offer_type="Voucher", condition=condition, benefit=benefit)
    return voucher, made, get_model("voucher", "VoucherSet")


def _oscar(count: int) -> Callable[[], Any]:
    """What the form of Oscar's dashboard does for a voucher set."""
    voucher, offer, voucher_set = _oscar_models()
    form = get_class("dashboard.vouchers.forms", "VoucherSetForm")
    turn = iter(range(10_000))

    def run() -> None:
        now = timezone.now()
        data = {
            "name": f"Flyers {next(turn)}",
            "code_length": 12,
            "description": "For the fair",
            "start_datetime": now,
            "end_datetime": now + timedelta(days=30),
            "count": count,
            "usage": voucher.SINGLE_USE,
            "offers": [offer.pk],
        }
        filled = form(data)
        assert filled.is_valid(), filled.errors
        assert filled.save().vouchers.count() == count

    return run


def _oscar_in_bulk(count: int) -> Callable[[], Any]:
    """The same rows as an owner with a script would make them."""
    voucher, offer, _voucher_set = _oscar_models()
    through = voucher.offers.through

    def run() -> None:
        now = timezone.now()
        dates = {"start_datetime": now, "end_datetime": now + timedelta(days=30), "usage": voucher.SINGLE_USE}
        rows = voucher.objects.bulk_create(
            (voucher(name=code, code=code, **dates) for code in mint(count)), batch_size=1000
        )
        through.objects.bulk_create((through(voucher=row, conditionaloffer=offer) for row in rows), batch_size=1000)

    return run


def _flexcommerce(count: int) -> Callable[[], Any]:
    """It has no way to make many: a coupon is saved after the other."""
    coupon = apps.get_model("flexcommerce_discounts", "Coupon")

    def run() -> None:
        for code in mint(count):
            coupon.objects.create(code=code, name="Flyers", value=10, usage_limit=1)

    return run


def _memory(codes: int, million: int) -> Table:
    """In processes of their own, since a peak never goes down again."""
    _empty()
    rows, budgets = [], []
    for count, limit in ((codes, MEMORY), (million, MEMORY_OF_A_MILLION)):
        command = [sys.executable, "-m", "benchmarks.issuing_memory", str(count)]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        assert found["exported"] == count + 1
        rows.append(
            {
                "name": f"{count:,} codes made and exported",
                "milliseconds": found["seconds"] * 1000,
                "ratio": 1.0,
                "busy_ratio": 1.0,
                "queries": found["queries"],
                "writes": found["writes"],
            }
        )
        budgets.append(Budget(f"peak memory of the process, {count:,} codes", found["peak"], limit, "MB"))
        budgets.append(Budget("of it before the first code", found["start"], limit, "MB"))
        _empty()
    # Each row is the first of its own comparison.
    for row in rows:
        row["ratio"] = row["busy_ratio"] = rows[0]["milliseconds"] / row["milliseconds"]
    return Table("Memory for codes in bulk", rows, budgets)

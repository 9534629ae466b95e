"""What the shop tells us about its orders, recorded once.

A shop calls :func:`report_order` whenever something happened to an order (placed, paid, cancelled …). News may come
twice, in any order, or from two processes at once; the record ends up the same (TY-8).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.db import IntegrityError, transaction
from django.dispatch import Signal
from django.utils import timezone

from coupons.holders import customer_key

from .models import OrderRecord, OrderRecordLine
from .signals import order_recorded, order_state_changed
from .stores import get_store
from .values import Order

logger = logging.getLogger(__name__)


def report_order(*, number: str) -> None:
    """Note that the shop placed or changed the order with this number. Never raises: a sale comes first.

    May be called inside the shop's transaction: the order is read and recorded after that is committed.
    """
    transaction.on_commit(lambda: _record_safely(number=str(number)), robust=True)


def _record_safely(*, number: str) -> None:
    try:
        store = get_store()
        order = store.get_order(number=number)
        if order is None:
            logger.warning("The shop reported an order that its store adapter does not find.")
            return
        if _create(order)[1]:
            return
        with transaction.atomic():
            # Read once more, now that nobody else can move the record: two reporters may have read the order in one
            # sequence and come here in the other.
            record = OrderRecord.objects.select_for_update().get(number=number)
            order = store.get_order(number=number)
            if order is not None:
                _move(record, order)
    except Exception:
        logger.exception("An order could not be recorded; the shop goes on.")


def record_order(*, order: Order) -> OrderRecord:
    """Record an order, or move the record to the state that this order value has. Idempotent.

    Announces ``order_recorded`` the first time and ``order_state_changed`` when the state moved, after commit. Believes
    what it is given; ``report_order`` asks the shop itself, and is safe against news that overtake each other.
    """
    record, created = _create(order)
    return record if created else _move(record, order)


def record_new_order(*, order: Order) -> bool:
    """Record an order if it is not there yet, and return whether it was new. Leaves the state of a known one alone."""
    return _create(order)[1]


def _create(order: Order) -> tuple[OrderRecord, bool]:
    try:
        with transaction.atomic():
            record, created = OrderRecord.objects.get_or_create(number=order.number, defaults=_facts(order))
            if created:
                OrderRecordLine.objects.bulk_create(_lines(order, record))
    except IntegrityError:
        # Somebody else recorded it between our look and our insert, in a transaction that we could not see.
        record, created = OrderRecord.objects.get(number=order.number), False
    if created:
        _announce(order_recorded, record=record, order=order)
    return record, created


def _move(record: OrderRecord, order: Order) -> OrderRecord:
    old_state = record.state
    # The WHERE makes one of two reporters the one that moved the state, so that the news goes out once.
    moved = old_state != order.state and OrderRecord.objects.filter(pk=record.pk, state=old_state).update(
        state=order.state, total=order.total, changed_at=timezone.now()
    )
    if moved:
        record.state = order.state
        _announce(order_state_changed, record=record, order=order, old_state=old_state, new_state=order.state)
    return record


def _facts(order: Order) -> dict[str, Any]:
    return {
        "state": order.state,
        "total": order.total,
        "customer_key": customer_key(order.email) if order.email else "",
        "language": order.language,
        "objection": order.objection,
        "placed_at": order.placed_at,
    }


def _lines(order: Order, record: OrderRecord) -> Iterator[OrderRecordLine]:
    for line in order.lines:
        facts: dict[str, Any] = {"product_ref": line.product_ref, "title": line.title[:255], "total": line.total}
        yield OrderRecordLine(order=record, quantity=line.quantity, **facts)


def is_first_order(*, order: Order, key: str) -> bool | None:
    """Tell whether the customer had no order before this one; None if the customer is not known.

    Counts what was reported since this package was installed. One query.
    """
    if not key:
        return None
    earlier = OrderRecord.objects.of_customer(key).counting().filter(placed_at__lt=order.placed_at)
    return not earlier.exclude(number=order.number).exists()


def _announce(signal: Signal, **arguments: object) -> None:
    transaction.on_commit(lambda: signal.send_robust(sender=OrderRecord, **arguments), robust=True)

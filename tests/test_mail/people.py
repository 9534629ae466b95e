"""What tests of the gate and of the pages behind mailed links share: people, lists, messages, and looking at everything."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from threading import Barrier, Thread
from typing import Any

from django.apps import apps
from django.core import serializers
from django.db import connection
from django.utils import timezone
from djmoney.money import Money

from coupons.holders import customer_key
from thankyou_flows.models import Contact, MailingList, Message, MessageKind, OrderRecord, Subscription
from thankyou_flows.values import Objection, OrderState

ANN = "ann@example.com"
ANN_KEY = customer_key(ANN)


def make_list(slug: str = "letters", **fields: Any) -> MailingList:
    values = {"title": f"The {slug}", "purpose": f"About {slug}.", "promise": "At most twice a month.", **fields}
    return MailingList.objects.create(slug=slug, **values)


def sign_up(
    mailing_list: MailingList, email: str = ANN, state: Subscription.State = Subscription.State.CONFIRMED
) -> Subscription:
    """Put somebody on a list, or nearly, or off it again; known as a contact as ever after a confirmation."""
    now = timezone.now()
    if state == Subscription.State.CONFIRMED:
        Contact.objects.get_or_create(email_key=customer_key(email), defaults={"email": email})
    return Subscription.objects.create(
        mailing_list=mailing_list,
        email=email,
        email_key=customer_key(email),
        state=state,
        confirmed_at=None if state == Subscription.State.PENDING else now,
        left_at=now if state == Subscription.State.LEFT else None,
    )


def make_message(kind: MessageKind = MessageKind.NEWSLETTER, *, email: str = ANN, **fields: Any) -> Message:
    values: dict[str, Any] = {
        "dedupe_key": f"test:{Message.objects.count()}",
        "kind": kind,
        "composer": "email",
        "email": email,
        "email_key": customer_key(email),
        "reason": "test",
        **fields,
    }
    return Message.objects.create(**values)


def make_order_record(
    number: str = "T-1", *, email: str = ANN, objection: Objection = Objection.OFFERED, **fields: Any
) -> OrderRecord:
    values: dict[str, Any] = {
        "number": number,
        "state": OrderState.PAID,
        "total": Money("20.00", "EUR"),
        "customer_key": customer_key(email),
        "objection": objection,
        "placed_at": timezone.now(),
        **fields,
    }
    return OrderRecord.objects.create(**values)


def dump() -> str:
    """Return every row of our apps, as text."""
    rows = []
    for label in ("thankyou_flows", "thankyou_coupons", "thankyou_wishlists"):
        for model in apps.get_app_config(label).get_models(include_auto_created=True):
            rows.append(serializers.serialize("json", model._default_manager.order_by("pk")))
    return json.dumps(rows)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Do these things in a thread each at the same moment; return what each got, or raised."""
    results: list[Any] = [None] * len(works)
    start = Barrier(len(works))

    def run(number: int) -> None:
        try:
            start.wait(timeout=10)
            results[number] = works[number]()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def noon(year: int = 2026, month: int = 3, day: int = 2) -> datetime:
    """A time outside the quiet hours of Europe."""
    return datetime.fromisoformat(f"{year:04}-{month:02}-{day:02}T12:00:00+00:00")

"""What is seen of an answer, and of the world after it: for the walk through the access matrix."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.core import mail
from django.http import HttpResponse
from django.test import Client, TestCase

from coupons.models import Answer, Coupon
from coupons.staging import staged
from thankyou_flows.models import ConsentReceipt, Contact, OrderLink, OrderRecord, Subscription, Suppression

from .access_world import Placed


class Wrong(AssertionError):
    """A cell of the table that does not hold."""


def expect(condition: bool, message: str) -> None:
    if not condition:
        raise Wrong(message)


def browser_of(client: Client) -> Client:
    """Return the same browser in a second window: what it does there can be rolled back."""
    window = Client()
    window.cookies = copy.deepcopy(client.cookies)
    return window


def session_of(client: Client) -> dict[str, Any]:
    """Return what is kept for this browser, without beginning a session by looking."""
    return dict(client.session.items()) if settings.SESSION_COOKIE_NAME in client.cookies else {}


def codes_of(client: Client) -> set[str]:
    """Return the codes on this browser's next checkout."""
    return set(staged(session_of(client)))


def check_private(response: HttpResponse) -> None:
    """Expect the headers that keep caches, crawlers and other sites out (TY-5, TY-6)."""
    if response.status_code == 405:
        # Said by Django, without a body.
        expect(not response.content, "a body with 405")
        return
    control = {part.strip() for part in response.get("Cache-Control", "").split(",")}
    expect({"no-store", "private"} <= control, f"may be cached: {sorted(control)}")
    expect("noindex" in response.get("X-Robots-Tag", ""), "may be indexed")
    policy = response.get("Referrer-Policy", "")
    expect(policy in {"same-origin", "strict-origin", "no-referrer"}, f"passes its address on: {policy!r}")


def mails_of(answered: Callable[[], HttpResponse]) -> tuple[HttpResponse, list[str]]:
    """Send a request, let what waits for the end of its transaction happen, and return to whom there was mail."""
    before = len(mail.outbox)
    with TestCase.captureOnCommitCallbacks(execute=True):
        response = answered()
    return response, [to for message in mail.outbox[before:] for to in message.to]


def snapshot() -> tuple[Any, ...]:
    """Return what our pages may change in the database, to see whether they did."""
    coupon = ("code", "state", "holder_key", "ends_at", "extensions", "used", "declined_at")
    return (
        list(Coupon.objects.order_by("pk").values_list(*coupon)),
        list(Answer.objects.order_by("pk").values_list("holder_key", "question_name")),
        list(OrderLink.objects.order_by("pk").values_list("number", "expires_at", "revoked_at")),
        list(OrderRecord.objects.order_by("pk").values_list("number", "state")),
        list(Subscription.objects.order_by("pk").values_list("email", "state")),
        list(Suppression.objects.order_by("pk").values_list("email_key", "scope", "reason")),
        list(Contact.objects.order_by("pk").values_list("email", "frequency", "paused_until")),
        ConsentReceipt.objects.count(),
    )


def content_of(response: HttpResponse) -> bytes:
    """Return what the visitor gets, also of a file that is sent piece by piece, which can be read once only."""
    if not response.streaming:
        return response.content
    if not hasattr(response, "read_content"):
        response.read_content = b"".join(response)  # type: ignore[attr-defined]
    content: bytes = response.read_content  # type: ignore[attr-defined]
    return content


def text_of(response: HttpResponse) -> str:
    return f"{content_of(response).decode()} {response.get('Location', '')}"


def visible(orders: Mapping[str, Placed], response: HttpResponse) -> dict[str, frozenset[str]]:
    body = content_of(response).decode()
    return {name: placed.shown_in(body) for name, placed in orders.items()}


def everything(response: HttpResponse) -> tuple[Any, ...]:
    return response.status_code, content_of(response), sorted(response.headers.items()), sorted(response.cookies)


def difference(response: HttpResponse, first: tuple[Any, ...]) -> str:
    """Say where an answer differs from the first one of its kind."""
    status, content, headers, cookies = everything(response)
    if content != first[1]:
        pairs = zip(content.decode().splitlines(), first[1].decode().splitlines(), strict=False)
        return str(next((pair for pair in pairs if pair[0] != pair[1]), "its length"))
    return str([status, sorted(set(headers) ^ set(first[2])), cookies, first[0], first[3]])

"""Real posts to Anymail's own webhook views: signed (Mailgun), by basic auth (Postmark), and in batches (Mailtrap)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from coupons.holders import customer_key
from tests.test_mail.reports import ANN, ago, make_message
from thankyou_flows.mail import suppression, tracking
from thankyou_flows.models import Contact, MailEvent, Message, Suppression

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.test_mail.webhook_urls")]

KEY = "mailgun-signing-key"
SECRET = "reporter:long-and-random"


@pytest.fixture(autouse=True)
def anymail(settings: Any) -> None:
    """A shop with Mailgun, Postmark and Mailtrap, which are all guarded, and a mail that was sent."""
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": KEY}
    tracking.connect()
    make_message()


def state() -> tuple[str, dict[str, str]]:
    found = Suppression.objects.of(customer_key(ANN)).values_list("scope", "reason")
    return Message.objects.get(key="m").delivery, dict(found)


BOUNCED = ("bounced", {Suppression.MARKETING: "bounced"})
COMPLAINED = ("complained", {Suppression.MARKETING: "complained"})
UNTOUCHED: tuple[str, dict[str, str]] = ("", {})


# Mailgun


def mailgun(
    kind: str,
    token: str = "t1",
    *,
    at: datetime | None = None,
    key: str = KEY,
    signed_at: datetime | None = None,
    **data: Any,
) -> dict[str, Any]:
    """Return a report as Mailgun writes and signs it."""
    at = at or timezone.now()
    timestamp = str(int((signed_at or at).timestamp()))
    signature = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": timestamp, "token": token, "signature": signature},
        "event-data": {
            "event": kind,
            "timestamp": at.timestamp(),
            "id": f"id-{token}",
            "recipient": ANN,
            "user-variables": {"message": "m"},
            "message": {"headers": {"message-id": "m@provider.example"}},
            **data,
        },
    }


def to_mailgun(client: Client, report: dict[str, Any], **more: Any) -> int:
    return client.post("/anymail/mailgun/tracking/", json.dumps(report), "application/json", **more).status_code


HARD = {"severity": "permanent", "reason": "bounce", "delivery-status": {"message": "5.1.1 no such user", "code": 550}}


def test_mailgun_signed(client: Client) -> None:
    """EM-7: signed well, a bounce is heard, and a temporary failure is a delay."""
    assert to_mailgun(client, mailgun("failed", "t0", severity="temporary", reason="generic")) == 200
    assert state() == ("deferred", {})
    assert to_mailgun(client, mailgun("failed", **HARD)) == 200
    assert state() == BOUNCED


@pytest.mark.parametrize("wrong", ["key", "token", "missing", "no block", "empty"])
def test_mailgun_forged(client: Client, wrong: str) -> None:
    """EM-7: signed badly, or not at all: 400, and nobody is struck off."""
    report = mailgun("failed", key="guessed" if wrong == "key" else KEY, **HARD)
    if wrong == "token":
        report["signature"]["token"] = "another"
    elif wrong == "missing":
        del report["signature"]["signature"]
    elif wrong == "no block":
        del report["signature"]
    elif wrong == "empty":
        report = {}
    assert to_mailgun(client, report) == 400
    assert state() == UNTOUCHED
    assert not MailEvent.objects.exists()


def test_mailgun_replayed(client: Client) -> None:
    """EM-7: the same report three times has one effect, also when it was changed under the same signature."""
    report = mailgun("delivered")
    assert [to_mailgun(client, report) for _n in range(3)] == [200, 200, 200]
    report["event-data"].update({"event": "complained"})
    assert to_mailgun(client, report) == 200
    assert state() == ("delivered", {})
    assert MailEvent.objects.count() == 1


def test_mailgun_too_old(client: Client) -> None:
    """EM-7: older than KEEP_MAIL_EVENTS_DAYS: acknowledged, and ignored, whatever date it claims inside."""
    assert to_mailgun(client, mailgun("complained", "t1", at=ago(days=31))) == 200
    assert to_mailgun(client, mailgun("complained", "t2", signed_at=ago(days=31))) == 200
    assert state() == UNTOUCHED


def test_mailgun_out_of_order(client: Client) -> None:
    """EM-7: the complaint overtakes the delivery."""
    delivered_at = ago(minutes=30).replace(microsecond=0)
    to_mailgun(client, mailgun("complained", "t2"))
    to_mailgun(client, mailgun("delivered", "t1", at=delivered_at))
    assert state() == COMPLAINED
    assert Message.objects.get().delivered_at == delivered_at


def test_mailgun_opened_and_clicked(client: Client) -> None:
    """EM-13: opened is nothing; clicked neither, unless the shop turned it on."""
    contact = Contact.objects.create(email=ANN, email_key=customer_key(ANN), last_action_at=ago(days=9))
    assert to_mailgun(client, mailgun("opened", "t1")) == 200
    assert to_mailgun(client, mailgun("clicked", "t2", url="https://shop.example/")) == 200
    assert not MailEvent.objects.exists()
    before = contact.last_action_at
    contact.refresh_from_db()
    assert contact.last_action_at == before


def test_mailgun_unsubscribed(client: Client) -> None:
    assert to_mailgun(client, mailgun("unsubscribed")) == 200
    assert state() == ("", {Suppression.FOLLOW_UPS: "objected"})


# Postmark


def auth(secret: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Basic {base64.b64encode(secret.encode()).decode()}"}


def to_postmark(client: Client, secret: str | None, **report: Any) -> int:
    """Post a hard bounce as Postmark writes it."""
    body = {
        "RecordType": "Bounce",
        "Type": "HardBounce",
        "ID": 4323372036854775807,
        "MessageID": "<m@provider.example>",
        "Email": ANN,
        "BouncedAt": timezone.now().isoformat(),
        "Metadata": {"message": "m"},
        "Details": "smtp;550 5.1.1 unknown user",
        **report,
    }
    more = auth(secret) if secret is not None else {}
    return client.post("/anymail/postmark/tracking/", json.dumps(body), "application/json", **more).status_code


def test_postmark_with_the_secret(client: Client, settings: Any) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    assert to_postmark(client, SECRET, Type="SoftBounce", ID=1) == 200
    assert state() == ("deferred", {})
    assert [to_postmark(client, SECRET) for _n in range(3)] == [200, 200, 200]
    assert state() == BOUNCED
    assert MailEvent.objects.count() == 2


@pytest.mark.parametrize("secret", [None, "", "reporter:guessed", "reporter", ":long-and-random"])
def test_postmark_forged(client: Client, settings: Any, secret: str | None) -> None:
    """EM-7: a forged bounce without the secret: 400, and no suppression."""
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    assert to_postmark(client, secret) == 400
    assert state() == UNTOUCHED
    assert not MailEvent.objects.exists()


def test_postmark_with_a_rotated_secret(client: Client, settings: Any) -> None:
    """EM-7: while a secret is replaced, both work; afterwards only the new one."""
    settings.ANYMAIL = {"WEBHOOK_SECRET": ["new:secret", SECRET]}
    assert to_postmark(client, SECRET, Type="Transient", ID=1) == 200
    assert to_postmark(client, "new:secret", Type="Transient", ID=2) == 200
    settings.ANYMAIL = {"WEBHOOK_SECRET": "new:secret"}
    assert to_postmark(client, SECRET) == 400
    assert state() == ("deferred", {})
    assert to_postmark(client, "new:secret") == 200
    assert state() == BOUNCED


def test_with_a_secret_the_signed_ones_need_it_too(client: Client, settings: Any) -> None:
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": KEY, "WEBHOOK_SECRET": SECRET}
    assert to_mailgun(client, mailgun("failed", **HARD)) == 400
    assert state() == UNTOUCHED
    assert to_mailgun(client, mailgun("failed", **HARD), **auth(SECRET)) == 200
    assert state() == BOUNCED


# Batches


def test_one_poison_event_does_not_lose_the_batch(client: Client, settings: Any, monkeypatch: Any) -> None:
    """EM-7: [good, poison, good] → 200, and both good ones are taken."""
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    suppress = suppression.suppress

    def break_for_bea(*, email_key: str, **rest: Any) -> bool:
        if email_key == customer_key("bea@example.com"):
            raise RuntimeError
        return suppress(email_key=email_key, **rest)

    monkeypatch.setattr(suppression, "suppress", break_for_bea)
    people = [ANN, "bea@example.com", "cem@example.com"]
    events = [
        {
            "event": "bounce",
            "event_id": f"e{number}",
            "message_id": str(number),
            "email": email,
            "timestamp": int(timezone.now().timestamp()),
        }
        for number, email in enumerate(people)
    ]
    body = json.dumps({"events": events})
    assert client.post("/anymail/mailtrap/tracking/", body, "application/json", **auth(SECRET)).status_code == 200
    struck = set(Suppression.objects.values_list("email_key", flat=True))
    assert struck == {customer_key(ANN), customer_key("cem@example.com")}
    assert set(MailEvent.objects.values_list("event_id", flat=True)) == {"e0", "e2"}


def test_while_the_database_is_away_the_provider_keeps_the_report(client: Client, monkeypatch: Any) -> None:
    """EM-7, OP-4: it is answered with an error, so that it comes again; then it is taken."""
    client.raise_request_exception = False
    report = mailgun("complained")

    def away(**_: Any) -> None:
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(tracking, "take_event", away)
        assert to_mailgun(client, report) == 500
    assert state() == UNTOUCHED
    assert to_mailgun(client, report) == 200
    assert state() == COMPLAINED


def test_head_changes_nothing(client: Client, settings: Any) -> None:
    """Some providers look whether the address is there."""
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    assert client.head("/anymail/postmark/tracking/").status_code == 200
    assert client.get("/anymail/postmark/tracking/").status_code == 405
    assert state() == UNTOUCHED

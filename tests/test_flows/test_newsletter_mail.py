"""The newsletter's confirmation mail: who gets it, how often, and what is in it."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.utils import timezone

from coupons.holders import customer_key
from thankyou_flows.models import ConfirmationAllowance, Subscription
from thankyou_flows.newsletter import TooManySignUps, limits, mailbox_key, subscribe

from .newsletter_tools import in_threads, link_in


class NoBackend:
    """A mail server that is down."""

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def send_messages(self, messages: Any) -> int:
        raise ConnectionRefusedError("no mail server")


@pytest.mark.django_db
def test_thirty_posts_for_one_victim(ask: Any, clock: Any) -> None:
    """EM-3: one mail at once and three in any 30 days, however the address is spelt and whichever list it is for."""
    spellings = ["victim@example.com", "VICTIM@Example.COM", " victim@example.com ", "victim+1@example.com"]
    spellings += ["ｖictim@example.com", '"victim"@example.com']
    sent_at = []
    for day in range(62):
        for n in range(30):
            before = len(mail.outbox)
            ask(spellings[n % len(spellings)], list_slug=f"list-{n % 2}")
            if len(mail.outbox) > before:
                sent_at.append(timezone.now())
            if day > 1:
                break
            clock.shift(timedelta(seconds=5))
        clock.shift(timedelta(days=1))
    assert all(len([t for t in sent_at if start <= t < start + timedelta(days=30)]) <= 3 for start in sent_at)
    assert all(b - a >= timedelta(minutes=3) for a, b in zip(sent_at, sent_at[1:], strict=False))
    assert len(sent_at) >= 6


@pytest.mark.django_db
def test_thirty_at_once_are_one_mail(ask: Any, clock: Any) -> None:
    """EM-3: one in three minutes."""
    for n in range(30):
        ask(f"victim+{n}@example.com")
    assert len(mail.outbox) == 1
    clock.shift(timedelta(minutes=3))
    ask("victim@example.com")
    assert len(mail.outbox) == 2


def test_gmail_has_one_mailbox() -> None:
    """EM-3: whatever CO-10 is set to, dots do not make new victims."""
    assert mailbox_key("v.ic.tim+x@googlemail.com") == mailbox_key("victim@gmail.com")
    assert mailbox_key("ann@bücher.example") == mailbox_key("ann@xn--bcher-kva.example.")
    assert mailbox_key("a.nn@example.com") != mailbox_key("ann@example.com")


def storm() -> int:
    """Ask for one address in 12 threads; return how many mails went out."""
    in_threads(12, lambda: subscribe(email="victim@example.com", wording="w", base_url="https://shop.example"))
    return len(mail.outbox)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_storm_is_one_mail() -> None:
    """EM-3: asked at the same instant, one wins."""
    assert storm() == 1


@pytest.mark.teeth
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_storm_without_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """EM-3: looking first and noting afterwards is not enough."""
    barrier = Barrier(12)

    def look_then_note(address: str, *, now: Any) -> bool:
        row, _created = ConfirmationAllowance.objects.get_or_create(mailbox_key=mailbox_key(address))
        free = ConfirmationAllowance.objects.filter(pk=row.pk).may_get_mail(now).exists()
        barrier.wait(timeout=10)
        ConfirmationAllowance.objects.filter(pk=row.pk).update(last_mail_at=now)
        return free

    ConfirmationAllowance.objects.create(mailbox_key=mailbox_key("victim@example.com"))
    subscribe(email="other@example.com", wording="w", base_url="https://shop.example")
    Subscription.objects.filter(email="other@example.com").update(email_key=customer_key("victim@example.com"))
    mail.outbox.clear()
    monkeypatch.setattr(limits, "take_allowance", look_then_note)
    assert storm() > 1


@pytest.mark.django_db
def test_one_place_cannot_ask_for_everybody(ask: Any, clock: Any) -> None:
    """EM-3: 20 a minute from one address in the network."""
    for n in range(20):
        ask(f"person-{n}@example.com", ip_key="192.0.2.1")
    with pytest.raises(TooManySignUps):
        ask("person-20@example.com", ip_key="192.0.2.1")
    ask("person-20@example.com", ip_key="192.0.2.2")
    assert len(mail.outbox) == 21


@pytest.mark.django_db
def test_nothing_typed_is_mailed(ask: Any) -> None:
    """EM-3, EM-8: the mail carries the address it goes to, and nothing else that somebody sent along."""
    evil = "Buy http://evil.example\r\nBcc: all@example.com"
    ask(wording=evil, source=evil, path=evil, language=evil[:10], site_name="Kettle\r\n& Fern")
    message = mail.outbox[0]
    raw = message.message().as_string()
    everything = raw + message.subject + message.body + message.alternatives[0][0]
    assert "evil" not in everything
    assert "Bcc" not in everything
    assert message.subject == "Kettle & Fern: please confirm your sign-up"
    assert message.recipients() == ["ann@example.com"]


@pytest.mark.django_db
def test_the_mail(ask: Any) -> None:
    """EM-1, AX-6: text and HTML, with the same link, the language, and who asks; no unsubscribe header yet (EM-5)."""
    ask(site_name="Kettle & Fern")
    message = mail.outbox[0]
    html, mimetype = message.alternatives[0]
    assert mimetype == "text/html"
    assert f"https://shop.example{link_in(message)}" in html
    assert '<html lang="en-gb"' in html
    assert "Kettle &amp; Fern" in html
    assert "Kettle & Fern" in message.body
    assert "72 hours" in message.body
    assert "http" not in html.replace(f"https://shop.example{link_in(message)}", "")
    assert message.extra_headers == {"Auto-Submitted": "auto-generated"}
    assert "\n\n\n" not in message.body


@pytest.mark.django_db
def test_the_link_begins_with_the_default_site(ask: Any) -> None:
    ask(base_url="")
    assert "http://localhost" in mail.outbox[0].body


@pytest.mark.django_db
def test_a_mail_server_that_fails_breaks_nothing(ask: Any, settings: Any, caplog: Any, clock: Any) -> None:
    """EM-3: it is logged, without the address, and the visitor can ask again."""
    settings.EMAIL_BACKEND = "tests.test_flows.test_newsletter_mail.NoBackend"
    ask()
    assert "could not be sent" in caplog.text
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    clock.shift(timedelta(minutes=3))
    ask()
    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_no_commit_no_mail(django_capture_on_commit_callbacks: Any) -> None:
    """EM-10: the mail waits for the commit."""
    with django_capture_on_commit_callbacks() as callbacks:
        subscribe(email="ann@example.com", wording="w", base_url="https://shop.example")
    assert not mail.outbox
    assert len(callbacks) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["", "ann", "ann@", "ann@example.com\nBcc: x@example.com", "a＠b@example.com"])
def test_no_address(email: str) -> None:
    """EM-8: what is no address is refused before anything is kept."""
    with pytest.raises(ValidationError):
        subscribe(email=email, wording="w", base_url="https://shop.example")
    assert not Subscription.objects.exists()

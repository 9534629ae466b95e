"""What a confirmation does beside the list: contact, suppressions, and old links (EM-1, EM-6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from coupons.holders import customer_key
from tests.test_flows.newsletter_tools import link_in, token_in
from thankyou_flows.mail import suppression
from thankyou_flows.mail.composing import DoNotSend
from thankyou_flows.models import (
    ConfirmationLink,
    ConsentReceipt,
    Contact,
    MailingList,
    Message,
    Subscription,
    Suppression,
)
from thankyou_flows.newsletter import LinkOver, confirm, find_confirmation
from thankyou_flows.newsletter.mails import compose_confirmation

pytestmark = pytest.mark.django_db

ANN = customer_key("ann@example.com")


def test_looking_writes_nothing(client: Client, newsletter: MailingList, ask: Any) -> None:
    """EM-1: GET, HEAD and prefetch, ten times each: no row changes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    ask()
    url = link_in(mail.outbox[0])
    with CaptureQueriesContext(connection) as queries:
        for _n in range(4):
            client.get(url)
            client.head(url)
            client.get(url, headers={"Sec-Purpose": "prefetch;prerender"})
    assert not [q["sql"] for q in queries if q["sql"].split()[0] in {"INSERT", "UPDATE", "DELETE"}]
    assert not Contact.objects.exists()


def test_the_contact_is_known_from_now_on(ask: Any, press: Any) -> None:
    """EM-13: nobody is known because an address was typed, but because a button was pressed."""
    ask(language="de")
    assert not Contact.objects.exists()
    press(mail.outbox[0])
    contact = Contact.objects.get()
    assert (contact.email, contact.language, contact.email_key) == ("ann@example.com", "de", ANN)


@pytest.mark.parametrize(
    ("scope", "reason", "is_lifted"),
    [
        ("list:newsletter", "left", True),
        ("marketing", "left", True),
        ("marketing", "erased", True),
        ("list:recipes", "left", False),
    ],
)
def test_a_new_yes_overrules_the_own_no(
    newsletter: MailingList, ask: Any, press: Any, scope: str, reason: str, is_lifted: bool
) -> None:
    """EM-6: of the list itself and of everything, but not of another list."""
    Suppression.objects.create(email_key=ANN, scope=scope, reason=reason)
    ask()
    press(mail.outbox[0])
    assert Subscription.objects.get().state == Subscription.State.CONFIRMED
    assert Suppression.objects.filter(scope=scope).exists() is not is_lifted


@pytest.mark.parametrize("reason", ["bounced", "complained", "manual"])
def test_what_a_yes_cannot_overrule_gets_no_question(newsletter: MailingList, ask: Any, reason: str) -> None:
    """EM-2, EM-6: it would be a promise that is not kept."""
    Suppression.objects.create(email_key=ANN, scope="marketing", reason=reason)
    ask()
    assert not mail.outbox
    assert Message.objects.get().state == Message.State.SKIPPED


def test_links_from_before_leaving_are_dead(newsletter: MailingList, ask: Any, clock: Any) -> None:
    """EM-1, EM-6: who has left is not brought back by an old mail, also by one that was never used."""
    ask()
    clock.shift(timedelta(minutes=5))
    suppression.leave(email_key=ANN, mailing_list=newsletter)
    # Also if nothing else had marked the link.
    ConfirmationLink.objects.update(used_at=None)
    token = token_in(mail.outbox[0])
    assert find_confirmation(token=token) is None
    with pytest.raises(LinkOver):
        confirm(token=token)
    clock.shift(timedelta(minutes=5))
    ask()
    assert confirm(token=token_in(mail.outbox[1])).state == Subscription.State.CONFIRMED
    assert Subscription.objects.get().left_at is None


@pytest.mark.parametrize(
    ("state", "why"), [("confirmed", "done"), ("left", "left"), ("", "erased")], ids=["confirmed", "left", "erased"]
)
def test_a_late_mail_asks_nobody_for_nothing(ask: Any, clock: Any, state: str, why: str) -> None:
    """EM-12: what has happened since the request is asked when the mail is written."""
    ask()
    clock.shift(timedelta(minutes=5))
    if state:
        Subscription.objects.update(state=state, left_at=timezone.now())
    else:
        Subscription.objects.all().delete()
    with pytest.raises(DoNotSend) as refusal:
        compose_confirmation(message=Message.objects.get(), now=timezone.now())
    assert refusal.value.why == why


def test_each_attempt_has_a_link_of_its_own(ask: Any) -> None:
    """EM-10, TY-4: an attempt that got lost leaves a hash; both links work, and using one uses up the other."""
    ask()
    again = compose_confirmation(message=Message.objects.get(), now=timezone.now())
    first, second = token_in(mail.outbox[0]), again.secrets[0]
    assert ConfirmationLink.objects.count() == 2
    assert first != second
    confirm(token=second)
    assert ConfirmationLink.objects.filter(used_at=None).count() == 0
    assert confirm(token=first).state == Subscription.State.CONFIRMED
    assert ConsentReceipt.objects.filter(kind="confirmed").count() == 1


def test_a_closed_list_keeps_its_word(newsletter: MailingList, ask: Any, press: Any) -> None:
    """Who was asked while it was open may say yes."""
    ask()
    MailingList.objects.update(is_open=False)
    assert "Thank you, you are on the list" in press(mail.outbox[0])

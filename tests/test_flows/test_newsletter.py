"""The newsletter's double opt-in: what the mailed link does, and the proof that is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from thankyou_flows.models import ConfirmationLink, ConsentReceipt, Subscription
from thankyou_flows.newsletter import LinkOver, confirm, find_confirmation, subscribe
from thankyou_flows.signals import subscription_confirmed
from thankyou_flows.tokens import hash_token

from .newsletter_tools import in_threads, link_in, token_in

State = Subscription.State


@pytest.mark.django_db
def test_looking_changes_nothing(client: Client, ask: Any) -> None:
    """EM-1: GET, HEAD and prefetch, ten times each: still pending, and nothing written at all."""
    ask()
    url = link_in(mail.outbox[0])
    with CaptureQueriesContext(connection) as queries:
        for _n in range(6):
            assert client.get(url).status_code == 200
            assert client.head(url).status_code == 200
            assert client.get(url, headers={"Purpose": "prefetch", "Sec-Purpose": "prefetch"}).status_code == 200
    assert not [q for q in queries if not q["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))]
    assert Subscription.objects.get().state == State.PENDING
    assert ConsentReceipt.objects.count() == 1


@pytest.mark.django_db
def test_the_button_confirms_once(client: Client, ask: Any, django_capture_on_commit_callbacks: Any) -> None:
    """EM-1: the POST confirms; a second one, and the link later, say "already"."""
    heard: list[Subscription] = []

    def listen(subscription: Subscription, **kwargs: Any) -> None:
        heard.append(subscription)

    subscription_confirmed.connect(listen)
    try:
        ask()
        url = link_in(mail.outbox[0])
        with django_capture_on_commit_callbacks(execute=True):
            first = client.post(url)
            second = client.post(url)
    finally:
        subscription_confirmed.disconnect(listen)
    assert "Thank you, you are on the list" in first.content.decode()
    assert "You are on the list already" in second.content.decode()
    assert client.get(url).content == second.content
    subscription = Subscription.objects.get()
    assert heard == [subscription]
    assert subscription.state == State.CONFIRMED
    assert subscription.confirmed_at is not None
    assert [receipt.kind for receipt in subscription.receipts.all()] == ["requested", "confirmed"]


@pytest.mark.django_db
def test_a_receiver_that_raises_changes_nothing(
    client: Client, ask: Any, django_capture_on_commit_callbacks: Any
) -> None:
    """EM-1: what others do with the news is not the subscriber's problem."""

    def fail(**kwargs: Any) -> None:
        raise RuntimeError

    subscription_confirmed.connect(fail)
    try:
        ask()
        with django_capture_on_commit_callbacks(execute=True):
            assert client.post(link_in(mail.outbox[0])).status_code == 200
    finally:
        subscription_confirmed.disconnect(fail)
    assert Subscription.objects.get().state == State.CONFIRMED


@pytest.mark.django_db
def test_bad_links_look_alike(client: Client, ask: Any, clock: Any) -> None:
    """EM-1, TY-2: unknown, mangled, expired and foreign links: the same page, for GET and POST, and no change."""
    ask()
    url = link_in(mail.outbox[0])
    clock.shift(timedelta(hours=72, seconds=-1))
    assert client.get(url).status_code == 200
    clock.shift(timedelta(seconds=1))
    urls = [
        url,
        url[:-5] + "/",
        reverse("thankyou_flows:confirm", args=["x"]),
        reverse("thankyou_flows:confirm", args=["ünïcode\x00'\"<script>"]),
        reverse("thankyou_flows:confirm", args=["a" * 3000]),
    ]
    for method in (client.get, client.post):
        answers = [method(address) for address in urls]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
        assert b"ann@example.com" not in answers[0].content
    assert Subscription.objects.get().state == State.PENDING


@pytest.mark.django_db
def test_guessing_is_limited(client: Client, ask: Any, clock: Any) -> None:
    """TY-9: twenty a minute; then even a right link waits."""
    ask()
    url = link_in(mail.outbox[0])
    for n in range(20):
        client.get(reverse("thankyou_flows:confirm", args=[f"guess-{n}"]))
    assert client.post(url, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    clock.shift(timedelta(minutes=2))
    assert client.post(url).status_code == 200


@pytest.mark.django_db
def test_the_page_keeps_the_token_to_itself(client: Client, ask: Any) -> None:
    """TY-5, TY-6: not cached, not indexed, the token in no Referer and nowhere in the page."""
    ask()
    url = link_in(mail.outbox[0])
    for response in (client.get(url), client.post(url), client.get(url)):
        assert "no-store" in response["Cache-Control"]
        assert "private" in response["Cache-Control"]
        assert "noindex" in response["X-Robots-Tag"]
        assert response["Referrer-Policy"] == "strict-origin"
        assert token_in(mail.outbox[0]) not in response.content.decode()


@pytest.mark.django_db
def test_another_site_cannot_press_the_button(ask: Any) -> None:
    """EM-1: only the page itself confirms."""
    ask()
    url = link_in(mail.outbox[0])
    browser = Client(enforce_csrf_checks=True)
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert browser.post(url, headers=headers).status_code == 403
    assert Subscription.objects.get().state == State.PENDING
    assert browser.post(url, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert Subscription.objects.get().state == State.CONFIRMED


@pytest.mark.django_db
def test_only_the_hash_is_kept(ask: Any) -> None:
    """TY-4: 256 bits in the mail, their hash in the database, and a token of another purpose is worthless."""
    ask()
    token = token_in(mail.outbox[0])
    link = ConfirmationLink.objects.get()
    assert len(token) >= 43
    assert token not in str(list(ConfirmationLink.objects.values()))
    assert link.token_hash == hash_token(token, purpose="newsletter") != hash_token(token, purpose="order")


@pytest.mark.django_db
def test_both_mails_work_and_neither_leads_back(ask: Any, clock: Any) -> None:
    """EM-1: asking again does not break the first link; after leaving the list, old links are dead."""
    ask("ann@example.com", wording="First wording")
    clock.shift(timedelta(minutes=4))
    ask("Ann@example.com", wording="Second wording")
    first, second = (token_in(message) for message in mail.outbox)
    subscription = confirm(token=first)
    assert subscription.email == "ann@example.com"
    assert subscription.receipts.last().wording == "First wording"
    assert confirm(token=second) == subscription
    assert subscription.receipts.count() == 3
    Subscription.objects.update(state=State.LEFT)
    for token in (first, second):
        assert find_confirmation(token=token) is None
        with pytest.raises(LinkOver):
            confirm(token=token)
    clock.shift(timedelta(minutes=4))
    ask()
    assert Subscription.objects.get().state == State.LEFT
    assert confirm(token=token_in(mail.outbox[2])).state == State.CONFIRMED


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once() -> None:
    """EM-1: one of two simultaneous presses confirms; both are told it worked."""
    subscribe(email="ann@example.com", wording="w", base_url="https://shop.example")
    token = token_in(mail.outbox[0])
    heard: list[Subscription] = []

    def listen(subscription: Subscription, **kwargs: Any) -> None:
        heard.append(subscription)

    subscription_confirmed.connect(listen)
    try:
        states = in_threads(8, lambda: confirm(token=token).state)
    finally:
        subscription_confirmed.disconnect(listen)
    assert states == [State.CONFIRMED] * 8
    assert len(heard) == 1
    assert ConsentReceipt.objects.filter(kind="confirmed").count() == 1


@pytest.mark.django_db
def test_the_receipt_says_what_was_shown(client: Client, ask: Any, clock: Any) -> None:
    """EM-4: wording, who showed it, where, in which language and when; the token is in no receipt."""
    ask(wording="Exactly this.", source="page 7, revision 12", path="/thanks/", language="en-gb")
    clock.shift(timedelta(minutes=5))
    client.post(link_in(mail.outbox[0]))
    asked, confirmed = ConsentReceipt.objects.all()
    for receipt in (asked, confirmed):
        assert (receipt.wording, receipt.source, receipt.language) == ("Exactly this.", "page 7, revision 12", "en-gb")
    assert asked.path == "/thanks/"
    assert confirmed.path == "/thanks/newsletter/confirm/<str:token>/"
    assert confirmed.created_at - asked.created_at == timedelta(minutes=5)


@pytest.mark.django_db
def test_receipts_are_only_added(ask: Any) -> None:
    """EM-4: no way to change one by accident."""
    ask()
    receipt = ConsentReceipt.objects.get()
    receipt.wording = "Something else"
    with pytest.raises(TypeError):
        receipt.save()
    with pytest.raises(TypeError):
        ConsentReceipt(pk=receipt.pk, subscription=receipt.subscription, wording="Something else").save()
    with pytest.raises(TypeError):
        ConsentReceipt.objects.update(wording="Something else")
    with pytest.raises(TypeError):
        ConsentReceipt.objects.bulk_update([receipt], ["wording"])
    assert ConsentReceipt.objects.get().wording == "I want letters."

"""One command for all retention, with a dry run (EM-13)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.db import connection, connections

from coupons.holders import customer_key
from tests.test_privacy.world import NOW, PROVED, dump, make_person
from thankyou_flows.models import (
    ConfirmationAllowance,
    ConfirmationLink,
    ConsentReceipt,
    Contact,
    MailEvent,
    MailingList,
    Message,
    OrderLink,
    OrderRecord,
    Subscription,
    Suppression,
    WhyNot,
)
from thankyou_flows.newsletter import subscribe
from thankyou_flows.privacy import purging
from thankyou_flows.privacy.purging import KINDS, PurgeRunning, purge
from thankyou_flows.signals import contact_left
from wishlists.models import Inquiry, ListItem, ProductList

pytestmark = pytest.mark.django_db

EMAIL = "ann@example.com"
KEY = "c:ann"
DAY = timedelta(days=1)


def days_ago(days: float) -> Any:
    return NOW - timedelta(days=days)


def changed(**options: Any) -> dict[str, int]:
    """Purge, and return the kinds of which there was something to do."""
    return {name: count for name, count in purge(now=NOW, **options).items() if count}


def make_subscription(*, state: str = "pending", asked: float = 0, link: float = 3, **changes: Any) -> Subscription:
    """Return a sign-up that was asked for so many days ago; its link works for ``link`` days from then."""
    shelf, _created = MailingList.objects.get_or_create(slug="letters", defaults={"title": "Letters"})
    row = Subscription.objects.create(mailing_list=shelf, email=EMAIL, email_key=KEY, state=state)
    Subscription.objects.filter(pk=row.pk).update(requested_at=days_ago(asked), **changes)
    receipt = ConsentReceipt.objects.create(subscription=row, kind="requested")
    ConsentReceipt._base_manager.filter(pk=receipt.pk).update(created_at=days_ago(asked))
    ConfirmationLink.objects.create(
        receipt=receipt, email=EMAIL, token_hash="h", expires_at=days_ago(asked) + timedelta(days=link)
    )
    row.refresh_from_db()
    return row


def make_message(*, state: str = "sent", settled: float = 0, **changes: Any) -> Message:
    """Return a message that was settled so many days ago."""
    facts = {"dedupe_key": f"{state}:{settled}", "kind": "follow_up", "composer": "follow_up", "reason": "order_paid"}
    texts = {"subject": "Hello", "text": "Dear Ann", "html": "<p>Dear Ann</p>", "context": {"number": "1"}}
    to = {"email": EMAIL, "email_key": KEY, "settled_at": days_ago(settled)}
    return Message.objects.create(**{**facts, **texts, **to, "state": state, **changes})


def make_contact(*, acted: float, email: str = EMAIL, key: str = KEY) -> Contact:
    return Contact.objects.create(email=email, email_key=key, last_action_at=days_ago(acted))


# Each kind --------------------------------------------------------------------------------------------------------------


def test_an_unconfirmed_sign_up_loses_its_address() -> None:
    """EM-13: after KEEP_UNCONFIRMED_DAYS the keyed hash stays in place of the address, and its links are gone."""
    row = make_subscription(asked=7.1)
    assert changed() == {"unconfirmed sign-ups": 1}
    row.refresh_from_db()
    assert (row.email, row.email_key, row.state) == ("", KEY, "pending")
    assert not ConfirmationLink.objects.exists()
    assert ConsentReceipt.objects.count() == 1


def test_the_mail_that_asked_to_confirm_loses_the_address_too(django_capture_on_commit_callbacks: Any) -> None:
    """EM-13: whoever typed somebody's address and never confirmed leaves it nowhere in the database."""
    email = "never.confirmed@example.com"
    with time_machine.travel(days_ago(7.1), tick=False), django_capture_on_commit_callbacks(execute=True):
        subscribe(email=email, wording="Yes please", method="block", base_url="https://shop.example")
    with time_machine.travel(days_ago(6.9), tick=False), django_capture_on_commit_callbacks(execute=True):
        subscribe(email=f"x.{email}", wording="Yes please", method="block", base_url="https://shop.example")
    assert len(mail.outbox) == 2
    Message.objects.update(provider_id=email)
    assert changed() == {"unconfirmed sign-ups": 1}
    old, young = Message.objects.order_by("pk")
    assert (old.state, old.email, old.provider_id, old.subject, old.text, old.html, old.context) == (
        *("sent", "", "", "", "", ""),
        {},
    )
    assert old.email_key and young.email == f"x.{email}" and young.text
    Message.objects.filter(pk=young.pk).update(provider_id="")
    assert not [line for line in dump().splitlines() if email in line.replace(f"x.{email}", "")]
    assert changed() == {}


@pytest.mark.parametrize("case", ["younger", "asked again", "link works", "confirmed"])
def test_a_sign_up_that_can_still_be_confirmed_keeps_it(case: str) -> None:
    """EM-1: a link that works still finds the address that it proves."""
    row = make_subscription(
        asked=6.9 if case == "younger" else 8,
        link=9 if case == "link works" else 3,
        state="confirmed" if case == "confirmed" else "pending",
        confirmed_at=NOW,
    )
    if case == "asked again":
        again = ConsentReceipt.objects.create(subscription=row, kind="requested")
        ConsentReceipt._base_manager.filter(pk=again.pk).update(created_at=days_ago(1))
    assert changed() == {}


@pytest.mark.parametrize("state", ["left", "pending"])
def test_a_proof_goes_years_after_it_was_needed(state: str) -> None:
    """EM-13: kept while subscribed and KEEP_CONSENT_DAYS longer; with its receipts."""
    row = make_subscription(asked=3 * 365 + 1, state=state, left_at=days_ago(3 * 365 - 1) if state == "left" else None)
    Subscription.objects.update(email="")
    ConfirmationLink.objects.all().delete()
    assert changed() == ({} if state == "left" else {"proofs of consent": 1})
    Subscription.objects.update(left_at=days_ago(3 * 365 + 1))
    assert changed() == ({"proofs of consent": 1} if state == "left" else {})
    assert not ConsentReceipt.objects.filter(subscription=row).exists()


def test_who_is_subscribed_keeps_the_proof() -> None:
    """EM-4: the burden of proof lasts as long as the letters do."""
    make_subscription(state="confirmed", asked=4_000, confirmed_at=days_ago(4_000))
    ConfirmationLink.objects.all().delete()
    make_contact(acted=10)
    assert changed() == {}


def test_who_does_nothing_for_years_is_not_written_to(django_capture_on_commit_callbacks: Any) -> None:
    """EM-13: the contact goes and the lists are left, with a receipt and no suppression; whoever keeps a list hears it."""
    row = make_subscription(state="confirmed", asked=1_200, confirmed_at=days_ago(1_200))
    ConfirmationLink.objects.all().delete()
    make_contact(acted=1_100)
    waiting = make_message(state="planned", settled_at=None, clicked_at=None)
    heard: list[str] = []

    def on_left(scope: str, **_: Any) -> None:
        heard.append(scope)

    contact_left.connect(on_left)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            assert changed() == {"inactive sign-ups": 1, "inactive contacts": 1}
    finally:
        contact_left.disconnect(on_left)
    row.refresh_from_db()
    assert (row.state, row.left_at, row.email, row.email_key) == ("left", NOW, "", KEY)
    receipt = row.receipts.get(kind="left")
    assert receipt.method == "admin"
    waiting.refresh_from_db()
    assert (waiting.state, waiting.why_not) == ("skipped", WhyNot.LEFT)
    assert not Contact.objects.exists() and not Suppression.objects.exists()
    assert heard == ["list:letters"]


@pytest.mark.parametrize("action", ["acted", "ordered", "joined"])
def test_an_action_keeps_a_contact(action: str) -> None:
    """EM-13: an order, a confirmation, a change of preferences. An open is none, and is not counted at all."""
    make_subscription(state="confirmed", asked=2_000, confirmed_at=days_ago(10 if action == "joined" else 2_000))
    ConfirmationLink.objects.all().delete()
    make_contact(acted=10 if action == "acted" else 1_100)
    if action == "ordered":
        OrderRecord.objects.create(number="1", state="paid", customer_key=KEY, placed_at=days_ago(10))
    assert changed() == {}


def test_texts_of_mails_go_first_and_messages_later() -> None:
    """EM-13: what a mail said goes after KEEP_MAIL_TEXT_DAYS, that it was sent after KEEP_MESSAGES_DAYS."""
    make_contact(acted=1)
    for settled in (89, 91, 397):
        make_message(settled=settled)
    make_message(state="planned", settled_at=None)
    assert changed() == {"texts of mails": 2, "messages": 1}
    assert set(Message.objects.values_list("dedupe_key", "subject", "text", "html", "email")) == {
        ("sent:89", "Hello", "Dear Ann", "<p>Dear Ann</p>", EMAIL),
        ("sent:91", "", "", "", EMAIL),
        ("planned:0", "Hello", "Dear Ann", "<p>Dear Ann</p>", EMAIL),
    }


@pytest.mark.parametrize("known", ["contact", "on a list", "left", "nobody"])
def test_an_address_that_is_nobodys_goes_with_the_text(known: str) -> None:
    """EM-13: of people who are neither contacts nor on a list only the keyed hash stays, also of mails without a text;
    at the latest when the contact goes.
    """
    if known == "contact":
        make_contact(acted=1)
    elif known != "nobody":
        make_subscription(state="confirmed" if known == "on a list" else "left", confirmed_at=NOW, left_at=NOW)
        ConfirmationLink.objects.all().delete()
        Subscription.objects.update(email="")
    make_message(settled=91, provider_id="p1")
    make_message(settled=92, subject="", text="", html="", context={}, state="skipped", provider_id="p2")
    young = make_message(settled=89)
    stays = known in {"contact", "on a list"}
    assert changed() == {"texts of mails": 1 if stays else 2}
    old = Message.objects.exclude(pk=young.pk)
    assert set(old.values_list("email", "email_key")) == {(EMAIL if stays else "", KEY)}
    assert set(old.values_list("provider_id", flat=True)) == ({"p1", "p2"} if stays else {""})
    assert changed() == {}
    if known == "contact":
        Contact.objects.update(last_action_at=days_ago(1_100))
        assert changed() == {"inactive contacts": 1}
        assert set(old.values_list("email", "provider_id")) == {("", "")}
        assert changed() == {}


def test_what_was_kept_of_a_mail_that_never_went_out_goes() -> None:
    """EM-13: a mail of the shop's own that failed, or was stopped, has its text in its facts."""
    for state in ("failed", "skipped"):
        make_message(state=state, settled=91, composer="email", subject="", text="", html="", last_error="")
    assert changed() == {"texts of mails": 2}
    assert not Message.objects.exclude(context={}).exists()


def test_reports_links_suppressions_and_allowances(settings: Any) -> None:
    """EM-13: KEEP_MAIL_EVENTS_DAYS, KEEP_LINKS_DAYS, KEEP_SUPPRESSIONS_DAYS, and the window of the sign-up limit."""
    message = make_message()
    for days in (29, 31):
        received = {"at": NOW, "received_at": days_ago(days)}
        MailEvent.objects.create(message=message, provider="p", event_id=str(days), kind="delivered", **received)
        OrderLink.objects.create(number="1", token_hash=f"o{days}", expires_at=days_ago(days))
        ConfirmationAllowance.objects.create(mailbox_key=f"m{days}", last_mail_at=days_ago(days))
        Suppression.objects.create(email_key=f"c:{days}", scope="marketing", reason="left", at=days_ago(days))
    gone = {"reports from mail providers": 1, "links to orders": 1, "confirmation allowances": 1}
    assert changed() == gone
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "KEEP_SUPPRESSIONS_DAYS": 30}
    assert changed() == {"suppressions": 1}
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "KEEP_MAIL_EVENTS_DAYS": 28, "KEEP_LINKS_DAYS": 28}
    assert changed() == {"reports from mail providers": 1, "links to orders": 1}


def test_a_used_link_goes_too() -> None:
    """EM-13: link tokens go KEEP_LINKS_DAYS after they expired."""
    make_subscription(state="confirmed", asked=34, confirmed_at=NOW)
    assert changed() == {"links to confirm": 1}


def test_who_was_erased_does_not_come_back_by_the_back_door() -> None:
    """EM-6: an import, or a follow-up of the shop's own order, brings address and contact back; a new sign-up may."""
    Suppression.objects.create(email_key=KEY, scope="marketing", reason="erased", at=days_ago(3))
    make_contact(acted=1)
    make_message(state="skipped", why_not=WhyNot.ERASED)
    make_message(state="sent", kind="transactional", settled=1)
    assert changed() == {"contacts of erased people": 1, "mails to erased people": 1}
    assert list(Message.objects.order_by("pk").values_list("email", "email_key")) == [("", ""), (EMAIL, KEY)]


def test_the_lower_apps_are_pruned_too() -> None:
    """EM-13: one command does it all."""
    Inquiry.objects.create(email=EMAIL, text="Hello?", state="closed", answered_at=days_ago(4_000))
    assert changed() == {"lists: inquiries": 1}


# All of it --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def busy(settings: Any) -> Callable[[], None]:
    """A function that fills the database with rows of all ages."""
    settings.THANKYOU_COUPONS = PROVED

    def fill() -> None:
        for number, age in enumerate((0, 8, 45, 100, 400, 1_200)):
            made = make_person(times=2, email=f"p{age}@example.com", marker=f"p{age}", number=f"P{number}")
            before = days_ago(age)
            Message.objects.filter(email_key=made.key).update(settled_at=before)
            Subscription.objects.filter(email_key=made.key).update(requested_at=before)
            Subscription.objects.filter(email_key=made.key, state="confirmed").update(confirmed_at=before)
            ConsentReceipt._base_manager.filter(subscription__email_key=made.key).update(created_at=before)
            ConfirmationLink.objects.filter(email=made.email).update(expires_at=before)
            OrderRecord.objects.filter(customer_key=made.key).update(placed_at=before)
            MailEvent.objects.filter(message__email_key=made.key).update(received_at=before)
            Contact.objects.filter(email_key=made.key).update(last_action_at=before)
            Inquiry.objects.filter(email__iexact=made.email).update(state="answered", answered_at=before)
            recent = ProductList.objects.create(owner=made.user, kind="recent", changed_at=before)
            ListItem.objects.create(list=recent, product_ref=f"only-{age}", added_at=before)
        OrderRecord.objects.filter(customer_key=customer_key("p1200@example.com")).delete()
        Suppression.objects.create(email_key=customer_key("p100@example.com"), scope="marketing", reason="erased")

    return fill


def counts_of_all() -> dict[str, int]:
    models = [Subscription, ConfirmationLink, Contact, Message, MailEvent, OrderLink, Inquiry, ListItem, ProductList]
    return {model.__name__: model._default_manager.count() for model in models}


def test_a_dry_run_changes_nothing_and_says_exactly_what_a_run_does(busy: Callable[[], None]) -> None:
    """EM-13: number by number."""
    busy()
    before = counts_of_all()
    announced = purge(dry_run=True, now=NOW)
    assert counts_of_all() == before
    assert sum(1 for count in announced.values() if count) > 8
    assert purge(now=NOW) == announced
    assert counts_of_all() != before


def test_it_is_idempotent(busy: Callable[[], None]) -> None:
    """EM-13: a second run finds nothing."""
    busy()
    purge(now=NOW)
    assert changed() == {}


def test_it_works_piece_by_piece(busy: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """EM-13: batched; however small the pieces, the result is the same."""
    busy()
    announced = purge(dry_run=True, now=NOW)
    monkeypatch.setattr(purging, "CHUNK", 2)
    assert purge(now=NOW) == announced


def test_what_is_left_after_a_kill_is_found_by_the_next_run(
    busy: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """OP-5: each piece is a transaction of its own; a run that ends anywhere loses nothing."""
    busy()
    announced = purge(dry_run=True, now=NOW)
    monkeypatch.setattr(purging, "CHUNK", 1)
    did = purging._do
    done = 0

    def killed(*args: Any) -> int:
        nonlocal done
        if done >= 5:
            raise KeyboardInterrupt
        done += did(*args)
        return done and 1

    monkeypatch.setattr(purging, "_do", killed)
    with pytest.raises(KeyboardInterrupt):
        purge(now=NOW)
    monkeypatch.setattr(purging, "_do", did)
    assert sum(purge(now=NOW).values()) == sum(announced.values()) - done
    assert changed() == {}


def test_each_kind_has_its_line() -> None:
    """EM-13: the command prints one line per kind with a count."""
    out = StringIO()
    call_command("purge", "--dry-run", stdout=out)
    lines = out.getvalue().splitlines()
    assert len(lines) == len(KINDS) + 4 + 10
    assert lines[0] == "would go: links to confirm: 0"
    out = StringIO()
    call_command("purge", stdout=out)
    assert "gone: lists: inquiries: 0" in out.getvalue().splitlines()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_not_wait_for_each_other(settings: Any) -> None:
    """EM-13: an advisory lock; the second one says so and ends well. It is free again afterwards."""
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [purging.LOCK])
        with pytest.raises(PurgeRunning):
            purge(now=NOW)
        out = StringIO()
        call_command("purge", stdout=out)
        assert out.getvalue() == "Another purge is at work; this one has nothing to do.\n"
    finally:
        other.close()
    assert purge(now=NOW) == purge(now=NOW)
    assert connection.vendor == "postgresql"

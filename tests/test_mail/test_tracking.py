"""What the mail provider reports counts once, in any order, and stops what it must (EM-6, EM-7)."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from anymail.signals import tracking
from django.utils import timezone
from hypothesis import HealthCheck, given, settings, strategies
from hypothesis.extra.django import TestCase

from coupons.holders import customer_key
from tests.test_mail.reports import ANN, ago, make_event, make_list, make_message
from thankyou_flows.mail import suppression
from thankyou_flows.mail import tracking as our_tracking
from thankyou_flows.mail.provider_events import is_soft, name_event
from thankyou_flows.mail.tracking import take_event
from thankyou_flows.models import (
    ConsentReceipt,
    Contact,
    MailEvent,
    Message,
    MessageKind,
    Subscription,
    Suppression,
    WhyNot,
)

pytestmark = pytest.mark.django_db

Delivery = Message.Delivery


def take(event: Any, provider: str = "Postal") -> bool:
    return take_event(event=event, provider=provider)


def suppressed() -> dict[str, str]:
    return dict(Suppression.objects.of(customer_key(ANN)).values_list("scope", "reason"))


def test_an_event_counts_once() -> None:
    """EM-7: the same event three times has one effect; another provider's may have the same id."""
    message = make_message()
    event = make_event("delivered")
    assert [take(event) for _n in range(3)] == [True, False, False]
    assert take(event, "Mailtrap")
    message.refresh_from_db()
    assert (message.delivery, message.delivered_at) == (Delivery.DELIVERED, event.timestamp)
    assert list(MailEvent.objects.values_list("kind", flat=True)) == ["delivered", "delivered"]


def test_events_without_an_id_are_told_apart_by_what_they_say() -> None:
    """EM-7: a digest names them, and it is a keyed one: nobody can look for an address in it."""
    make_message()
    at = timezone.now()
    for _n in range(2):
        take(make_event("delivered", None, timestamp=at))
        take(make_event("delivered", None, timestamp=at, recipient="bea@example.com"))
        take(make_event("deferred", None, timestamp=at))
    ids = list(MailEvent.objects.values_list("event_id", flat=True))
    assert len(ids) == len(set(ids)) == 3
    assert not any("example.com" in each for each in ids)


def test_one_id_for_several_recipients() -> None:
    """Amazon reports on all recipients of a mail under one id."""
    names = {
        name_event(make_event("bounced", "sns-1", recipient=who), provider="Amazon SES") for who in (ANN, "b@x.io")
    }
    assert len(names) == 2


def test_long_ids_are_kept_short() -> None:
    assert take(make_event("delivered", "x" * 300))
    assert not take(make_event("delivered", "x" * 300))
    assert take(make_event("delivered", "x" * 301))


def test_what_is_too_old_is_not_taken(settings: Any) -> None:
    """EM-7: an event older than we remember events may have counted already."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "KEEP_MAIL_EVENTS_DAYS": 10}
    make_message()
    assert not take(make_event("bounced", reject_reason="bounced", timestamp=ago(days=11)))
    assert not MailEvent.objects.exists() and not suppressed()
    assert take(make_event("bounced", reject_reason="bounced", timestamp=ago(days=9)))


def test_an_old_signature_with_a_new_story() -> None:
    """EM-7: Mailgun signs only a time and a token: whoever has found an old pair must not report anything with it."""
    make_message()
    signed = {"signature": {"timestamp": str(ago(days=31).timestamp()), "token": "e1"}}
    assert not take(make_event("complained", esp_event=signed), "Mailgun")
    assert not suppressed()


def test_a_clock_that_is_ahead() -> None:
    make_message()
    take(make_event("delivered", timestamp=timezone.now() + timedelta(days=2)))
    assert Message.objects.get().delivered_at <= timezone.now()


def test_an_event_without_a_time_is_of_now() -> None:
    make_message()
    assert take(make_event("delivered", timestamp=None))
    assert abs(Message.objects.get().delivered_at - timezone.now()) < timedelta(minutes=1)


# Finding


def test_a_message_is_found_by_our_key_or_by_the_providers() -> None:
    """Not every provider sends metadata back."""
    make_message()
    take(make_event("delivered", "e1", metadata={}, message_id="<m@provider.example>"))
    assert Message.objects.get().delivery == Delivery.DELIVERED
    take(make_event("complained", "e2", metadata={"message": "m"}, message_id=None))
    assert Message.objects.get().delivery == Delivery.COMPLAINED
    assert MailEvent.objects.filter(message__key="m").count() == 2


@pytest.mark.parametrize("metadata", [None, {}, {"message": None}, {"message": "nobody's"}, {"message": ["m"]}, "m"])
def test_unknown_messages_and_people_are_no_mistake(metadata: Any) -> None:
    """EM-7: what nobody knows (any more) is noted, and an address that is gone is gone."""
    assert take(make_event("bounced", metadata=metadata, message_id="x", reject_reason="bounced"))
    assert MailEvent.objects.get().message is None
    assert suppressed() == {Suppression.MARKETING: "bounced"}


def test_nobody_at_all() -> None:
    assert take(make_event("bounced", metadata={}, message_id=None, recipient=None, reject_reason="bounced"))
    assert not Suppression.objects.exists()


def test_a_copy_for_the_archive_is_not_the_customers_mail() -> None:
    """The shop's archive gets a copy with the same metadata; its full mailbox is not the customer's."""
    make_message()
    take(make_event("bounced", recipient="archive@shop.example", reject_reason="bounced"))
    assert Message.objects.get().delivery == Delivery.UNKNOWN
    assert suppressed() == {}


# What it means


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"event_type": "bounced", "reject_reason": "bounced"}, "bounced"),
        ({"event_type": "bounced", "reject_reason": "bounced", "mta_response": "550 5.1.1 unknown"}, "bounced"),
        ({"event_type": "bounced", "reject_reason": None}, "bounced"),
        ({"event_type": "bounced", "reject_reason": "invalid"}, "bounced"),
        ({"event_type": "rejected", "reject_reason": "invalid"}, "bounced"),
        ({"event_type": "rejected", "reject_reason": "bounced"}, "bounced"),
        ({"event_type": "rejected", "reject_reason": "spam"}, "complained"),
        ({"event_type": "complained"}, "complained"),
        ({"event_type": "bounced", "reject_reason": "bounced", "mta_response": "552-5.2.2 full"}, None),
        ({"event_type": "bounced", "reject_reason": "bounced", "mta_response": "550 5.7.1 policy"}, None),
        ({"event_type": "bounced", "reject_reason": "bounced", "mta_response": "450 greylisted"}, None),
        ({"event_type": "bounced", "reject_reason": "blocked"}, None),
        ({"event_type": "bounced", "reject_reason": "timed_out"}, None),
        ({"event_type": "rejected", "reject_reason": "blocked"}, None),
        ({"event_type": "failed"}, None),
        ({"event_type": "deferred", "reject_reason": "bounced"}, None),
        ({"event_type": "delivered"}, None),
    ],
)
def test_what_stops_all_marketing(event: dict[str, Any], reason: str | None) -> None:
    """EM-6: an address that does not exist, and a complaint; a full mailbox or a policy never."""
    make_message()
    take(make_event(event.pop("event_type"), **event))
    assert suppressed() == ({Suppression.MARKETING: reason} if reason else {})


@pytest.mark.parametrize(
    ("provider", "soft", "hard"),
    [
        ("Amazon SES", {"bounce": {"bounceType": "Transient"}}, {"bounce": {"bounceType": "Permanent"}}),
        ("Brevo", {"event": "soft_bounce"}, {"event": "hard_bounce"}),
        ("MailerSend", {"data": {"type": "soft_bounced"}}, {"data": {"type": "hard_bounced"}}),
        ("Mailjet", {"hard_bounce": False}, {"hard_bounce": True}),
        ("Mandrill", {"event": "soft_bounce"}, {"event": "hard_bounce"}),
        ("Postmark", {"Type": "SoftBounce"}, {"Type": "HardBounce"}),
        ("Resend", {"data": {"bounce": {"type": "Transient"}}}, {"data": {"bounce": {"type": "Permanent"}}}),
        ("SendGrid", {"type": "blocked"}, {"type": "bounce"}),
        (
            "SparkPost",
            {"msys": {"message_event": {"bounce_class": "22"}}},
            {"msys": {"message_event": {"bounce_class": "30"}}},
        ),
    ],
)
def test_a_soft_bounce_is_a_delay(provider: str, soft: dict[str, Any], hard: dict[str, Any]) -> None:
    """EM-6: Anymail calls both "bounced"; the provider's own word tells them apart."""
    make_message()
    for payload in (soft, {**soft, "more": 1}):
        assert is_soft(make_event("bounced", esp_event=payload), provider=provider)
    take(make_event("bounced", "e1", reject_reason="bounced", esp_event=soft), provider)
    assert Message.objects.get().delivery == Delivery.DEFERRED
    assert not suppressed()
    take(make_event("bounced", "e2", reject_reason="bounced", esp_event=hard), provider)
    assert Message.objects.get().delivery == Delivery.BOUNCED
    assert suppressed() == {Suppression.MARKETING: "bounced"}


@pytest.mark.parametrize("payload", [None, "", [], {}, {"msys": None}, {"msys": {}}, 7])
def test_payloads_of_any_shape(payload: Any) -> None:
    for provider in ("SparkPost", "Resend", "Mailgun", "Nobody's"):
        assert not is_soft(make_event("bounced", esp_event=payload), provider=provider)
        assert take(make_event("bounced", f"{provider} {payload}", esp_event=payload), provider)


def test_what_was_planned_is_stopped_by_a_complaint() -> None:
    """EM-6: effective at once, for marketing; a receipt still goes out."""
    make_message()
    make_message("next", state=Message.State.PLANNED, sent_at=None)
    make_message("receipt", state=Message.State.PLANNED, sent_at=None, kind=MessageKind.TRANSACTIONAL)
    take(make_event("complained"))
    states = dict(Message.objects.values_list("key", "state"))
    assert states == {"m": "sent", "next": "skipped", "receipt": "planned"}
    assert Message.objects.get(key="next").why_not == WhyNot.COMPLAINED


def test_unsubscribing_at_the_provider() -> None:
    """EM-6: from a follow-up it ends the follow-ups, from a newsletter its list, and there is a receipt."""
    letters = make_list()
    other = make_list("other")
    for each in (letters, other):
        Subscription.objects.create(
            mailing_list=each, email=ANN, email_key=customer_key(ANN), state="confirmed", confirmed_at=ago(days=3)
        )
    make_message("f")
    take(make_event("unsubscribed", "e1", metadata={"message": "f"}))
    assert suppressed() == {Suppression.FOLLOW_UPS: "objected"}
    assert Message.objects.get(key="f").left_at is not None

    make_message("n", kind=MessageKind.NEWSLETTER, mailing_list=letters)
    take(make_event("unsubscribed", "e2", metadata={"message": "n"}))
    assert suppressed() == {Suppression.FOLLOW_UPS: "objected", "list:letters": "left"}
    assert ConsentReceipt.objects.get(kind="left").method == ConsentReceipt.Method.PROVIDER
    states = dict(Subscription.objects.values_list("mailing_list__slug", "state"))
    assert states == {"letters": "left", "other": "confirmed"}


def test_unsubscribing_at_the_provider_from_what_a_list_has_brought() -> None:
    """EM-5, EM-6: as by the link in the mail: the list whose consent was the ground, and the follow-ups."""
    letters = make_list()
    Subscription.objects.create(
        mailing_list=letters, email=ANN, email_key=customer_key(ANN), state="confirmed", confirmed_at=ago(days=3)
    )
    make_message(mailing_list=letters, ground="consent")
    take(make_event("unsubscribed"))
    assert suppressed() == {Suppression.FOLLOW_UPS: "objected", "list:letters": "left"}
    assert Subscription.objects.get().state == "left"


def test_unsubscribing_from_what_nobody_knows_any_more() -> None:
    """Which list was meant can't be told, so it is all of them."""
    take(make_event("unsubscribed", metadata={"message": "purged"}, message_id="x"))
    assert set(suppressed()) == {Suppression.MARKETING, Suppression.FOLLOW_UPS}


@pytest.mark.parametrize("known", [True, False])
def test_a_late_unsubscribe_does_not_undo_a_new_yes(known: bool) -> None:
    """EM-7: out of order: who left on Monday and confirmed anew on Tuesday is on the list, even if Monday's news come on
    Wednesday.
    """
    letters = make_list()
    Subscription.objects.create(
        mailing_list=letters, email=ANN, email_key=customer_key(ANN), state="confirmed", confirmed_at=ago(days=1)
    )
    if known:
        make_message(kind=MessageKind.NEWSLETTER, mailing_list=letters)
    take(make_event("unsubscribed", timestamp=ago(days=2)))
    assert Subscription.objects.get().state == "confirmed"
    take(make_event("unsubscribed", "e2", timestamp=ago(hours=2)))
    assert Subscription.objects.get().state == "left"


def test_clicks_count_only_if_the_shop_wants_them(settings: Any) -> None:
    """EM-13: a click is an action of the person's; an opened mail is none, and is not even noted."""
    make_message()
    contact = Contact.objects.create(email=ANN, email_key=customer_key(ANN), last_action_at=ago(days=90))
    take(make_event("opened", "e0"))
    take(make_event("clicked", "e1", timestamp=ago(days=2)))
    assert not MailEvent.objects.exists()
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "COUNT_CLICKS": True}
    earlier, later = ago(days=2), ago(days=1)
    take(make_event("clicked", "e2", timestamp=later))
    take(make_event("clicked", "e1", timestamp=earlier))
    take(make_event("opened", "e3"))
    contact.refresh_from_db()
    assert (Message.objects.get().clicked_at, contact.last_action_at) == (earlier, later)
    assert MailEvent.objects.count() == 2


@pytest.mark.parametrize(("state", "why"), [("planned", ""), ("failed", WhyNot.UNCERTAIN)])
def test_a_report_settles_what_nobody_knew(state: str, why: str) -> None:
    """EM-10: the worker died between sending and recording; the provider knows it went out, so there is no second mail."""
    make_message(state=state, why_not=why, uncertain=1, sent_at=None, settled_at=None)
    event = make_event("delivered")
    take(event)
    message = Message.objects.get()
    assert (message.state, message.why_not, message.sent_at) == ("sent", "", event.timestamp)


@pytest.mark.parametrize("state", ["planned", "claimed", "attempting", "skipped"])
def test_other_states_are_left_to_their_owners(state: str) -> None:
    make_message(state=state, sent_at=None)
    take(make_event("delivered"))
    assert Message.objects.get().state == state


# One bad event


def test_a_bad_event_is_logged_and_nothing_else(caplog: Any, monkeypatch: Any) -> None:
    """EM-7, OP-6: nothing reaches Anymail's view, nothing is half done, and no address is in the log."""
    make_message()

    def break_down(**_: Any) -> None:
        raise RuntimeError(f"No luck with {ANN}")

    monkeypatch.setattr(suppression, "suppress", break_down)
    our_tracking.connect()
    with caplog.at_level(logging.DEBUG, logger="thankyou_flows"):
        tracking.send(sender=None, event=make_event("complained"), esp_name="Postal")
    assert "A report from Postal could not be taken: RuntimeError." in caplog.text
    assert ANN not in caplog.text and "ann" not in caplog.text
    assert Message.objects.get().delivery == Delivery.UNKNOWN
    assert not MailEvent.objects.exists()
    monkeypatch.undo()
    tracking.send(sender=None, event=make_event("complained"), esp_name="Postal")
    assert suppressed() == {Suppression.MARKETING: "complained"}


def test_nothing_of_the_payload_is_kept() -> None:
    """EM-13: raw payloads are not kept, and no address."""
    make_message(email="")
    take(make_event("bounced", "e1", esp_event={"note": "Zanzibar"}, description="Zanzibar", mta_response="Zanzibar"))
    row = MailEvent.objects.values().get()
    assert not [value for value in row.values() if "Zanzibar" in str(value) or ANN in str(value)]


def test_without_anymail_nobody_listens(monkeypatch: Any) -> None:
    tracking.disconnect(dispatch_uid="thankyou_flows.tracking")
    monkeypatch.setattr(our_tracking, "find_spec", lambda name: None)
    our_tracking.connect()
    assert not tracking.disconnect(dispatch_uid="thankyou_flows.tracking")
    monkeypatch.undo()
    our_tracking.connect()


def test_queries(django_assert_max_num_queries: Any) -> None:
    """A delivery is taken by few statements; a second time by one look."""
    make_message()
    with django_assert_max_num_queries(9):
        take(make_event("delivered"))
    with django_assert_max_num_queries(4):
        take(make_event("delivered"))


# Any order

EVENTS = [
    ("deferred", "a", {}),
    ("delivered", "b", {}),
    ("delivered", "c", {}),
    ("bounced", "d", {"reject_reason": "bounced"}),
    ("complained", "e", {}),
    ("unsubscribed", "f", {}),
    ("clicked", "g", {}),
    ("clicked", "h", {}),
    ("bounced", "i", {"reject_reason": "timed_out"}),
]
NUMBERS = strategies.integers(0, len(EVENTS) - 1)


class AnyOrder(TestCase):
    """EM-7: any order and repetition of the same events gives the same end."""

    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(chosen=strategies.sets(NUMBERS, min_size=1), data=strategies.data())
    def test_the_end_is_the_same(self, chosen: set[int], data: Any) -> None:
        start = timezone.now().replace(microsecond=0) - timedelta(days=1)
        again = data.draw(strategies.lists(strategies.sampled_from(sorted(chosen)), max_size=6))
        mixed = data.draw(strategies.permutations(sorted(chosen) + again))
        with self.settings(THANKYOU_FLOWS={"COUNT_CLICKS": True}):
            assert self.end_of(sorted(chosen), start) == self.end_of(mixed, start)

    def end_of(self, numbers: list[int], start: Any) -> dict[str, Any]:
        """Take these events and return what there is then; undo it."""
        for model in (MailEvent, Message, Suppression, Contact):
            model.objects.all().delete()
        make_message(sent_at=start)
        Contact.objects.create(email=ANN, email_key=customer_key(ANN), last_action_at=start - timedelta(days=90))
        for number in numbers:
            kind, event_id, more = EVENTS[number]
            take(make_event(kind, event_id, timestamp=start + timedelta(hours=number), **more))
        message = Message.objects.values("state", "delivery", "delivered_at", "clicked_at").get()
        return {
            **message,
            "left": Message.objects.filter(left_at=None).exists(),
            "events": sorted(MailEvent.objects.values_list("event_id", "kind", "at")),
            "suppressed": suppressed(),
            "acted": Contact.objects.get().last_action_at,
        }

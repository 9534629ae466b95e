"""The outbox and the suppressions in the admin: what staff may see, send again, stop, enter and remove."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from coupons.holders import customer_key
from tests.test_followups.admin_world import client_with, make_follow_up, make_message
from thankyou_flows.mail import reasons
from thankyou_flows.mail.reasons import register_reason
from thankyou_flows.models import MailEvent, MailingList, Message, Subscription, Suppression

pytestmark = pytest.mark.django_db

INDEX = "thankyou_flows_message:index"
INSPECT = "thankyou_flows_message:inspect"
HTML = "thankyou_flows_message:html"
SUPPRESSIONS = "thankyou_flows_suppression:index"

#: Session, user, what Wagtail asks for its frame, the choices of the filters; the list itself: count and rows; and two for
#: what stands still.
INDEX_QUERIES = 12
SUPPRESSION_QUERIES = 10


@pytest.fixture
def owner() -> Client:
    return client_with(superuser=True)


@pytest.fixture(autouse=True)
def nobody_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent beside these tests."""
    monkeypatch.setattr("thankyou_flows.mail.outbox.wake", lambda *_args, **_kwargs: None)


def rows(response: Any) -> list[Any]:
    return list(response.context["object_list"])


def test_an_empty_outbox_says_what_belongs_here(owner: Client) -> None:
    assert "Here stands every mail" in owner.get(reverse(INDEX)).content.decode()


def test_the_list_says_why_in_words(owner: Client) -> None:
    make_message(1)
    make_message(2, state="skipped", why_not="ordered_again")
    make_message(3, state="sent", sent_at=timezone.now(), delivery="bounced", subject="Tips")
    make_message(4, reason="sign_up", ref="")
    page = owner.get(reverse(INDEX)).content.decode()
    for text in ("An order was delivered · Order O-1", "Ordered again", "Bounced", "Somebody asked to be on a list"):
        assert text in page


@pytest.mark.parametrize("typed", ["O-1", " O-1 ", "tips"])
def test_one_is_found_by_its_order_or_subject(owner: Client, typed: str) -> None:
    mine = make_message(1, subject="Three Tips")
    make_message(2, email="bea@example.com")
    assert rows(owner.get(reverse(INDEX), {"q": typed})) == [mine]


def test_the_search_box_knows_no_addresses(owner: Client) -> None:
    """OP-6: what is typed there stands in the address of the page, so it says where addresses belong."""
    make_message(1)
    response = owner.get(reverse(INDEX), {"q": "ana@example.com"})
    assert rows(response) == []
    assert "Addresses do not belong in this box" in response.content.decode()


FOUND = {
    "message": "Mails to one person",
    "suppression": "What one person does not get",
    "subscription": "Sign-ups of one person",
}


@pytest.mark.parametrize("what", FOUND)
def test_a_person_is_found_without_the_address_in_any_url(owner: Client, what: str) -> None:
    """OP-6: it travels in a POST; what leads on from there names the person by a key, and there is a way back."""
    letters = MailingList.objects.create(slug="letters", title="Letters", purpose="News")
    for name in ("ana", "bea"):
        email = f"{name}@example.com"
        person = {"email": email, "email_key": customer_key(email)}
        make_message(len(name) + ord(name[0]), email=email)
        Suppression.objects.create(email_key=person["email_key"], scope="marketing", reason="left")
        Subscription.objects.create(mailing_list=letters, state="confirmed", **person)
    index = reverse(f"thankyou_flows_{what}:index")
    assert len(rows(owner.get(index))) == 2
    find = reverse(f"thankyou_flows_{what}:find")
    assert f'method="post" action="{find}"' in owner.get(index).content.decode()
    response = owner.post(find, {"email": " ANA@Example.com "}, follow=True)
    [(url, _status)] = response.redirect_chain
    assert url == f"{index}?person={customer_key('ana@example.com')}"
    assert [row.email_key for row in rows(response)] == [customer_key("ana@example.com")]
    page = response.content.decode()
    assert FOUND[what] in page
    links = re.findall(r'(?:href|action|src(?:-value)?)="([^"]*)"', page)
    assert links
    assert index in links
    assert not [link for link in links if "example.com" in link.lower() and "mailto" not in link]
    assert owner.get(find).status_code == 405


@pytest.mark.parametrize("typed", ["", "ana", "ana@", "@example.com"])
def test_half_an_address_finds_nobody(owner: Client, typed: str) -> None:
    response = owner.post(reverse("thankyou_flows_message:find"), {"email": typed})
    assert response["Location"] == reverse(INDEX)


@pytest.mark.parametrize("key", ["ana@example.com", "c:1", "", "c:" + "A" * 64])
def test_what_is_no_key_is_no_person(owner: Client, key: str) -> None:
    mine = make_message(1)
    response = owner.get(reverse(INDEX), {"person": key})
    assert rows(response) == [mine]
    assert "Mails to one person" not in response.content.decode()


@pytest.mark.parametrize("count", [1, 20])
def test_mails_that_nobody_sends_are_said(owner: Client, count: int, django_assert_num_queries: Any) -> None:
    """OP-5: in both lists, at the same cost whatever their number; what is due since a moment is no news."""
    now = timezone.now()
    make_message(100, due_at=now - timedelta(minutes=50))
    make_message(101, state="attempting", lease_until=now + timedelta(minutes=5), due_at=now - timedelta(hours=3))
    assert "overdue" not in owner.get(reverse(INDEX)).content.decode()
    for number in range(count):
        make_message(number, due_at=now - timedelta(hours=2))
    said = "One mail is overdue" if count == 1 else "20 mails are overdue"
    with django_assert_num_queries(INDEX_QUERIES):
        page = owner.get(reverse(INDEX)).content.decode()
    assert said in page
    assert "run send_due_messages" in page
    assert said in owner.get(reverse("thankyou_flows_followup:index")).content.decode()


def test_a_shop_says_its_own_reasons_in_words(owner: Client) -> None:
    """EM-9: "Why planned" shows no key."""
    make_message(1, reason="order_confirmation")
    make_message(2, reason="confirm_address")
    make_message(3, reason="never_registered")
    before = owner.get(reverse(INDEX)).content.decode()
    assert "never_registered" in before
    register_reason("never_registered", "Registered by now")
    try:
        page = owner.get(reverse(INDEX)).content.decode()
    finally:
        reasons._ALL.pop("never_registered")
    assert "Registered by now" in page
    for text in ("Order confirmation", "Confirmation of an address"):
        assert text in page


@pytest.mark.parametrize(
    "wanted",
    [{"state": "failed"}, {"why_not": "gave_up"}, {"delivery": "deferred"}, {"due_at_from": "2026-01-01"}],
    ids=lambda wanted: next(iter(wanted)),
)
def test_filters(owner: Client, wanted: dict[str, str]) -> None:
    long_ago = timezone.now().replace(year=2020)
    mine = make_message(1, state="failed", why_not="gave_up", delivery="deferred")
    make_message(2, due_at=long_ago)
    assert rows(owner.get(reverse(INDEX), wanted)) == [mine]


def test_the_filter_by_follow_up(owner: Client) -> None:
    follow_up = make_follow_up()
    mine = make_message(1, follow_up=follow_up)
    make_message(2)
    assert rows(owner.get(reverse(INDEX), {"follow_up": follow_up.pk})) == [mine]


def test_one_message_tells_its_life(owner: Client) -> None:
    follow_up = make_follow_up(title="Care tips")
    now = timezone.now()
    message = make_message(
        follow_up=follow_up,
        state="sent",
        ground="soft_opt_in",
        subject="Tips for you",
        text="Rinse it.",
        html="<p>Rinse it.</p>",
        created_at=now - timedelta(days=3),
        sent_at=now - timedelta(hours=2),
        delivered_at=now - timedelta(hours=1),
        left_at=now,
        delivery="delivered",
    )
    MailEvent.objects.create(message=message, provider="mailgun", event_id="e1", kind="delivered", at=now)
    response = owner.get(reverse(INSPECT, args=[message.pk]))
    page = response.content.decode()
    assert [step.text for step in response.context["steps"]] == ["Planned", "Sent", "Delivered", "Left by it"]
    for text in ("A customer who was offered to object, and did not", "Care tips", "Order O-1", "Rinse it.", "mailgun"):
        assert text in page
    assert reverse("thankyou_flows_followup:inspect", args=[follow_up.pk]) in page
    assert f'sandbox loading="lazy" src="{reverse(HTML, args=[message.pk])}"' in page
    assert "Send again" not in page


def test_a_click_is_told_only_where_clicks_are_counted(owner: Client, settings: Any) -> None:
    message = make_message(state="sent", sent_at=timezone.now(), clicked_at=timezone.now())
    address = reverse(INSPECT, args=[message.pk])
    assert "Clicked" not in [step.text for step in owner.get(address).context["steps"]]
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "COUNT_CLICKS": True}
    assert "Clicked" in [step.text for step in owner.get(address).context["steps"]]


def test_what_the_customer_saw_can_do_nothing(owner: Client) -> None:
    """Neither a script of it runs, nor does a picture tell somebody that staff looked."""
    message = make_message(html="<script>alert(1)</script><img src='https://spy.example/x.gif'><p>Hello</p>")
    response = owner.get(reverse(HTML, args=[message.pk]))
    policy = response["Content-Security-Policy"]
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "sandbox" in rules
    assert rules["sandbox"] == ""
    assert "script-src" not in rules
    assert rules["img-src"].split() == ["'self'", "data:", "https://shop.example"]
    assert rules["form-action"] == "'none'"
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    assert owner.post(reverse(HTML, args=[message.pk])).status_code == 405


@pytest.mark.parametrize("state", ["failed", "skipped"])
def test_send_again(owner: Client, state: str) -> None:
    """EM-9: with fresh attempts, and it is written down who did it."""
    message = make_message(state=state, why_not="gave_up", attempts=8)
    assert "Send again" in owner.get(reverse(INSPECT, args=[message.pk])).content.decode()
    owner.post(reverse("thankyou_flows_message:requeue", args=[message.pk]))
    message.refresh_from_db()
    assert (message.state, message.attempts, message.why_not) == ("planned", 0, "")
    entry = ModelLogEntry.objects.get(action="thankyou_flows.requeue_message")
    assert "ana@example.com" not in f"{entry.label}{entry.data}"


def test_what_is_sent_is_not_sent_twice(owner: Client) -> None:
    message = make_message(state="sent", sent_at=timezone.now())
    owner.post(reverse("thankyou_flows_message:requeue", args=[message.pk]))
    message.refresh_from_db()
    assert message.state == "sent"
    assert not ModelLogEntry.objects.exists()


def test_stop(owner: Client) -> None:
    message = make_message()
    owner.post(reverse("thankyou_flows_message:stop", args=[message.pk]))
    message.refresh_from_db()
    assert (message.state, message.why_not) == ("skipped", "by_hand")
    assert ModelLogEntry.objects.filter(action="thankyou_flows.stop_message").count() == 1


@pytest.mark.parametrize("name", ["requeue", "stop"])
def test_a_link_changes_nothing(owner: Client, name: str) -> None:
    message = make_message(state="failed" if name == "requeue" else "planned")
    before = Message.objects.values().get()
    assert owner.get(reverse(f"thankyou_flows_message:{name}", args=[message.pk])).status_code == 405
    assert Message.objects.values().get() == before


def test_all_failed_ones_again(owner: Client) -> None:
    """EM-9: after one question; those of which nobody knows whether they arrived stay."""
    for number in range(3):
        make_message(number, state="failed", why_not="gave_up")
    make_message(7, state="failed", why_not="uncertain")
    make_message(8, state="skipped", why_not="left")
    address = reverse("thankyou_flows_message:requeue_failed")
    assert "3 messages have failed." in owner.get(address).content.decode()
    assert Message.objects.filter(state="planned").count() == 0
    owner.post(address)
    assert Message.objects.filter(state="planned").count() == 3
    assert ModelLogEntry.objects.filter(action="thankyou_flows.requeue_message").count() == 3


@pytest.mark.parametrize("count", [1, 20])
def test_the_list_costs_the_same_whatever_its_length(owner: Client, count: int, django_assert_num_queries: Any) -> None:
    follow_up = make_follow_up()
    for number in range(count):
        make_message(number, follow_up=follow_up)
    owner.get(reverse(INDEX))
    with django_assert_num_queries(INDEX_QUERIES):
        owner.get(reverse(INDEX))


@pytest.mark.parametrize("count", [1, 20])
def test_the_suppressions_cost_the_same_whatever_their_number(
    owner: Client, count: int, django_assert_num_queries: Any
) -> None:
    for number in range(count):
        Suppression.objects.create(email_key=f"c:{number}", scope="list:letters", reason="left")
    owner.get(reverse(SUPPRESSIONS))
    with django_assert_num_queries(SUPPRESSION_QUERIES):
        owner.get(reverse(SUPPRESSIONS))


def test_a_suppression_is_found_by_the_address_that_is_not_kept(owner: Client) -> None:
    """EM-6."""
    MailingList.objects.create(slug="letters", title="Letters from us", purpose="News")
    mine = Suppression.objects.create(email_key=customer_key("ana@example.com"), scope="list:letters", reason="left")
    Suppression.objects.create(email_key=customer_key("bea@example.com"), scope="marketing", reason="bounced")
    response = owner.post(reverse("thankyou_flows_suppression:find"), {"email": " Ana@Example.com"}, follow=True)
    assert rows(response) == [mine]
    assert "The list “Letters from us”" in response.content.decode()
    nobody = owner.post(reverse("thankyou_flows_suppression:find"), {"email": "eve@example.com"}, follow=True)
    assert "Nothing is entered for this address" in nobody.content.decode()


def test_one_is_entered_by_hand(owner: Client) -> None:
    """EM-6: only the key is kept, and what is planned stops at once."""
    message = make_message()
    data = {"email": "Ana@example.com", "scope": "marketing"}
    owner.post(reverse("thankyou_flows_suppression:enter"), data)
    owner.post(reverse("thankyou_flows_suppression:enter"), data)
    entered = Suppression.objects.get()
    assert entered.email_key == customer_key("ana@example.com")
    assert entered.reason == "manual"
    message.refresh_from_db()
    assert message.state == "skipped"
    entry = ModelLogEntry.objects.get(action="thankyou_flows.add_suppression")
    assert "example.com" not in f"{entry.label}{entry.data}"


@pytest.mark.parametrize("reason", Suppression.Reason.values)
def test_removing_one_says_what_it_means(owner: Client, reason: str) -> None:
    entered = Suppression.objects.create(email_key="c:1", scope="follow_ups", reason=reason)
    address = reverse("thankyou_flows_suppression:remove", args=[entered.pk])
    page = owner.get(address).content.decode()
    assert "gives no consent" in page
    assert Suppression.objects.exists()
    owner.post(address)
    assert not Suppression.objects.exists()
    assert ModelLogEntry.objects.filter(action="thankyou_flows.remove_suppression").count() == 1


DOORS = [
    ("get", "thankyou_flows_message:index", [], "view_message"),
    ("get", "thankyou_flows_message:inspect", [1], "view_message"),
    ("get", "thankyou_flows_message:html", [1], "view_message"),
    ("post", "thankyou_flows_message:requeue", [1], "requeue_message"),
    ("post", "thankyou_flows_message:stop", [1], "requeue_message"),
    ("get", "thankyou_flows_message:requeue_failed", [], "requeue_message"),
    ("post", "thankyou_flows_message:requeue_failed", [], "requeue_message"),
    ("post", "thankyou_flows_message:find", [], "view_message"),
    ("get", "thankyou_flows_suppression:enter", [], "add_suppression"),
    ("post", "thankyou_flows_suppression:enter", [], "add_suppression"),
    ("get", "thankyou_flows_suppression:remove", [1], "delete_suppression"),
    ("post", "thankyou_flows_suppression:remove", [1], "delete_suppression"),
    ("get", "thankyou_flows_suppression:index", [], "view_suppression"),
    ("get", "thankyou_flows_suppression:inspect", [1], "view_suppression"),
]
KEYS = {"view_message", "requeue_message", "view_suppression", "add_suppression", "delete_suppression"}


@pytest.mark.parametrize(("verb", "name", "args", "permission"), DOORS)
def test_each_door_has_its_own_key(verb: str, name: str, args: list[Any], permission: str) -> None:
    """CM-4: whoever may read may not send again, and the other way round."""
    make_message(pk=1, state="failed", why_not="gave_up")
    Suppression.objects.create(pk=1, email_key="c:1", scope="marketing", reason="left")
    before = [list(model.objects.values()) for model in (Message, Suppression)]
    others = KEYS - {permission}
    if name in {"thankyou_flows_suppression:index", "thankyou_flows_suppression:inspect"}:
        # Whoever may enter or remove one may look at them.
        others = {"view_message", "requeue_message"}
    response = getattr(client_with(*others), verb)(
        reverse(name, args=args), {"email": "a@b.example", "scope": "marketing"}
    )
    assert response.status_code == 302
    assert response["Location"] == reverse("wagtailadmin_home")
    assert [list(model.objects.values()) for model in (Message, Suppression)] == before
    assert not ModelLogEntry.objects.exists()
    assert getattr(client_with(permission), verb)(reverse(name, args=args)).status_code in (200, 302)

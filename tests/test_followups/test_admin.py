"""The owner's follow-ups in the admin: the form says what may not be, the switch asks once, a test goes to oneself."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from tests.test_coupons.factories import make_campaign
from tests.test_followups.admin_world import client_with, form_data, make_follow_up, make_message
from thankyou_flows.admin import numbers
from thankyou_flows.followups.triggers import all_triggers
from thankyou_flows.models import FollowUp, LastLook, MailingList, Message

pytestmark = pytest.mark.django_db

INDEX = "thankyou_flows_followup:index"
ADD = "thankyou_flows_followup:add"
EDIT = "thankyou_flows_followup:edit"
SWITCH = "thankyou_flows_followup:switch"
TEST = "thankyou_flows_followup:test"
MAY_ALL = ("view_followup", "add_followup", "change_followup", "delete_followup")


@pytest.fixture
def owner() -> Client:
    return client_with(superuser=True)


@pytest.fixture
def _fresh_limits() -> None:
    cache.clear()


def said(response: Any) -> str:
    """Return the messages on the page that follows."""
    return " ".join(str(message) for message in response.context["messages"])


def test_the_menu_has_one_entry_for_mail(owner: Client) -> None:
    page = owner.get(reverse("wagtailadmin_home")).content.decode()
    assert "thankyou-mail" in page
    for name in ("followup", "message", "subscription", "mailinglist", "suppression"):
        assert f"thankyou_flows_{name}" in page or name == "mailinglist"


def test_an_empty_list_says_what_belongs_here(owner: Client) -> None:
    page = owner.get(reverse(INDEX)).content.decode()
    assert "Start from a ready-made one" in page
    assert "off until you switch it on" in page


def test_a_new_follow_up_is_off(owner: Client) -> None:
    """EM-11: nothing is sent before its owner says so; a raw request cannot switch it on by the form either."""
    response = owner.post(reverse(ADD), form_data(is_on="on"), follow=True)
    follow_up = FollowUp.objects.get()
    assert not follow_up.is_on
    assert follow_up.steps.get().subject == "Tips for {order_number}"
    assert response.redirect_chain[-1][0] == reverse(EDIT, args=[follow_up.pk])
    assert "It is off" in said(response)


NOT_TRANSACTIONAL = sorted(trigger.key for trigger in all_triggers() if not trigger.may_be_transactional)


@pytest.mark.parametrize("trigger", NOT_TRANSACTIONAL)
def test_advertising_is_not_called_transactional(owner: Client, trigger: str) -> None:
    """EM-11: said in one sentence beside the field."""
    response = owner.post(reverse(ADD), form_data(kind="transactional", trigger=trigger))
    errors = response.context["form"].errors
    assert list(errors) == ["kind"]
    assert "advertising by law" in errors["kind"][0]
    assert not FollowUp.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "newsletter"}, "mailing_list"),
        ({"title": ""}, "title"),
        ({"trigger": "nothing"}, "trigger"),
    ],
)
def test_what_is_missing_is_said_beside_the_field(owner: Client, changes: dict[str, str], field: str) -> None:
    response = owner.post(reverse(ADD), form_data(**changes))
    assert list(response.context["form"].errors) == [field]
    assert not FollowUp.objects.exists()


@pytest.mark.parametrize("field", ["subject", "preheader"])
def test_a_placeholder_that_nobody_fills_in_is_refused(owner: Client, field: str) -> None:
    """EM-8: beside the field, with those that there are."""
    response = owner.post(reverse(ADD), form_data(**{f"steps-0-{field}": "Hello {surname}"}))
    errors = response.context["form"].formsets["steps"].forms[0].errors
    assert list(errors) == [field]
    assert "{first_name}" in errors[field][0]
    assert not FollowUp.objects.exists()


def test_a_list_left_from_another_choice_is_dropped(owner: Client) -> None:
    letters = MailingList.objects.create(slug="letters", title="Letters", purpose="News")
    owner.post(reverse(ADD), form_data(mailing_list=letters.pk))
    owner.post(reverse(ADD), form_data(title="Letter", kind="newsletter", mailing_list=letters.pk))
    assert [each.mailing_list for each in FollowUp.objects.order_by("pk")] == [None, letters]


def test_a_coupon_in_a_transactional_mail_is_saved_with_a_warning(owner: Client) -> None:
    """EM-11: it is the owner's choice, but not without a word, once above the form and once beside the field."""
    campaign = make_campaign(title="Thanks", status="running")
    data = form_data(kind="transactional", **{"steps-0-campaign": campaign.pk})
    response = owner.post(reverse(ADD), data, follow=True)
    assert FollowUp.objects.count() == 1
    assert "A coupon makes this mail advertising" in said(response)
    again = owner.get(reverse(EDIT, args=[FollowUp.objects.get().pk]))
    assert "A coupon makes this mail advertising" in again.context["form"].fields["kind"].help_text


@pytest.mark.parametrize("block", ["coupon", "offer"])
def test_a_coupon_block_warns_too(owner: Client, block: str) -> None:
    """EM-11."""
    follow_up = make_follow_up(kind="transactional", body=[(block, {})])
    page = owner.get(reverse(EDIT, args=[follow_up.pk]))
    assert "A coupon makes this mail advertising" in page.content.decode()


@pytest.mark.parametrize(("status", "so"), [("draft", "are not sent unless"), ("paused", "go out when it runs again")])
def test_a_campaign_that_does_not_run_is_said(owner: Client, status: str, so: str) -> None:
    campaign = make_campaign(title="Later", status=status)
    response = owner.post(reverse(ADD), form_data(**{"steps-0-campaign": campaign.pk}), follow=True)
    assert "“Later” is not running" in said(response)
    assert so in said(response)


def test_one_that_is_on_keeps_a_mail(owner: Client) -> None:
    follow_up = make_follow_up(is_on=True, switched_on_at=timezone.now())
    data = form_data(follow_up, **{"steps-0-DELETE": "1"})
    response = owner.post(reverse(EDIT, args=[follow_up.pk]), data)
    assert "needs a mail" in str(response.context["form"].non_field_errors())
    assert follow_up.steps.count() == 1


def test_switching_on_asks_once(owner: Client) -> None:
    """EM-11: looking changes nothing; the button does, from now on, and it is written down who did it."""
    follow_up = make_follow_up()
    address = reverse(SWITCH, args=[follow_up.pk, "on"])
    assert "From now on" in owner.get(address).content.decode()
    follow_up.refresh_from_db()
    assert not follow_up.is_on
    before = timezone.now()
    owner.post(address)
    follow_up.refresh_from_db()
    assert follow_up.is_on
    assert follow_up.switched_on_at >= before
    switched_on_at = follow_up.switched_on_at
    owner.post(address)
    follow_up.refresh_from_db()
    assert follow_up.switched_on_at == switched_on_at
    assert ModelLogEntry.objects.filter(action="thankyou_flows.switch_follow_up").count() == 1


def test_switching_off_says_what_is_lost(owner: Client) -> None:
    follow_up = make_follow_up(is_on=True, switched_on_at=timezone.now())
    make_message(follow_up=follow_up)
    address = reverse(SWITCH, args=[follow_up.pk, "off"])
    assert "One mail is planned. It will not be sent." in owner.get(address).content.decode()
    owner.post(address)
    follow_up.refresh_from_db()
    assert not follow_up.is_on


@pytest.mark.parametrize(
    "changes",
    [
        {"mails": 0},
        {"kind": "newsletter"},
        {"trigger": "gone"},
        {"trigger": "review_wanted", "kind": "transactional"},
    ],
    ids=["no-mail", "no-list", "no-trigger", "not-transactional"],
)
def test_what_cannot_work_is_not_switched_on(owner: Client, changes: dict[str, Any]) -> None:
    follow_up = make_follow_up(**changes)
    for verb in (owner.get, owner.post):
        response = verb(reverse(SWITCH, args=[follow_up.pk, "on"]), follow=True)
        assert said(response)
        follow_up.refresh_from_db()
        assert not follow_up.is_on


def test_an_unknown_switch_is_not_there(owner: Client) -> None:
    assert owner.post(reverse(SWITCH, args=[make_follow_up().pk, "sideways"])).status_code == 404


@pytest.mark.usefixtures("_fresh_limits")
def test_a_test_goes_to_oneself_alone(owner: Client) -> None:
    """The address is the account's, whatever is posted; the subject says that it is a test."""
    follow_up = make_follow_up()
    page = owner.get(reverse(TEST, args=[follow_up.pk])).content.decode()
    assert "owner@example.com" in page
    data = {"mode": "1:first_order", "once": "a", "email": "victim@example.com", "to": "victim@example.com"}
    response = owner.post(reverse(TEST, args=[follow_up.pk]), data, follow=True)
    assert "on its way to owner@example.com" in said(response)
    message = Message.objects.get()
    assert (message.email, message.reason, message.kind) == ("owner@example.com", "test", "transactional")
    assert message.follow_up is None
    assert "[Test] Tips 1" in str(message.context)
    owner.post(reverse(TEST, args=[follow_up.pk]), data)
    assert Message.objects.count() == 1


@pytest.mark.usefixtures("_fresh_limits")
def test_tests_are_limited() -> None:
    owner = client_with(superuser=True)
    follow_up = make_follow_up()
    for number in range(11):
        last = owner.post(reverse(TEST, args=[follow_up.pk]), {"mode": "1:first_order", "once": f"n{number}"})
    assert "try again in a few minutes" in last.content.decode()
    assert Message.objects.count() == 10


def test_without_an_address_there_is_no_test() -> None:
    owner = client_with(*MAY_ALL, email="")
    follow_up = make_follow_up()
    for verb in (owner.get, owner.post):
        response = verb(reverse(TEST, args=[follow_up.pk]), {"mode": "1:first_order", "once": "a"})
        assert response.status_code == 302 or "no e-mail address" in response.content.decode()
    assert not Message.objects.exists()


def test_the_preview_shows_what_is_typed(owner: Client) -> None:
    """Before it is saved; it runs nothing, and loads pictures from the shop alone."""
    url = reverse("thankyou_flows_followup:preview_on_add")
    assert owner.post(url, form_data()).json()["is_valid"]
    response = owner.get(url, {"mode": "1:first_order"})
    page = response.content.decode()
    assert "Rinse it." in page
    assert "Tips for SAMPLE" in page
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert not FollowUp.objects.exists()


def test_each_mail_has_its_previews(owner: Client) -> None:
    follow_up = make_follow_up(mails=2)
    modes = dict(follow_up.preview_modes)
    assert modes["2:returning"].startswith("Mail 2")
    url = reverse("thankyou_flows_followup:preview_on_edit", args=[follow_up.pk])
    subjects = {f"steps-{number}-subject": f"Tips {number + 1}" for number in range(2)}
    assert owner.post(url, form_data(follow_up, steps=2, **subjects)).json()["is_valid"]
    assert "Tips 2" in owner.get(url, {"mode": "2:returning"}).content.decode()
    assert "There is no mail yet" in owner.get(url, {"mode": "9:returning"}).content.decode()


def test_half_a_form_is_previewed_all_the_same(owner: Client) -> None:
    """A newsletter whose list is not chosen yet can be looked at."""
    url = reverse("thankyou_flows_followup:preview_on_add")
    assert owner.post(url, form_data(kind="newsletter")).json()["is_valid"]


def test_numbers(owner: Client) -> None:
    follow_up = make_follow_up()
    now = timezone.now()
    make_message(1, follow_up=follow_up)
    make_message(2, follow_up=follow_up, state="sent", sent_at=now, delivered_at=now, converted_at=now)
    make_message(3, follow_up=follow_up, state="sent", sent_at=now, left_at=now)
    make_message(4, follow_up=follow_up, state="skipped", why_not="left")
    make_message(5, follow_up=follow_up, state="failed", why_not="gave_up")
    make_message(6)
    counted = numbers.count(follow_up=follow_up)
    assert (counted.planned, counted.waiting, counted.sent, counted.delivered) == (5, 1, 2, 1)
    assert (counted.converted, counted.left, counted.skipped, counted.failed) == (1, 1, 1, 1)
    listed = numbers.with_counts(FollowUp.objects.all()).get()
    assert (listed.planned_count, listed.sent_count, listed.delivered_count) == (5, 2, 1)
    assert (listed.converted_count, listed.left_count) == (1, 1)
    today = numbers.course(follow_up=follow_up)[-1]
    assert (today.planned, today.sent, today.delivered, today.clicked) == (5, 2, 1, 0)
    assert (today.converted, today.left) == (1, 1)
    assert len(numbers.course(follow_up=follow_up)) == 30
    page = owner.get(reverse("thankyou_flows_followup:inspect", args=[follow_up.pk])).content.decode()
    assert "How is this counted?" in page
    assert "Has left the list" in page
    assert "Clicked" not in page


@pytest.mark.parametrize("clicks", [False, True])
def test_the_course_shows_all_numbers(owner: Client, settings: Any, clicks: bool) -> None:
    """EM-13: in the table and in the picture, few lines at first, and of each it says how it is counted."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "COUNT_CLICKS": clicks}
    now = timezone.now()
    follow_up = make_follow_up()
    moments = dict.fromkeys(("sent_at", "delivered_at", "clicked_at", "converted_at", "left_at"), now)
    make_message(1, follow_up=follow_up, state="sent", **moments)
    make_message(2, follow_up=follow_up)
    response = owner.get(reverse("thankyou_flows_followup:inspect", args=[follow_up.pk]))
    clicked = ["Clicked"] if clicks else []
    labels = ["Planned", "Sent", "Delivered", *clicked, "Ordered after it", "Left by it"]
    series = response.context["plot"]["series"]
    assert [each["label"] for each in series] == labels
    assert [each["values"][-1] for each in series] == [2, *[1] * (len(labels) - 1)]
    assert [each["label"] for each in series if not each["hidden"]] == ["Sent", "Ordered after it"]
    [(_date, counted)] = response.context["busy"]
    assert counted == [2, *[1] * (len(labels) - 1)]
    for label in labels:
        page = response.content.decode()
        assert f'<th scope="col" class="ty-number">{label}</th>' in page
        assert f"<li>{label}: " in page


def test_what_nobody_looks_for_is_said(owner: Client) -> None:
    """OP-5: a follow-up that waits for a command that never ran."""
    said = "“Come back” is looked for by plan_follow_ups, which has never run."
    make_follow_up(title="Care tips", is_on=True, switched_on_at=timezone.now())
    quiet = make_follow_up(title="Come back", trigger="customer_quiet")
    assert "plan_follow_ups" not in owner.get(reverse(INDEX)).content.decode()
    FollowUp.objects.filter(pk=quiet.pk).update(is_on=True)
    for name in (INDEX, "thankyou_flows_message:index"):
        assert owner.get(reverse(name)).content.decode().count(said) == 1
    LastLook.objects.create(name="customer_quiet", at=timezone.now())
    assert "plan_follow_ups" not in owner.get(reverse(INDEX)).content.decode()


def test_clicks_are_shown_only_where_they_are_counted(owner: Client, settings: Any) -> None:
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "COUNT_CLICKS": True}
    page = owner.get(reverse("thankyou_flows_followup:inspect", args=[make_follow_up().pk])).content.decode()
    assert "Clicked" in page


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_costs_the_same_whatever_its_length(owner: Client, rows: int, django_assert_num_queries: Any) -> None:
    for number in range(rows):
        follow_up = make_follow_up(title=f"No. {number}", mails=2)
        for each in range(2):
            make_message(number * 2 + each, follow_up=follow_up)
    owner.get(reverse(INDEX))
    with django_assert_num_queries(INDEX_QUERIES):
        page = owner.get(reverse(INDEX)).content.decode()
    assert "An order was delivered: 3 days after, 3 days after" in page


@pytest.mark.parametrize("rows", [1, 20])
def test_the_numbers_cost_the_same_whatever_there_is(owner: Client, rows: int, django_assert_num_queries: Any) -> None:
    follow_up = make_follow_up()
    for number in range(rows):
        make_message(number, follow_up=follow_up, state="skipped", why_not="left")
    address = reverse("thankyou_flows_followup:inspect", args=[follow_up.pk])
    owner.get(address)
    with django_assert_num_queries(OVERVIEW_QUERIES):
        owner.get(address)


#: Session, user, and what Wagtail asks for its frame; the list itself: count, rows with their numbers, steps; and two
#: for what stands still.
INDEX_QUERIES = 12
OVERVIEW_QUERIES = 13

DOORS = [
    ("get", "index", [], "view_followup"),
    ("get", "add", [], "add_followup"),
    ("get", "recipes", [], "add_followup"),
    ("post", "recipes", [], "add_followup"),
    ("get", "edit", [1], "change_followup"),
    ("get", "switch", [1, "on"], "change_followup"),
    ("post", "switch", [1, "on"], "change_followup"),
    ("get", "test", [1], "change_followup"),
    ("post", "test", [1], "change_followup"),
    ("get", "inspect", [1], "view_followup"),
    ("get", "delete", [1], "delete_followup"),
    ("post", "preview_on_add", [], "add_followup"),
    ("get", "preview_on_edit", [1], "change_followup"),
]


@pytest.mark.parametrize(("verb", "name", "args", "permission"), DOORS)
def test_each_door_has_its_own_key(verb: str, name: str, args: list[Any], permission: str) -> None:
    """CM-4: the other permissions of follow-ups, all of them, do not open it."""
    follow_up = make_follow_up(pk=1)
    others = set(MAY_ALL) - {permission}
    if name in {"index", "inspect"}:
        # Whoever may do something with follow-ups may look at them.
        others = {"view_message", "requeue_message"}
    client = client_with(*others, "requeue_message")
    address = reverse(f"thankyou_flows_followup:{name}", args=args)
    response = getattr(client, verb)(address, {"recipe": "care", "mode": "1:first_order", "once": "x"})
    assert response.status_code in (302, 403)
    if response.status_code == 302:
        assert response["Location"] == reverse("wagtailadmin_home")
    follow_up.refresh_from_db()
    assert not follow_up.is_on
    assert FollowUp.objects.count() == 1
    assert not Message.objects.exists()
    may = client_with(permission)
    data = form_data() if name.startswith("preview") else {"recipe": "care"}
    assert getattr(may, verb)(address, data).get("Location") != reverse("wagtailadmin_home")

"""Every screen that we register in the Wagtail admin: as nobody, as an editor of pages, and as the owner (CM-4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import ModelLogEntry

from coupons.admin.menu import CampaignGroup
from coupons.holders import customer_key
from coupons.models import Answer, Campaign, Coupon, CouponBatch, CouponEvent
from thankyou_flows.admin.menu import MailGroup
from thankyou_flows.models import Contact, FollowUp, FollowUpStep, MailingList, Message, Subscription, Suppression

pytestmark = pytest.mark.django_db

ANN = "ann@example.com"
MAIL_INDEXES = [
    "thankyou_flows_followup:index",
    "thankyou_flows_followup:add",
    "thankyou_flows_followup:recipes",
    "thankyou_flows_message:index",
    "thankyou_flows_subscription:index",
    "thankyou_flows_mailing_list:index",
    "thankyou_flows_mailing_list:add",
    "thankyou_flows_suppression:index",
    "thankyou_flows_suppression:enter",
    "thankyou_flows_people:index",
]
INDEXES = [
    "thankyou_coupons_campaign:index",
    "thankyou_coupons_campaign:add",
    "thankyou_coupons_coupon:index",
    "thankyou_coupons_coupon:issue",
    "thankyou_coupons_answer:index",
    "thankyou_coupons_answer:export",
    "thankyou_coupons_answer:erase",
    "thankyou_coupons_batch:index",
    "thankyou_coupons_batch:add",
    "thankyou_coupons_batch:import",
    *MAIL_INDEXES,
]


def client_of(*, groups: tuple[str, ...] = (), permissions: tuple[str, ...] = (), superuser: bool = False) -> Client:
    user = get_user_model().objects.create_user("u", "u@example.com", "pw", is_superuser=superuser)
    user.groups.set(Group.objects.filter(name__in=groups))
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("name", INDEXES)
def test_nobody_is_sent_to_the_login(client: Client, name: str) -> None:
    assert client.get(reverse(name)).status_code == 302
    assert "login" in client.get(reverse(name))["Location"]


@pytest.mark.parametrize("name", INDEXES)
def test_an_editor_of_pages_gives_no_money_away(name: str) -> None:
    """CM-4: the right to edit pages is not the right to make campaigns, nor to read addresses."""
    response = client_of(groups=("Editors", "Moderators")).get(reverse(name))
    assert response.status_code == 302
    assert response["Location"] == reverse("wagtailadmin_home")


@pytest.mark.parametrize("name", INDEXES)
def test_the_owner_sees_all(name: str) -> None:
    assert client_of(superuser=True).get(reverse(name)).status_code == 200


def every_address(pk: int) -> list[str]:
    """Return every address of our own screens, read from the viewsets themselves, with this primary key."""
    addresses = []
    for viewset in (*CampaignGroup().registerables, *MailGroup().registerables):
        for pattern in viewset.get_urlpatterns():
            keys = pattern.pattern.converters
            to = "on" if viewset.url_namespace == "thankyou_flows_followup" else "ended"
            values = {key: to if key == "to" else pk for key in keys}
            addresses.append(reverse(f"{viewset.url_namespace}:{pattern.name}", kwargs=values))
    return addresses


def add_mail(pk: int) -> None:
    """Add one of everything that the menu "Mail" shows, about one person, with this primary key."""
    email = ANN if pk == 1 else f"ann{pk}@example.com"
    person = {"email": email, "email_key": customer_key(email)}
    mailing_list = MailingList.objects.create(pk=pk, slug=f"letters-{pk}", title="Letters")
    Contact.objects.create(pk=pk, **person)
    Subscription.objects.create(pk=pk, mailing_list=mailing_list, state="confirmed", **person)
    Suppression.objects.create(pk=pk, email_key=person["email_key"], scope="marketing", reason="manual")
    follow_up = FollowUp.objects.create(pk=pk, title="Tips", trigger="order_paid")
    step = FollowUpStep.objects.create(pk=pk, follow_up=follow_up, delay=3, subject="Tips")
    Message.objects.create(pk=pk, dedupe_key=f"k:{pk}", kind="follow_up", step=step, follow_up=follow_up, **person)


def snapshot() -> list[Any]:
    models = [Answer, Campaign, Coupon, CouponBatch, CouponEvent, ModelLogEntry]
    models += [Contact, FollowUp, FollowUpStep, MailingList, Message, Subscription, Suppression]
    return [list(model.objects.order_by("pk").values()) for model in models]  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", ["get", "post"])
def test_no_address_of_ours_is_open_to_an_editor_of_pages(verb: str) -> None:
    """CM-4: neither by a link nor by a raw request; every address there is, also one that comes later."""
    campaign = Campaign.objects.create(pk=1, title="Ten off", benefit="percent", percent=10, status="running")
    coupon = Coupon.objects.create(pk=1, campaign=campaign, issued_at=campaign.created_at)
    CouponBatch.objects.create(pk=1, campaign=campaign, quantity=5)
    Answer.objects.create(
        pk=1, holder_key="c:1", question_name="tea", label="Tea?", value="Green", delete_after=campaign.created_at
    )
    add_mail(1)
    client = client_of(groups=("Editors", "Moderators"))
    before = snapshot()
    data = {"campaign": 1, "email": ANN, "once": "x", "quantity": 5, "title": "x", "reason": "x", "again": ANN}
    addresses = every_address(1)
    assert len(addresses) > 70
    for address in addresses:
        response = getattr(client, verb)(address, data if verb == "post" else None)
        assert response.status_code in (302, 403), address
        if response.status_code == 302:
            assert response["Location"] == reverse("wagtailadmin_home"), address
        assert coupon.code not in response.content.decode()
        assert ANN not in response.content.decode()
    assert snapshot() == before


def test_the_menu_costs_the_same_with_much_mail_and_with_none() -> None:
    """OP-7: its entries ask for permissions only, on every page of the admin."""
    client = client_of(superuser=True)
    queries = []
    for pk in (0, 20):
        for each in range(pk):
            add_mail(each + 1)
        client.get(reverse("wagtailadmin_home"))
        with CaptureQueriesContext(connection) as captured:
            assert "/admin/thankyou_flows_message/" in client.get(reverse("wagtailadmin_home")).content.decode()
        queries.append(len(captured))
    assert queries[0] == queries[1]


def test_an_editor_may_choose_a_campaign_that_exists() -> None:
    Campaign.objects.create(title="Free shipping, one hour", status="running", deadline_minutes=60)
    response = client_of(groups=("Editors",)).get(reverse("thankyou_campaign_chooser:choose"))
    assert response.status_code == 200
    assert "Free shipping, one hour" in response.json()["html"]
    assert "create" not in response.json()["html"].lower()


def test_an_exported_address_is_no_formula() -> None:
    """CM-5: an address may begin with what a spreadsheet runs."""
    mailing_list = MailingList.objects.create(slug="letters", title="Letters")
    Subscription.objects.create(
        mailing_list=mailing_list, email="=cmd|calc@example.com", email_key="k", state="confirmed"
    )
    response: Any = client_of(superuser=True).get(reverse("thankyou_flows_subscription:index"), {"export": "csv"})
    text = b"".join(response.streaming_content).decode() if response.streaming else response.content.decode()
    assert "'=cmd|calc@example.com" in text

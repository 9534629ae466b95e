"""Every screen that we register in the Wagtail admin: as nobody, as an editor of pages, and as the owner (CM-4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from coupons.admin.menu import CampaignGroup
from coupons.models import Answer, Campaign, Coupon, CouponBatch, CouponEvent
from thankyou_flows.models import MailingList, Subscription

pytestmark = pytest.mark.django_db

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
    "thankyou_flows_subscription:index",
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
    for viewset in CampaignGroup().registerables:
        for pattern in viewset.get_urlpatterns():
            keys = pattern.pattern.converters
            values = {key: "ended" if key == "to" else pk for key in keys}
            addresses.append(reverse(f"{viewset.url_namespace}:{pattern.name}", kwargs=values))
    return addresses


def snapshot() -> list[Any]:
    models = [Answer, Campaign, Coupon, CouponBatch, CouponEvent, ModelLogEntry]
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
    client = client_of(groups=("Editors", "Moderators"))
    before = snapshot()
    data = {"campaign": 1, "email": "a@example.com", "once": "x", "quantity": 5, "title": "x", "reason": "x"}
    addresses = every_address(1)
    assert len(addresses) > 30
    for address in addresses:
        response = getattr(client, verb)(address, data if verb == "post" else None)
        assert response.status_code in (302, 403), address
        if response.status_code == 302:
            assert response["Location"] == reverse("wagtailadmin_home"), address
        assert coupon.code not in response.content.decode()
    assert snapshot() == before


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

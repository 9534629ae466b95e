"""Coupons given out and revoked by hand, and who may do it (CM-4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from coupons import events, links
from coupons.holders import customer_key
from coupons.models import Campaign, Coupon, CouponEvent, Question
from coupons.redemption import reserve
from tests.test_coupons.factories import make_campaign, make_facts
from tests.test_coupons.selling import ALL, ISSUE, client_with, life_url, make_coupon, revoke_url

pytestmark = pytest.mark.django_db


@pytest.fixture
def seller() -> Client:
    """Somebody who sells: may see, give out and revoke coupons."""
    return client_with(*ALL)


# Giving out -------------------------------------------------------------------------------------------------


def issue_data(campaign: Campaign, /, **changes: Any) -> dict[str, Any]:
    return {"campaign": campaign.pk, "email": "", "usage_limit": "", "note": "", "once": "token-1", **changes}


def test_a_coupon_is_given_out_by_hand(seller: Client) -> None:
    """CM-4, CO-11: for a customer, with a note; the code is shown, and who did it stands in its life."""
    campaign = make_campaign()
    data = issue_data(campaign, email="Ada@Example.com", usage_limit="3", note="Parcel came late")
    response = seller.post(reverse(ISSUE), data)
    coupon = Coupon.objects.get()
    assert (response.status_code, response["Location"]) == (302, life_url(coupon))
    assert (coupon.holder_key, coupon.usage_limit) == (customer_key("ada@example.com"), 3)
    [said] = get_messages(response.wsgi_request)
    assert coupon.display_code in str(said)
    me = events.actor_of(User.objects.get(username="seller"))
    assert list(coupon.events.values_list("kind", "actor")) == [("changed", me), ("issued", me)]
    page = seller.get(life_url(coupon)).content.decode()
    assert "Parcel came late" in page
    assert "Sam Sell" in page


def test_a_locked_coupon_is_given_out_with_the_link_to_its_questions(seller: Client) -> None:
    """CO-9: the code alone opens nothing. Who may not look at coupons gets the link in the message."""
    campaign = make_campaign()
    Question.objects.create(campaign=campaign, label="Favourite tea?", purpose="To know", sort_order=0)
    response = seller.post(reverse(ISSUE), issue_data(campaign))
    coupon = Coupon.objects.get()
    [said] = map(str, get_messages(response.wsgi_request))
    assert coupon.display_code in said
    assert "It is locked" in said
    assert links.unlock_path(coupon) not in said
    assert links.unlock_path(coupon) in seller.get(life_url(coupon)).content.decode()
    response = client_with("issue_coupon", name="other").post(reverse(ISSUE), issue_data(campaign, once="token-2"))
    [said] = map(str, get_messages(response.wsgi_request))
    assert links.unlock_path(Coupon.objects.exclude(pk=coupon.pk).get()) in said


def test_a_second_click_gives_out_no_second_coupon(seller: Client) -> None:
    """TY-8: the form's own token is the reason."""
    campaign = make_campaign()
    for _click in range(2):
        seller.post(reverse(ISSUE), issue_data(campaign, note="Once"))
    assert Coupon.objects.count() == 1
    assert CouponEvent.objects.count() == 2
    seller.post(reverse(ISSUE), issue_data(campaign, once="token-2"))
    assert Coupon.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"usage_limit": "0"}, "usage_limit"),
        ({"usage_limit": "1001"}, "usage_limit"),
        ({"note": "x" * 201}, "note"),
        ({"campaign": "999"}, "campaign"),
        ({"once": ""}, "once"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(seller: Client, changes: dict[str, str], field: str) -> None:
    """And nothing is given out."""
    response = seller.post(reverse(ISSUE), issue_data(make_campaign(), **changes))
    assert list(response.context["form"].errors) == [field]
    assert not Coupon.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [{"status": "draft"}, {"status": "paused"}, {"code_type": "word", "word": "SPRINGTEA", "total_limit": 5}],
    ids=["draft", "paused", "word"],
)
def test_only_running_campaigns_with_single_codes_are_offered(seller: Client, changes: dict[str, Any]) -> None:
    """A word is everybody's; what rests gives out nothing."""
    campaign = make_campaign(**changes)
    before = Coupon.objects.count()
    assert list(seller.post(reverse(ISSUE), issue_data(campaign)).context["form"].errors) == ["campaign"]
    assert Coupon.objects.count() == before


def test_the_campaign_is_chosen_by_the_link(seller: Client) -> None:
    """From the campaign's own page."""
    campaign = make_campaign()
    page = seller.get(reverse(ISSUE), {"campaign": campaign.pk}).content.decode()
    assert f'value="{campaign.pk}" selected' in page
    assert seller.get(reverse(ISSUE), {"campaign": "x"}).status_code == 200


# Revoking ---------------------------------------------------------------------------------------------------


def test_revoking_asks_first_and_writes_down_why(seller: Client) -> None:
    """CO-11: GET changes nothing; the reason and the person stand in its life."""
    coupon = make_coupon()
    assert "cannot be undone" in seller.get(revoke_url(coupon)).content.decode()
    coupon.refresh_from_db()
    assert coupon.state == Coupon.State.AVAILABLE
    assert seller.post(revoke_url(coupon), {"reason": "leaked"})["Location"] == life_url(coupon)
    coupon.refresh_from_db()
    assert coupon.state == Coupon.State.REVOKED
    event = coupon.events.get(kind="revoked")
    assert (event.actor, event.detail) == (events.actor_of(User.objects.get(username="seller")), {"reason": "leaked"})
    seller.post(revoke_url(coupon))
    assert coupon.events.filter(kind="revoked").count() == 1
    assert revoke_url(coupon) not in seller.get(life_url(coupon)).content.decode()


def test_revoking_says_what_is_used_already(seller: Client) -> None:
    """CO-2: a paid order keeps it, and a word stops for everybody."""
    make_campaign(code_type="word", word="SPRINGTEA", total_limit=5)
    reserve(code="springtea", order_ref="1", facts=make_facts())
    page = seller.get(revoke_url(Coupon.objects.get())).content.decode()
    assert "One use of it is taken" in page
    assert "stops for everybody" in page


# Who may what -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("permission", ["view_coupon", "change_campaign", "revoke_coupon", ""])
def test_giving_out_is_a_permission_of_its_own(permission: str) -> None:
    """CM-4: also by raw POST."""
    client = client_with(permission)
    campaign = make_campaign()
    assert client.get(reverse(ISSUE))["Location"] == reverse("wagtailadmin_home")
    client.post(reverse(ISSUE), issue_data(campaign))
    assert not Coupon.objects.exists()


@pytest.mark.parametrize("permission", ["view_coupon", "change_campaign", "issue_coupon", ""])
def test_revoking_is_a_permission_of_its_own(permission: str) -> None:
    """CM-4: also by raw POST."""
    client = client_with(permission)
    coupon = make_coupon()
    assert client.get(revoke_url(coupon))["Location"] == reverse("wagtailadmin_home")
    client.post(revoke_url(coupon), {"reason": "x"})
    coupon.refresh_from_db()
    assert coupon.state == Coupon.State.AVAILABLE


def test_who_may_only_give_out_or_revoke_is_led_to_no_closed_page() -> None:
    """The way on after it is one that may be seen."""
    client = client_with("issue_coupon", "revoke_coupon")
    response = client.post(reverse(ISSUE), issue_data(make_campaign()))
    coupon = Coupon.objects.get()
    assert response["Location"] == reverse(ISSUE)
    assert coupon.display_code in str(next(iter(get_messages(response.wsgi_request))))
    assert client.post(revoke_url(coupon))["Location"] == reverse("wagtailadmin_home")


def test_groups_can_be_given_these_permissions() -> None:
    """CM-4: the boxes stand in Wagtail's form of a group."""
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    group = Group.objects.create(name="Sellers")
    page = client.get(reverse("wagtailusers_groups:edit", args=[group.pk])).content.decode()
    codenames = ["issue_coupon", "revoke_coupon", "export_coupon", "view_coupon", "view_answer", "delete_answer"]
    codenames += ["add_campaign", "change_campaign", "delete_campaign", "view_campaign"]
    for permission in Permission.objects.filter(content_type__app_label="thankyou_coupons", codename__in=codenames):
        assert f'value="{permission.pk}"' in page, permission.codename
        codenames.remove(permission.codename)
    assert not codenames

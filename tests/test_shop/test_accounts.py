"""Accounts of the example shop: whose address it is, and the next step after a registration."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail, signing
from django.core.cache import cache
from django.test import Client, TestCase
from django.urls import reverse

from coupons.holders import customer_key
from coupons.issuing import issue
from coupons.models import Campaign, Coupon
from example_site.demo.campaigns import load_campaigns
from example_site.shop.accounts import verified_email

pytestmark = pytest.mark.django_db

EMAIL = "mia@example.com"


class CommittingClient(Client):
    """Each request is committed, and what waits for that is done: mail goes out."""

    def request(self, **request: Any) -> Any:
        with TestCase.captureOnCommitCallbacks(execute=True):
            return super().request(**request)


@pytest.fixture
def client() -> Client:
    return CommittingClient()


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


def register(client: Client) -> None:
    data = {"email": EMAIL, "name": "Mia", "password": "three green kettles"}
    assert client.post(reverse("shop:register"), data).status_code == 302


def link() -> str:
    found = re.search(r"(/account/confirm/\S+)", mail.outbox[-1].body)
    assert found
    return found[1]


def test_the_next_step_after_a_registration(client: Client) -> None:
    """CO-9: a coupon for a few answers is offered as the next step; it belongs to the account."""
    load_campaigns()
    register(client)
    coupon = Coupon.objects.get(is_word=False)
    user = get_user_model().objects.get(email=EMAIL)
    assert (coupon.state, coupon.holder_key) == (Coupon.State.LOCKED, f"u:{user.pk}")
    body = client.get(reverse("shop:account")).content.decode()
    url = reverse("thankyou_coupons:coupon", args=[coupon.pk])
    assert url in body
    assert "Which tea do you drink most?" in client.get(url).content.decode()


def test_without_such_a_campaign_there_is_no_step(client: Client) -> None:
    register(client)
    assert not Coupon.objects.exists()
    assert client.get(reverse("shop:account")).status_code == 200


def test_a_fresh_account_does_not_open_somebody_elses_coupons(client: Client) -> None:
    """CO-6: anybody can register with anybody's address; only the mail proves it."""
    campaign = Campaign.objects.create(title="A", status=Campaign.Status.RUNNING)
    theirs = issue(campaign=campaign, holder_key=customer_key(EMAIL))
    register(client)
    mine = reverse("thankyou_coupons:mine")
    assert theirs.display_code not in client.get(mine).content.decode()
    assert client.get(reverse("thankyou_coupons:coupon", args=[theirs.pk])).status_code == 404
    url = link()
    assert client.get(url).status_code == 200
    assert verified_email(get_user_model().objects.get()) == ""
    assert client.post(url).status_code == 200
    assert verified_email(get_user_model().objects.get()) == EMAIL
    assert theirs.display_code in client.get(mine).content.decode()


def test_a_changed_address_is_not_the_confirmed_one(client: Client) -> None:
    register(client)
    client.post(link())
    user = get_user_model().objects.get()
    user.email = "somebody-else@example.com"
    user.save()
    assert verified_email(user) == ""


@pytest.mark.parametrize(
    "token", ["nonsense", signing.dumps([1, EMAIL], salt="other"), "a:b:c"], ids=["nonsense", "salt", "parts"]
)
def test_a_link_that_is_none(client: Client, token: str) -> None:
    url = reverse("shop:confirm_address", args=[token])
    for response in (client.get(url), client.post(url)):
        assert response.status_code == 404


def test_the_mail_can_be_had_again(client: Client) -> None:
    register(client)
    response = client.post(reverse("shop:resend_confirmation"), follow=True)
    assert "The mail is on its way" in response.content.decode()
    assert len(mail.outbox) == 2


def test_nobodys_mailbox_is_filled(client: Client) -> None:
    """The address may be somebody else's."""
    register(client)
    for _ in range(9):
        response = client.post(reverse("shop:resend_confirmation"), follow=True)
    assert "a moment ago" in response.content.decode()
    assert len(mail.outbox) == 2

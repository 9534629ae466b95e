"""What the tests of the coupons' admin pages share: somebody who sells, and the addresses of the pages."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from coupons.issuing import issue
from coupons.models import Coupon
from tests.test_coupons.factories import make_campaign

LIST = "thankyou_coupons_coupon:index"
ISSUE = "thankyou_coupons_coupon:issue"
ALL = ("view_coupon", "issue_coupon", "revoke_coupon", "view_answer", "view_campaign")


def client_with(*codenames: str, name: str = "seller") -> Client:
    user = User.objects.create_user(name, first_name="Sam", last_name="Sell")
    user.user_permissions.set(Permission.objects.filter(codename__in=["access_admin", *codenames]))
    client = Client()
    client.force_login(user)
    return client


def make_coupon(**options: Any) -> Coupon:
    campaign = options.pop("campaign", None) or make_campaign(title=options.pop("title", "Autumn"))
    return issue(campaign=campaign, **options)


def life_url(coupon: Coupon) -> str:
    return reverse("thankyou_coupons_coupon:inspect", args=[coupon.pk])


def revoke_url(coupon: Coupon) -> str:
    return reverse("thankyou_coupons_coupon:revoke", args=[coupon.pk])

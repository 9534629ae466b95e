"""People of the shop, in the Wagtail admin of the example site, with the catalogue of the small one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

from example_site import settings as example


def use_admin(settings: Any) -> None:
    """Put the example site around the test instead of the small one."""
    settings.ROOT_URLCONF = "example_site.urls"
    settings.MIDDLEWARE = example.MIDDLEWARE
    settings.TEMPLATES = example.TEMPLATES
    settings.THANKYOU_WISHLISTS = {"CATALOG": "tests.test_wishlists.catalogs.MemoryCatalog"}


def client_with(*codenames: str, username: str = "reader") -> Client:
    """A browser of somebody who may enter the admin and do these things."""
    user = User.objects.create_user(username)
    user.user_permissions.set(Permission.objects.filter(codename__in=["access_admin", *codenames]))
    client = Client()
    client.force_login(user)
    return client

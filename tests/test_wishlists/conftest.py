"""A small site around the lists, whatever the settings of the other tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from wishlists import cookies
from wishlists.conf import app_settings
from wishlists.cookies import Kept
from wishlists.kinds import CART
from wishlists.lines import Line, Lines

from .catalogs import PRODUCTS, MemoryCatalog

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "wishlists.middleware.ListsMiddleware",
]


@pytest.fixture(autouse=True)
def site(settings: Any) -> Iterator[Any]:
    """The settings of the small site."""
    here = Path(__file__).parent
    settings.ROOT_URLCONF = "tests.test_wishlists.urls"
    settings.MIDDLEWARE = MIDDLEWARE
    settings.THANKYOU_WISHLISTS = {"CATALOG": "tests.test_wishlists.catalogs.MemoryCatalog"}
    settings.SESSION_COOKIE_SECURE = False
    settings.LOGIN_URL = "/log-in/"
    settings.ALLOWED_HOSTS = ["*"]
    settings.LANGUAGE_CODE = "en"
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [here / "templates", here.parent.parent / "templates"],
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ]
    MemoryCatalog.calls.clear()
    MemoryCatalog.products = dict(PRODUCTS)
    yield settings


def put(
    client: Client, *lines: Line, kind: str = CART, keep: bool = False, left: Iterable[Line] = (), is_open: bool = True
) -> None:
    """Give a browser a guest's list; ``left`` is what an earlier visit left in it.

    ``keep`` makes it one that the customer asked to keep on this device, as this browser session has opened it; with
    ``is_open=False`` it is what an earlier session left.
    """
    value = cookies.encode(Kept(Lines(lines, kind), Lines(tuple(left), kind), keep))
    client.cookies[app_settings.cookie_name(kind)] = value
    client.cookies[app_settings.cookie_name(kind)]["max-age"] = app_settings.keep_days * 24 * 60 * 60 if keep else ""
    if keep and is_open:
        name = app_settings.open_cookie_name
        before = client.cookies[name].value.split(".") if name in client.cookies else []
        client.cookies[name] = ".".join(sorted({*before, kind} - {""}))


def cookie(client: Client, kind: str = CART) -> Kept | None:
    """What a browser's cookie of one kind holds; None without one."""
    morsel = client.cookies.get(app_settings.cookie_name(kind))
    return cookies.decode(morsel.value, kind=kind) if morsel is not None and morsel.value else None


def kept(client: Client, kind: str = CART) -> list[tuple[str, int]]:
    """The products and quantities in a browser's cookie, without what an earlier visit left."""
    found = cookie(client, kind)
    return [(line.product_ref, line.quantity) for line in found.lines] if found is not None else []


def close_browser(client: Client) -> None:
    """Forget what lives as long as the browser, as closing it does."""
    for name, morsel in list(client.cookies.items()):
        if not morsel["max-age"]:
            del client.cookies[name]


@pytest.fixture
def customer(db: None, django_user_model: type[User]) -> User:
    """Somebody with an account."""
    return django_user_model.objects.create_user("customer", "customer@example.com", "secret")


@pytest.fixture
def member(customer: User) -> Client:
    """The browser of ``customer``, logged in."""
    client = Client()
    client.force_login(customer)
    return client

"""A small site around the lists, whatever the settings of the other tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from wishlists import cookies
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


def put(client: Client, *lines: Line) -> None:
    """Give a browser a cart."""
    client.cookies["cart"] = cookies.encode(Lines(lines))


def kept(client: Client) -> list[tuple[str, int]]:
    """What a browser's cookie holds."""
    morsel = client.cookies.get("cart")
    cart = cookies.decode(morsel.value) if morsel is not None and morsel.value else None
    return [(line.product_ref, line.quantity) for line in cart or ()]

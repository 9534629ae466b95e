"""A small site around the entry of codes, whatever the settings of the other tests: two pages and a basket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from coupons.facts import BasketFacts

from .factories import make_facts

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]


def basket(request: HttpRequest) -> BasketFacts | None:
    """Return a basket of 20 euros; another one for a test that says which in a header."""
    kind = request.headers.get("X-Basket", "")
    if kind == "none":
        return None
    full = make_facts("20.00")
    return replace(full, lines=()) if kind == "empty" else full


def is_person(request: HttpRequest) -> bool:
    """Return whether the visitor has passed what this site asks of it."""
    return request.headers.get("X-Person") == "yes"


def landing(request: HttpRequest) -> HttpResponse:
    return render(request, "brought.html")


def cart(request: HttpRequest) -> HttpResponse:
    return render(request, "cart.html")


urlpatterns = [
    path("coupons/", include("coupons.urls")),
    path("landing/", landing),
    path("cart/", cart),
]


@pytest.fixture
def site(settings: Any) -> Iterator[Any]:
    """The settings of the small site, and an empty cache."""
    here = Path(__file__).parent
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = MIDDLEWARE
    settings.THANKYOU_COUPONS = {"BASKET": f"{__name__}.basket"}
    settings.ALLOWED_HOSTS = ["*"]
    settings.LOGIN_URL = "/login/"
    settings.LANGUAGE_CODE = "en"
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [here / "templates", here.parent.parent / "templates"],
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ]
    cache.clear()
    yield settings
    cache.clear()

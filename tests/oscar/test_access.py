"""Who sees an Oscar order (TY-1 to TY-3, TY-6), with Django's cache really in front."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from thankyou_flows.links import make_order_link
from thankyou_flows.pages.models import ThankYouPage

from .conftest import NOW

#: What only FULL access shows of Ana's order, and what LIMITED shows too.
PERSONAL = "Glavna 1"
ITEM = "Tea"


@pytest.fixture(autouse=True)
def cache_in_front(settings: Any) -> None:
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "front"}}


@pytest.fixture(params=["built-in page", "page in the CMS"], autouse=True)
def page(request: pytest.FixtureRequest, shop: Any) -> None:
    if request.param == "page in the CMS":
        shop.add_child(instance=ThankYouPage(title="Thank you", slug="thank-you"))


def look(client: Client, path: str) -> str:
    """Return what the visitor may see: everything, the limited view, or nothing."""
    response = client.get(path, follow=True)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    html = response.content.decode()
    if PERSONAL in html:
        return "all"
    return "limited" if ITEM in html else "nothing"


def test_access_matrix(
    customer: Callable[..., Any], make_user: Callable[..., Any], make_product: Callable[..., Any]
) -> None:
    """Every visitor × every order; each cell is asked twice, so that a cached answer would be found out."""
    # No word of the shop's own pages.
    product = make_product(title=ITEM)
    with time_machine.travel(NOW, tick=False) as clock:
        guest, owner, other = customer(), customer(user=make_user("owner")), customer(user=make_user("other"))
        guests_order, owners_order = guest.order(product), owner.order(product)
        link = make_order_link(number=guests_order.number)
        linked = Client()
        linked.get(link)
        paths = [reverse("thankyou_flows:order", args=[order.number]) for order in (guests_order, owners_order)]
        unknown = reverse("thankyou_flows:order", args=["424242"])
        # The owner also signs in elsewhere, where nothing was ordered.
        owner_elsewhere = Client()
        owner_elsewhere.force_login(owners_order.user, backend="django.contrib.auth.backends.ModelBackend")
        expected = {
            "the ordering guest": (guest.client, "all", "nothing"),
            "the ordering owner": (owner.client, "nothing", "all"),
            "the owner elsewhere": (owner_elsewhere, "nothing", "all"),
            "another customer": (other.client, "nothing", "nothing"),
            "a stranger": (Client(), "nothing", "nothing"),
            "a browser with a link": (linked, "limited", "nothing"),
        }
        for _ in range(2):
            for who, (client, *cells) in expected.items():
                assert [look(client, path) for path in paths] == cells, who
                assert look(client, unknown) == "nothing", who

        clock.move_to(NOW + timedelta(minutes=31))
        assert look(guest.client, paths[0]) == "limited"
        assert look(owner_elsewhere, paths[1]) == "all"


def test_unknown_and_foreign_orders_look_the_same(customer: Callable[..., Any], product: Any) -> None:
    """TY-2. The clock stands still because a form on the page carries the time."""
    order = customer().order(product)
    with time_machine.travel(NOW, tick=False):
        paths = [reverse("thankyou_flows:order", args=[number]) for number in (order.number, "424242")]
        answers = {Client().get(path).content for path in paths}
    assert len(answers) == 1

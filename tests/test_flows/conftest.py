"""A shop in memory, orders in it, and a page to show them on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone
from djmoney.money import Money
from wagtail.models import Site

from coupons.models import Campaign
from thankyou_flows.newsletter import subscribe
from thankyou_flows.pages.models import ThankYouPage
from thankyou_flows.stores.dummy import DummyStore
from thankyou_flows.values import Address, Order, OrderLine, OrderState

#: Everything personal in a test order carries this word, so that a page can be searched for it.
MARKER = "Zanzibar"


def euro(amount: str) -> Money:
    return Money(amount, "EUR")


def make_order(number: str = "T-1001", *, line_count: int = 1, **changes: Any) -> Order:
    """Return an order whose personal data all carry the marker."""
    values: dict[str, Any] = {
        "number": number,
        "state": OrderState.PAID,
        "placed_at": timezone.now(),
        "lines": tuple(
            OrderLine(
                product_ref=f"sku-{n}",
                title=f"Product {n}",
                quantity=1,
                unit_price=euro("10.00"),
                total=euro("10.00"),
                category_refs=("tea",),
            )
            for n in range(line_count)
        ),
        "subtotal": euro("10.00") * line_count,
        "shipping": euro("4.90"),
        "total": euro("10.00") * line_count + euro("4.90"),
        "email": f"{MARKER.lower()}@example.com",
        "first_name": MARKER,
        "shipping_address": Address(
            name=f"{MARKER} Novak", lines=(f"{MARKER} street 1",), postcode="1000", city="Ljubljana", country="SI"
        ),
        "billing_address": Address(name=f"{MARKER} Novak", city="Ljubljana"),
        "note": f"Ring twice, {MARKER}",
    }
    values.update(changes)
    return Order(**values)


@pytest.fixture(autouse=True)
def dummy_store(settings: Any) -> Iterator[type[DummyStore]]:
    """The shop of these tests."""
    settings.THANKYOU_FLOWS = {"STORE": "thankyou_flows.stores.dummy.DummyStore"}
    DummyStore.reset()
    cache.clear()
    yield DummyStore
    DummyStore.reset()


@pytest.fixture
def order(dummy_store: type[DummyStore]) -> Order:
    return dummy_store.add_order(make_order())


@pytest.fixture
def offer_campaign(db: None) -> Campaign:
    return Campaign.objects.create(
        title="Free shipping, one hour",
        status=Campaign.Status.RUNNING,
        benefit=Campaign.Benefit.FREE_SHIPPING,
        deadline_minutes=60,
    )


@pytest.fixture
def make_page(db: None) -> Callable[..., ThankYouPage]:
    """Return a function that publishes a thank-you page under the site's root."""

    def make(title: str = "Thanks", *, body: Any = (), rules: Any = (), **fields: Any) -> ThankYouPage:
        root = Site.objects.get(is_default_site=True).root_page
        page = ThankYouPage(title=title, body=list(body), rules=list(rules), **fields)
        root.add_child(instance=page)
        page.save_revision().publish()
        return ThankYouPage.objects.get(pk=page.pk)

    return make


@pytest.fixture
def offer_page(make_page: Callable[..., ThankYouPage], offer_campaign: Campaign) -> ThankYouPage:
    return make_page(
        headline="Thank you, {first_name}",
        body=[
            ("status", {}),
            ("summary", {"heading": "Your order", "show_pictures": True, "show_addresses": True}),
            ("offer", {"campaign": offer_campaign, "heading": "Forgot something?", "text": "", "button": "Go on"}),
        ],
    )


@pytest.fixture
def ordering_browser(client: Any, order: Order, rf: Any) -> Any:
    """A client that has just placed the order, as ``finish_checkout`` leaves it."""
    finish(client, order.number)
    return client


def finish(client: Any, number: str) -> str:
    """Do what a shop's view does after an order: call ``finish_checkout`` with this client's session."""
    from django.contrib.auth.models import AnonymousUser
    from django.test import RequestFactory

    from thankyou_flows.checkout import finish_checkout

    request = RequestFactory().post("/checkout/")
    request.session = client.session
    request.user = AnonymousUser()
    url = finish_checkout(request=request, number=number)
    request.session.save()
    client.cookies["sessionid"] = request.session.session_key
    return url


def later(**span: float) -> Any:
    return timezone.now() + timedelta(**span)


@pytest.fixture
def clock() -> Iterator[Any]:
    """A Monday noon that moves only when the test moves it."""
    with time_machine.travel("2026-03-02T12:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def ask(django_capture_on_commit_callbacks: Any) -> Callable[..., None]:
    """Return a function that asks for the newsletter, with the commit that follows."""

    def ask(email: str = "ann@example.com", **changes: Any) -> None:
        arguments = {"wording": "I want letters.", "base_url": "https://shop.example", **changes}
        with django_capture_on_commit_callbacks(execute=True):
            subscribe(email=email, **arguments)

    return ask

"""Which page is shown, what stands on it, and what a preview may do (D3, TY-10, CM-4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Locale, Page, Site

from coupons.models import Campaign, Coupon
from thankyou_flows.models import OrderRecord
from thankyou_flows.pages.models import ThankYouPage
from thankyou_flows.samples import SAMPLES, sample_flow
from thankyou_flows.stores.dummy import DummyStore
from thankyou_flows.values import Order, OrderLine

from .conftest import euro, finish, make_order

pytestmark = pytest.mark.django_db


def headline(client: Client, number: str = "T-1001") -> str:
    body = client.get(reverse("thankyou_flows:order", args=[number])).content.decode()
    return body.split("<h1", 1)[1].split(">", 1)[1].split("</h1>")[0].strip()


def order_again(client: Client, number: str, **changes: Any) -> None:
    DummyStore.add_order(make_order(number, **changes))
    finish(client, number)


def test_without_any_page_the_order_is_shown(client: Client, order: Order) -> None:
    """D3: a shop that has just installed the package never shows an error after a sale."""
    finish(client, order.number)
    body = client.get(reverse("thankyou_flows:order", args=["T-1001"])).content.decode()
    assert "Product 0" in body
    assert "Thank you" in body


def test_the_page_with_the_highest_priority_wins_and_the_one_without_rules_is_the_fallback(
    client: Client, make_page: Any
) -> None:
    make_page("Fallback", headline="Fallback")
    make_page("Low", headline="Low", priority=1, rules=[("customer", {"kind": "first"})])
    make_page("High", headline="High", priority=2, rules=[("customer", {"kind": "first"})])
    order_again(client, "T-1")
    assert headline(client, "T-1") == "High"
    order_again(client, "T-2", placed_at=timezone.now() + timedelta(seconds=5))
    assert headline(client, "T-2") == "Fallback"


RULES: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    ("total", {"at_least": "14.90", "less_than": None, "currency": ""}, {}, True),
    ("total", {"at_least": "14.91", "less_than": None, "currency": ""}, {}, False),
    ("total", {"at_least": None, "less_than": "14.90", "currency": ""}, {}, False),
    ("total", {"at_least": "1", "less_than": None, "currency": "usd"}, {}, False),
    ("total", {"at_least": "1", "less_than": None, "currency": "eur"}, {}, True),
    ("product", {"products": ["sku-0"]}, {}, True),
    ("product", {"products": ["sku-9"]}, {}, False),
    ("category", {"categories": ["tea", "cups"]}, {}, True),
    ("category", {"categories": ["cups"]}, {}, False),
    ("dates", {"starts": timezone.now() - timedelta(days=1), "ends": None}, {}, True),
    ("dates", {"starts": None, "ends": timezone.now() - timedelta(days=1)}, {}, False),
    ("customer", {"kind": "first"}, {}, True),
    ("customer", {"kind": "returning"}, {}, False),
    ("customer", {"kind": "first"}, {"email": ""}, False),
    ("customer", {"kind": "returning"}, {"email": ""}, False),
]


@pytest.mark.parametrize(("name", "value", "changes", "holds"), RULES)
def test_each_rule(
    client: Client, make_page: Any, name: str, value: dict[str, Any], changes: dict[str, Any], holds: bool
) -> None:
    make_page("Ruled", headline="Ruled", rules=[(name, value)])
    make_page("Fallback", headline="Fallback", priority=-1)
    order_again(client, "T-1001", **changes)
    assert headline(client) == ("Ruled" if holds else "Fallback")


def test_all_rules_must_hold(client: Client, make_page: Any) -> None:
    make_page(
        "Both",
        headline="Both",
        rules=[("customer", {"kind": "first"}), ("product", {"products": ["sku-9"]})],
    )
    order_again(client, "T-1001")
    assert headline(client).startswith("Thank you")


def test_a_rule_that_fails_passes_the_page_over(client: Client, make_page: Any, monkeypatch: Any, caplog: Any) -> None:
    """TY-10."""
    from thankyou_flows.rules import CustomerRule

    def broken(self: Any, value: Any, facts: Any) -> bool:
        raise RuntimeError("no idea")

    monkeypatch.setattr(CustomerRule, "matches", broken)
    make_page("Broken", headline="Broken", priority=5, rules=[("customer", {"kind": "first"})])
    make_page("Fallback", headline="Fallback")
    order_again(client, "T-1001")
    assert headline(client) == "Fallback"
    assert "could not be evaluated" in caplog.text


def test_drafts_other_sites_and_other_languages_are_left_out(client: Client, make_page: Any, settings: Any) -> None:
    draft = make_page("Draft", headline="Draft", priority=9)
    draft.unpublish()
    tree_root = Page.get_first_root_node()
    other_root = tree_root.add_child(instance=Page(title="Other", slug="other"))
    Site.objects.create(hostname="other.example", root_page=other_root, is_default_site=False)
    elsewhere = ThankYouPage(title="Elsewhere", headline="Elsewhere", priority=9)
    other_root.add_child(instance=elsewhere)
    german = ThankYouPage(
        title="Deutsch", headline="Danke", priority=9, locale=Locale.objects.create(language_code="de")
    )
    Site.objects.get(is_default_site=True).root_page.add_child(instance=german)
    make_page("Fallback", headline="Fallback")
    order_again(client, "T-1001")
    assert headline(client) == "Fallback"


def test_the_visitors_language_wins(client: Client, make_page: Any, settings: Any) -> None:
    settings.LANGUAGES = settings.WAGTAIL_CONTENT_LANGUAGES = [("en-gb", "English"), ("de", "German")]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    make_page("English", headline="English", priority=9)
    german = ThankYouPage(title="Deutsch", headline="Danke", locale=Locale.objects.create(language_code="de"))
    Site.objects.get(is_default_site=True).root_page.add_child(instance=german)
    order_again(client, "T-1001")
    assert headline(client) == "English"
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    assert headline(client) == "Danke"


def test_a_block_that_raises_is_left_out_and_the_order_is_shown(
    client: Client, order: Order, offer_page: Any, monkeypatch: Any, caplog: Any
) -> None:
    """TY-10: one log record, no stack trace on the page, the other blocks stand."""
    from thankyou_flows.blocks import OfferBlock

    finish(client, order.number)

    def broken(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(OfferBlock, "get_context", broken)
    response = client.get(reverse("thankyou_flows:order", args=["T-1001"]))
    assert response.status_code == 200
    assert "Product 0" in response.content.decode()
    assert "secret detail" not in response.content.decode()
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1


def test_a_page_that_raises_is_replaced_by_the_built_in_one(
    client: Client, order: Order, offer_page: Any, monkeypatch: Any
) -> None:
    """TY-10."""
    finish(client, order.number)

    def broken(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("template is gone")

    monkeypatch.setattr(ThankYouPage, "get_context", broken)
    response = client.get(reverse("thankyou_flows:order", args=["T-1001"]))
    assert response.status_code == 200
    assert "Product 0" in response.content.decode()


def test_a_shop_that_does_not_answer_gives_a_friendly_503(ordering_browser: Client, monkeypatch: Any) -> None:
    """TY-10."""

    def broken(self: Any, *, number: str) -> Any:
        raise RuntimeError("connection refused")

    monkeypatch.setattr(DummyStore, "get_order", broken)
    response = ordering_browser.get(reverse("thankyou_flows:order", args=["T-1001"]))
    assert response.status_code == 503
    assert "connection refused" not in response.content.decode()
    assert "no-store" in response["Cache-Control"]


def test_finishing_a_checkout_never_raises(client: Client, order: Order, monkeypatch: Any, offer_page: Any) -> None:
    """OP-4: our failure never breaks the shop's checkout, and the customer still gets to the order."""

    def broken(self: Any, *, number: str) -> Any:
        raise RuntimeError("boom")

    with monkeypatch.context() as patch:
        patch.setattr(DummyStore, "get_order", broken)
        url = finish(client, order.number)
    assert url == reverse("thankyou_flows:order", args=["T-1001"])
    assert "Product 0" in client.get(url).content.decode()


def test_what_a_customer_typed_is_shown_as_text(client: Client, make_page: Any) -> None:
    """CM-1: escaped in the headline, in rich text, in the summary; placeholders in it are not filled again (EM-8)."""
    make_page(
        headline="Hello {first_name}, {order_number}",
        body=[
            ("text", {"text": "<p>Dear {first_name}</p>"}),
            ("summary", {"heading": "", "show_pictures": True, "show_addresses": True}),
        ],
    )
    evil = "<script>alert(1)</script>{order_number}"
    line = OrderLine(product_ref="x", title=evil, quantity=1, total=euro("1"), options=evil)
    order_again(client, "T-1001", first_name=evil, lines=(line,))
    body = client.get(reverse("thankyou_flows:order", args=["T-1001"])).content.decode()
    assert "<script>alert" not in body
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{order_number}" in body


def test_placeholders_leave_no_gap_where_the_name_is_hidden(client: Client, order: Order, make_page: Any) -> None:
    from thankyou_flows.links import make_order_link

    make_page(headline="Thank you, {first_name}")
    client.get(make_order_link(number=order.number))
    assert headline(client) == "Thank you"


def test_lines_do_not_cost_queries(
    client: Client, make_page: Any, offer_campaign: Campaign, django_assert_max_num_queries: Any
) -> None:
    """OP-7, DESIGN §6: at most 12 queries, whatever the number of lines, with 12 live blocks."""
    body: list[Any] = [
        ("status", {}),
        ("summary", {"heading": "Your order", "show_pictures": True, "show_addresses": True}),
        ("offer", {"campaign": offer_campaign, "heading": "", "text": "", "button": ""}),
        ("coupon", {"campaign": offer_campaign, "heading": "", "text": ""}),
        ("newsletter", {}),
    ]
    body += [("text", {"text": "<p>Text</p>"})] * 4 + [("heading", {"text": "Words"})] * 3
    make_page(body=body)
    counts = []
    for number, lines in (("T-1", 1), ("T-20", 20)):
        order_again(client, number, line_count=lines, email=f"{number}@example.com")
        client.get(reverse("thankyou_flows:order", args=[number]))
        with django_assert_max_num_queries(12) as captured:
            client.get(reverse("thankyou_flows:order", args=[number]))
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("mode", SAMPLES)
def test_a_preview_writes_nothing_and_asks_the_shop_nothing(
    rf: Any, offer_page: Any, offer_campaign: Campaign, mode: str, dummy_store: Any
) -> None:
    """CM-4."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        response = offer_page.make_preview_request(preview_mode=mode)
        body = response.content.decode() if response.is_rendered else response.render().content.decode()
    assert response.status_code == 200
    assert not [q["sql"] for q in queries if q["sql"].split()[0] in {"INSERT", "UPDATE", "DELETE"}]
    assert dummy_store.calls == []
    assert not Coupon.objects.exists()
    assert not OrderRecord.objects.exists()
    assert ("SAMPLE-1" in body) is (mode != "stranger")
    assert ("Ana" in body) is (mode not in {"stranger", "link"})


def test_a_new_page_starts_with_useful_blocks(rf: Any) -> None:
    page = ThankYouPage(title="New")
    assert [child.block_type for child in page.body] == ["status", "text", "newsletter", "summary"]
    request = rf.get("/")
    request.thankyou_flow = sample_flow("first_order")
    body = page.serve(request).render().content.decode()
    for words in ("paid and confirmed", "lean back", "Letters from the shop", "A sample product"):
        assert words in body


def test_finishing_twice_records_once(client: Client, order: Order, offer_page: Any) -> None:
    """TY-8."""
    for _ in range(3):
        finish(client, order.number)
    record = OrderRecord.objects.get()
    assert record.lines.count() == 1
    assert "zanzibar" not in str(vars(record)).lower()

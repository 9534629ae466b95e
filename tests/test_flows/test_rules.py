"""The rules in the page editor: what an owner may enter, and that nothing is lost when the shop changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from wagtail.blocks import StructBlockValidationError
from wagtail.test.utils.form_data import inline_formset, nested_form_data, rich_text, streamfield

from thankyou_flows.page import ThankYouPageMixin
from thankyou_flows.pages.models import ThankYouPage
from thankyou_flows.rules import PRODUCT_LIMIT, RuleStreamBlock, TotalRule, category_choices, product_choices
from thankyou_flows.stores.dummy import DummyStore
from thankyou_flows.values import Product

from .conftest import euro

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("owner"))
    return client


@pytest.fixture(autouse=True)
def listed(dummy_store: type[DummyStore], monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop that sells one tea, knows a second that is not for sale, and has one category."""
    for ref, title, available in (("KF-T01", "Sencha", True), ("KF-T02", "Gyokuro", False)):
        dummy_store.products[ref] = Product(ref=ref, title=title, url="", price=euro("5"), available=available)
    dummy_store.categories = [("tea", "Tea")]

    def search(self: DummyStore, *, text: str = "", limit: int = 200) -> list[tuple[str, str]]:
        return [(p.ref, p.title) for p in self.products.values() if p.available][:limit]

    monkeypatch.setattr(dummy_store, "search_products", search)


def form_data(page: ThankYouPage, *, rules: list[tuple[str, dict[str, list[str]]]], **extra: str) -> dict[str, Any]:
    data = nested_form_data(
        {
            "title": page.title,
            "slug": page.slug,
            "headline": page.headline,
            "priority": "0",
            "generic_text": rich_text("<p>Hello</p>"),
            "body": streamfield([]),
            "rules": streamfield([(name, {}) for name, _value in rules]),
            "comments": inline_formset([]),
        }
    )
    for number, (_name, value) in enumerate(rules):
        # A select box posts one key with several values.
        data.update({f"rules-{number}-value-{key}": refs for key, refs in value.items()})
    return {**data, **extra}


RULES = [
    ("product", {"products": ["KF-T01", "KF-T02", "KF-X99"]}),
    ("category", {"categories": ["tea", "cups"]}),
]


def stored(page: ThankYouPage) -> list[tuple[str, dict[str, Any]]]:
    found = ThankYouPage.objects.get(pk=page.pk)
    return [(rule.block_type, dict(rule.value)) for rule in found.rules]


def test_the_editor_shows_and_keeps_what_the_shop_no_longer_lists(
    admin: Client, make_page: Callable[..., ThankYouPage]
) -> None:
    """An owner who changes something else does not lose a rule, and sees what it names."""
    page = make_page("Tea", rules=RULES)
    url = reverse("wagtailadmin_pages:edit", args=[page.pk])
    body = unescape(unescape(admin.get(url).content.decode()))
    for option in ("Sencha", "Gyokuro (not for sale now)", "KF-X99 (not for sale now)", "cups (no longer in the shop)"):
        assert option in body
    assert "Sencha (not" not in body
    # The form starts with all of them selected.
    assert json.dumps(RULES[0][1]["products"]) in body
    page.title = "Tea and more"
    response = admin.post(url, form_data(page, rules=RULES, **{"action-publish": "1"}))
    assert response.status_code == 302, response.context["form"].errors
    assert ThankYouPage.objects.get(pk=page.pk).title == "Tea and more"
    assert stored(page) == RULES


def test_what_only_a_draft_names_is_kept_too(admin: Client, make_page: Callable[..., ThankYouPage]) -> None:
    page = make_page("Tea")
    url = reverse("wagtailadmin_pages:edit", args=[page.pk])
    assert admin.post(url, form_data(page, rules=RULES)).status_code == 302
    assert stored(page) == []
    assert ("KF-T02", "Gyokuro (not for sale now)") in product_choices()
    assert ("cups", "cups (no longer in the shop)") in category_choices()


def test_a_rule_can_still_be_emptied_and_must_name_something(
    admin: Client, make_page: Callable[..., ThankYouPage]
) -> None:
    page = make_page("Tea", rules=RULES)
    url = reverse("wagtailadmin_pages:edit", args=[page.pk])
    fewer = [("product", {"products": ["KF-T01"]})]
    assert admin.post(url, form_data(page, rules=fewer, **{"action-publish": "1"})).status_code == 302
    assert stored(page) == fewer
    nothing = form_data(page, rules=[("product", {"products": []})], **{"action-publish": "1"})
    assert admin.post(url, nothing).status_code == 200
    odd = form_data(page, rules=[("product", {"products": ["x" * 500]})], **{"action-publish": "1"})
    assert admin.post(url, odd).status_code == 200
    assert stored(page) == fewer


def test_the_editor_offers_many_products(dummy_store: type[DummyStore]) -> None:
    """More than the 200 that a store returns unless it is asked for more."""
    for number in range(300):
        ref = f"P-{number}"
        dummy_store.products[ref] = Product(ref=ref, title=ref, url="", price=euro("5"), available=True)
    assert len(product_choices()) == 301
    assert PRODUCT_LIMIT == 2000


def test_reading_a_rule_does_not_ask_the_shop(
    make_page: Callable[..., ThankYouPage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Customers wait for no list of products that only the editor needs."""
    page = make_page("Tea", rules=RULES)

    def never(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("The shop was asked.")

    monkeypatch.setattr(DummyStore, "search_products", never)
    monkeypatch.setattr(DummyStore, "get_categories", never)
    assert stored(page) == RULES
    assert issubclass(ThankYouPage, ThankYouPageMixin)


@pytest.mark.parametrize(("typed", "kept"), [("", ""), ("eur", "EUR"), (" JPY", "JPY")])
def test_a_currency_is_kept_in_capitals(typed: str, kept: str) -> None:
    block = TotalRule()
    assert block.clean(block.to_python({"at_least": "5", "less_than": None, "currency": typed}))["currency"] == kept


@pytest.mark.parametrize("typed", ["EUX", "€", "12"])
def test_what_is_no_currency_is_said_beside_the_field(typed: str) -> None:
    block = TotalRule()
    with pytest.raises(StructBlockValidationError) as caught:
        block.clean(block.to_python({"at_least": "9", "less_than": "5", "currency": typed}))
    assert set(caught.value.block_errors) == {"currency", "less_than"}


def test_the_rules_in_migrations_are_wagtails_own() -> None:
    """A migration does not depend on our block classes."""
    block = RuleStreamBlock().child_blocks["product"].child_blocks["products"]
    assert block.deconstruct()[0] == "wagtail.blocks.MultipleChoiceBlock"

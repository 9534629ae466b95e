"""The data of ``make demo-oscar``."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from wagtail.models import Locale, Page

from .conftest import model


@pytest.fixture
def demo(db: None, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    Locale.objects.get_or_create(language_code="en")
    if Page.get_first_root_node() is None:
        Page.add_root(instance=Page(title="Root", slug="root"))
    call_command("load_demo", verbosity=0)


def test_loading_twice_is_loading_once(demo: None) -> None:
    before = [model(name).objects.count() for name in ("catalogue.Product", "address.Country", "auth.User")]
    assert before[0] == 12
    call_command("load_demo", verbosity=0)
    assert [model(name).objects.count() for name in ("catalogue.Product", "address.Country", "auth.User")] == before


def test_the_shop_shows_what_it_sells(demo: None) -> None:
    """The search of the demo stands in for a search engine."""
    client = Client()

    def titles(path: str) -> list[str]:
        return [result.object.title for result in client.get(path).context["products"]]

    everything = titles(reverse("catalogue:index"))
    assert len(everything) == 12
    assert titles(reverse("catalogue:index") + "?sort_by=title-asc") == sorted(everything)
    category = model("catalogue.Category").objects.get(name="Tea")
    of_category = titles(category.get_absolute_url())
    assert 0 < len(of_category) < 12
    response = client.get(reverse("search:search"), {"q": of_category[0]})
    assert of_category[0] in response.content.decode()


def test_products_have_pictures(demo: None) -> None:
    product = model("catalogue.Product").objects.earliest("pk")
    html = Client().get(product.get_absolute_url()).content.decode()
    assert product.primary_image().original.url in html


def test_the_demos_word_works_on_tea(demo: None) -> None:
    """The campaign is the example shop's; its shelf has another name here."""
    client = Client()
    for category, expected in (("Teaware", 422), ("Tea", 303)):
        product = model("catalogue.Product").objects.filter(categories__name=category).first()
        client.post(reverse("basket:add", kwargs={"pk": product.pk}), {"quantity": 1})
        response = client.post(reverse("thankyou_coupons:apply"), {"code": "spring 10"})
        assert response.status_code == expected, category

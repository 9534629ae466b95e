"""The attributes of Oscar's products in words, for comparisons; and the pieces that are left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.files.base import ContentFile

from thankyou_flows.stores.oscar import OscarStore
from wishlists.catalog import attributes_of, pieces_left

from .conftest import model

store = OscarStore()
KINDS = ("text", "integer", "float", "boolean", "date", "richtext", "option", "multi_option", "file")


@pytest.fixture
def scarf(make_product: Callable[..., Any], settings: Any, tmp_path: Any) -> Any:
    """A product with an attribute of each kind."""
    settings.MEDIA_ROOT, settings.LANGUAGE_CODE = tmp_path, "en"
    product = make_product(title="Scarf", structure="parent")
    group = model("catalogue.AttributeOptionGroup").objects.create(name="Things")
    red, blue = (
        model("catalogue.AttributeOption").objects.create(group=group, option=name) for name in ("Red", "Blue")
    )
    attributes = {
        kind: model("catalogue.ProductAttribute").objects.create(
            product_class=product.product_class,
            name=kind.title(),
            code=kind,
            type=kind,
            option_group=group if "option" in kind else None,
        )
        for kind in KINDS
    }
    values = {
        "text": "Wool", "integer": 3, "float": 1.5, "boolean": False, "date": date(2027, 3, 1),
        "richtext": "<p>Soft &amp; <b>warm</b></p>", "option": red, "file": ContentFile(b"x", name="x.txt"),
    }  # fmt: skip
    add = model("catalogue.ProductAttributeValue").objects.create
    for kind, value in values.items():
        add(product=product, attribute=attributes[kind], **{f"value_{kind}": value})
    add(product=product, attribute=attributes["multi_option"]).value_multi_option.set([red, blue])
    return product


def test_attributes_in_words(scarf: Any) -> None:
    """Each kind as somebody reads it; a file is nothing to compare."""
    assert attributes_of(store, refs=[str(scarf.pk)]) == {
        str(scarf.pk): [
            ("Text", "Wool"),
            ("Integer", "3"),
            ("Float", "1.5"),
            ("Boolean", "No"),
            ("Date", "March 1, 2027"),
            ("Richtext", "Soft & warm"),
            ("Option", "Red"),
            ("Multi_Option", "Red, Blue"),
        ]
    }


def test_a_variant_has_its_parents_too(scarf: Any, make_product: Callable[..., Any]) -> None:
    """Its own value first; what it does not say itself comes from the parent."""
    child = make_product(title="", price="12.50", parent=scarf)
    text = model("catalogue.ProductAttribute").objects.get(code="text")
    model("catalogue.ProductAttributeValue").objects.create(product=child, attribute=text, value_text="Silk")
    found = store.get_attributes(refs=[str(child.pk)])[str(child.pk)]
    assert found[:2] == [("Text", "Silk"), ("Integer", "3")]
    assert len(found) == 8


def test_three_queries_whatever_the_number(
    scarf: Any, make_product: Callable[..., Any], django_assert_num_queries: Any
) -> None:
    """OP-7."""
    children = [make_product(title="", price="12.50", parent=scarf) for _number in range(20)]
    for refs in ([str(children[0].pk)], [str(child.pk) for child in children]):
        with django_assert_num_queries(3):
            assert len(store.get_attributes(refs=refs)) == len(refs)
    with django_assert_num_queries(0):
        assert store.get_attributes(refs=["x", "\x00", ""]) == {}


def test_a_hidden_product_says_nothing(scarf: Any, make_product: Callable[..., Any]) -> None:
    child = make_product(title="", price="12.50", parent=scarf)
    type(scarf).objects.filter(pk=scarf.pk).update(is_public=False)
    assert store.get_attributes(refs=[str(scarf.pk), str(child.pk)]) == {}


def test_pieces_left(make_product: Callable[..., Any]) -> None:
    """CD-5: the number in stock, and none where the shop does not count."""
    product = make_product(title="Scarf")
    record = product.stockrecords.get()
    record.num_in_stock = 2
    record.save()
    assert pieces_left(store.get_products(refs=[str(product.pk)])[str(product.pk)]) == 2
    product.product_class.track_stock = False
    product.product_class.save()
    assert pieces_left(store.get_products(refs=[str(product.pk)])[str(product.pk)]) is None

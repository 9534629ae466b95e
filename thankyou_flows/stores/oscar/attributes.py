"""The attributes of Oscar's products in words, for comparisons and data sheets."""

from __future__ import annotations

from collections.abc import Iterable
from html import unescape
from typing import Any

from django.utils import formats
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from oscar.core.loading import get_model

from wishlists.catalog import Attribute

from .catalogue import parse_ref

OscarProduct = get_model("catalogue", "Product")
ProductAttribute = get_model("catalogue", "ProductAttribute")
ProductAttributeValue = get_model("catalogue", "ProductAttributeValue")

#: A file, a picture or a row of some table is nothing to read in a comparison.
UNREADABLE = (ProductAttribute.FILE, ProductAttribute.IMAGE, ProductAttribute.ENTITY)


def read_attributes(*, refs: Iterable[str]) -> dict[str, list[Attribute]]:
    """Return the attributes of public products, in the order in which the shop made them.

    A variant has those of its parent too, its own value first. Three queries at most, whatever the number of products.
    """
    keys = {key for ref in refs if (key := parse_ref(ref)) is not None}
    if not keys:
        return {}
    public = OscarProduct.objects.filter(pk__in=keys, is_public=True).exclude(parent__is_public=False)
    parents = dict(public.values_list("pk", "parent_id"))
    owners = {*parents, *parents.values()} - {None}
    values: dict[Any, dict[Any, Attribute]] = {owner: {} for owner in owners}
    rows = ProductAttributeValue.objects.filter(product__in=owners).exclude(attribute__type__in=UNREADABLE)
    rows = rows.select_related("attribute", "value_option").prefetch_related("value_multi_option")
    for row in rows.order_by("attribute_id"):
        text = _text(row)
        if text:
            values[row.product_id][row.attribute_id] = Attribute(str(row.attribute.name), text)
    found = {}
    for key, parent in parents.items():
        merged = {**values.get(parent, {}), **values[key]}
        found[str(key)] = [merged[attribute] for attribute in sorted(merged)]
    return found


def _text(row: Any) -> str:
    value = row.value
    if value is None:
        return ""
    match row.attribute.type:
        case ProductAttribute.BOOLEAN:
            return _("Yes") if value else _("No")
        case ProductAttribute.DATE:
            return str(formats.date_format(value, "DATE_FORMAT"))
        case ProductAttribute.DATETIME:
            return str(formats.date_format(value, "DATETIME_FORMAT"))
        case ProductAttribute.INTEGER | ProductAttribute.FLOAT:
            return str(formats.localize(value))
        case ProductAttribute.RICHTEXT:
            return " ".join(unescape(strip_tags(value)).split())
        case ProductAttribute.MULTI_OPTION:
            return ", ".join(str(option.option) for option in value)
    return str(value)

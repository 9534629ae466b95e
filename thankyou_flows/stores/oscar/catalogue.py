"""Oscar's catalogue as our values: products with the price and availability of the shop's own strategy."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q
from djmoney.money import Money
from oscar.core.loading import get_class, get_model

from ...values import Product

OscarProduct = get_model("catalogue", "Product")
Category = get_model("catalogue", "Category")
AttributeValue = get_model("catalogue", "ProductAttributeValue")
Selector = get_class("partner.strategy", "Selector")

#: Attributes of a variant that can be said in words without asking the database again.
WORDY_TYPES = ("text", "integer", "boolean", "float", "date", "datetime", "option")


def read_products(*, refs: Iterable[str]) -> dict[str, Product]:
    """Return the public products with these references, as a visitor who is not signed in would see them.

    The number of queries does not grow with the number of products.
    """
    keys = {key for ref in refs if (key := parse_ref(ref)) is not None}
    if not keys:
        return {}
    children = OscarProduct.objects.filter(is_public=True).prefetch_related("stockrecords")
    products = (
        OscarProduct.objects.filter(pk__in=keys, is_public=True)
        .exclude(parent__is_public=False)
        .select_related("product_class", "parent__product_class")
        .prefetch_related(
            "stockrecords",
            "images",
            "parent__images",
            "categories",
            "parent__categories",
            # The name under which Product.get_public_children looks for them.
            Prefetch("children", queryset=children, to_attr="_prefetched_public_children"),
        )
    )
    strategy = Selector().strategy()
    return {str(product.pk): _product(product, strategy) for product in products}


def list_categories() -> list[tuple[str, str]]:
    """Return every category with its whole path ("Tea > Green"), in the tree's order. One query."""
    names: dict[str, str] = {}
    found = []
    for category in Category.objects.order_by("path"):
        above = names.get(category.path[: -Category.steplen], "")
        names[category.path] = f"{above} > {category.name}" if above else str(category.name)
        found.append((str(category.pk), names[category.path]))
    return found


def list_products(*, text: str, limit: int) -> list[tuple[str, str]]:
    """Return products that can be on an order: single ones and variants, by title or UPC. One query."""
    products = OscarProduct.objects.exclude(structure=OscarProduct.PARENT).select_related("parent")
    if text:
        products = products.filter(Q(title__icontains=text) | Q(parent__title__icontains=text) | Q(upc__icontains=text))
    return [(str(product.pk), _title_in_list(product)) for product in products.order_by("title", "pk")[:limit]]


def parse_ref(ref: str) -> Any:
    """Return the primary key that this reference stands for, or None. Whatever a visitor may send is survived."""
    field = OscarProduct._meta.pk
    try:
        key = field.clean(ref, None)
    except (ValidationError, ValueError, TypeError):
        return None
    # int() reads " 7", "٧" and "1_0" too; a product has one reference only.
    return key if str(key) == ref else None


def variant_of(*, product_ref: str, options: str) -> str | None:
    """Return the reference of this parent's public variant; ``options`` is its primary key. One query; None for others."""
    parent, key = parse_ref(product_ref), parse_ref(options)
    if parent is None or key is None:
        return None
    found = OscarProduct.objects.filter(pk=key, parent=parent, is_public=True, parent__is_public=True)
    return options if found.exists() else None


def name_variants(*, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return what sets variants apart, by (parent, variant): a title of their own, attributes in words, or the UPC.

    Two queries.
    """
    wanted = {key for _ref, options in keys if (key := parse_ref(options)) is not None}
    if not wanted:
        return {}
    words = AttributeValue.objects.filter(attribute__type__in=WORDY_TYPES).order_by("pk")
    words = words.select_related("attribute", "value_option__group")
    variants = OscarProduct.objects.filter(pk__in=wanted, is_public=True, parent__is_public=True)
    found = {}
    for variant in variants.prefetch_related(Prefetch("attribute_values", queryset=words, to_attr="thankyou_words")):
        said = ", ".join(f"{value.attribute.name}: {value.value_as_text}" for value in variant.thankyou_words)
        found[str(variant.parent_id), str(variant.pk)] = str(variant.title or said or variant.upc or "")
    return {key: found[key] for key in keys if found.get(key)}


def with_parents(*, refs: Iterable[str]) -> set[str]:
    """Return these references, and those of the products of which they are variants. One query."""
    refs = set(refs)
    keys = {key for ref in refs if (key := parse_ref(ref)) is not None}
    parents = OscarProduct.objects.filter(pk__in=keys).exclude(parent=None).values_list("parent_id", flat=True)
    return refs | {str(parent) for parent in parents}


def url_of(product: Any) -> str:
    """Return the product's address, or "" if it has left the catalogue or is hidden."""
    return product.get_absolute_url() if product is not None and product.is_public else ""


def image_of(product: Any) -> tuple[str, str]:
    """Return the address and the alternative text of the product's primary image, or two empty strings.

    The original is named, not a thumbnail: making one may fail and costs queries for every image.
    """
    image = None if product is None else product.primary_image()
    # Oscar answers with a dict in place of a missing image.
    if image is None or isinstance(image, dict) or not image.original:
        return "", ""
    return image.original.url, image.caption or product.get_title()


def category_refs(product: Any) -> tuple[str, ...]:
    """Return the references of the product's categories; a variant has those of its parent."""
    if product is None:
        return ()
    owner = product.parent if product.is_child else product
    return tuple(str(category.pk) for category in owner.categories.all())


def _product(product: Any, strategy: Any) -> Product:
    info = strategy.fetch_for_parent(product) if product.is_parent else strategy.fetch_for_product(product)
    image_url, image_alt = image_of(product)
    price = None
    if info.price.exists:
        # A shop that learns the tax at the checkout shows prices without it.
        amount = info.price.incl_tax if info.price.is_tax_known else info.price.excl_tax
        price = Money(amount, info.price.currency)
    left = getattr(info.availability, "num_available", None)
    return Product(
        ref=str(product.pk),
        title=product.get_title(),
        url=url_of(product),
        price=price,
        image_url=image_url,
        image_alt=image_alt,
        available=bool(info.availability.is_available_to_buy),
        max_quantity=left,
        category_refs=category_refs(product),
        left=left,
        # Most variants have no title: what else they are called, ``name_variants`` knows.
        choices={str(child.pk): str(child.title or "") for child in product._prefetched_public_children},
    )


def _title_in_list(product: Any) -> str:
    title = str(product.get_title())
    return f"{title} ({product.upc})" if product.is_child and product.upc else title

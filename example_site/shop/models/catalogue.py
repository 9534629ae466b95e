"""What the shop sells: categories and products with price, stock and delivery time."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.functional import cached_property
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

#: From this stock on the product page stops saying how many are left.
LOW_STOCK = 5
#: Most pieces of one product in one order, whatever the stock.
MAX_PER_ORDER = 20
#: Longest name of a choice, and so its reference.
CHOICE_LENGTH = 60


class Category(models.Model):
    """A shelf of the shop."""

    slug = models.SlugField(_("reference"), unique=True)
    title = models.CharField(_("title"), max_length=80)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["position", "title"]

    def __str__(self) -> str:
        return self.title

    @cached_property
    def url(self) -> str:
        """Address of the category's page; empty while it has no published one."""
        return live_url(self)


class ProductQuerySet(models.QuerySet["Product"]):
    """Adjectives of products."""

    def for_sale(self) -> ProductQuerySet:
        """Leave out what was taken off the shelf; sold-out products stay."""
        return self.filter(is_for_sale=True)

    def with_pages(self) -> ProductQuerySet:
        """Load page, picture and category in the same query."""
        return self.select_related("category", "page__image")


class Product(models.Model):
    """Something to buy. What is written about it, and its picture, are on its Wagtail page."""

    sku = models.CharField(_("article number"), max_length=40, unique=True)
    title = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("short name for addresses"), unique=True)
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, related_name="products", verbose_name=_("category")
    )
    summary = models.CharField(_("one line about it"), max_length=200, blank=True)
    price = MoneyField(_("price"), max_digits=9, decimal_places=2, default_currency="EUR")
    stock = models.PositiveIntegerField(_("pieces in stock"), default=0)
    delivery_days_min = models.PositiveSmallIntegerField(_("delivery takes at least (days)"), default=2)
    delivery_days_max = models.PositiveSmallIntegerField(_("delivery takes at most (days)"), default=4)
    is_for_sale = models.BooleanField(_("for sale"), default=True)
    choices_text = models.TextField(
        _("choices"),
        blank=True,
        max_length=1000,
        help_text=_(
            "What it comes in, one in a line, all at the same price: “Loose leaf”, “In bags”. Leave it empty if there is "
            "nothing to choose. Whoever has a renamed choice in the cart is asked to choose again."
        ),
    )

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["category", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(price__gte=0), name="shop_product_price_not_negative"),
            models.CheckConstraint(
                condition=models.Q(delivery_days_min__lte=models.F("delivery_days_max")),
                name="shop_product_delivery_days_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it, and note its price if that is a new one."""
        from ..prices import record_price

        fields = kwargs.get("update_fields")
        with transaction.atomic():
            super().save(*args, **kwargs)
            if fields is None or "price" in fields:
                record_price(product=self)

    def clean(self) -> None:
        """Each choice needs a reference of its own, which is made of its name."""
        titles = self._choice_titles
        refs = [slugify(title, allow_unicode=True) for title in titles]
        if not all(refs) or len(set(refs)) < len(refs) or any(len(title) > CHOICE_LENGTH for title in titles):
            text = _("Give every choice a name of its own, with letters or digits, of %(limit)s characters at most.")
            raise ValidationError({"choices_text": ValidationError(text, params={"limit": CHOICE_LENGTH})})

    @property
    def choices(self) -> dict[str, str]:
        """What it comes in, titles by reference; empty if there is nothing to choose."""
        return {slugify(title, allow_unicode=True): title for title in self._choice_titles}

    @property
    def _choice_titles(self) -> list[str]:
        return [title for line in self.choices_text.splitlines() if (title := line.strip())]

    @cached_property
    def url(self) -> str:
        """Address of the product's page; empty while it has no published one."""
        return live_url(self)

    @property
    def image_url(self) -> str:
        """Address of the picture, without a query: a drawing as it is, a photograph through Wagtail's image view."""
        page = getattr(self, "page", None)
        return page.image_url if page else ""

    @property
    def image_alt(self) -> str:
        page = getattr(self, "page", None)
        return page.image_alt if page else ""

    @property
    def is_available(self) -> bool:
        """Whether at least one piece can be bought now."""
        return self.is_for_sale and self.stock > 0

    @property
    def is_low(self) -> bool:
        """Whether the page should say how many are left: the true number, or nothing (CD-5)."""
        return 0 < self.stock <= LOW_STOCK

    @property
    def max_quantity(self) -> int:
        """How many pieces one order may have."""
        return min(self.stock, MAX_PER_ORDER)


def live_url(thing: Category | Product) -> str:
    """Return the address of the live Wagtail page of a category or product, or an empty string."""
    page = getattr(thing, "page", None)
    return (page.get_url() or "") if page is not None and page.live else ""

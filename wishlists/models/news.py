"""What the catalogue said last of each saved product, what has happened since, and who was told."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..fields import PriceField
from ..lines import MAX_REF_LENGTH
from .lists import ListItem


class ProductWatch(models.Model):
    """A saved product as the catalogue had it when it was last looked at."""

    product_ref = models.CharField(_("product"), max_length=MAX_REF_LENGTH, unique=True)
    price = PriceField(_("price"))
    available = models.BooleanField(_("available"), default=True)
    #: Pieces left, where the shop says so.
    left = models.PositiveIntegerField(_("pieces left"), null=True, blank=True)
    checked_at = models.DateTimeField(_("looked at"), default=timezone.now)

    class Meta:
        verbose_name = _("watched product")
        verbose_name_plural = _("watched products")
        default_permissions: ClassVar = []

    def __str__(self) -> str:
        return self.product_ref


class CatalogEvent(models.Model):
    """Something happened to a saved product."""

    class Kind(models.TextChoices):
        PRICE_DROP = "price_drop", _("Price drop")
        BACK_IN_STOCK = "back_in_stock", _("Back in stock")
        SELLING_OUT = "selling_out", _("About to sell out")

    kind = models.CharField(_("what"), max_length=14, choices=Kind)
    product_ref = models.CharField(_("product"), max_length=MAX_REF_LENGTH, db_index=True)
    title = models.CharField(_("title"), max_length=200, blank=True)
    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)
    price = PriceField(_("price"))
    price_before = PriceField(_("price before"))
    #: The lowest price of the 30 days before, which a reduction is compared with (Dir. 98/6/EC art. 6a), where known.
    lowest_price = PriceField(_("lowest price of 30 days"))
    left = models.PositiveIntegerField(_("pieces left"), null=True, blank=True)
    #: When the signal was sent; empty while it was not.
    told_at = models.DateTimeField(_("told"), null=True, blank=True)

    class Meta:
        verbose_name = _("news from the catalogue")
        verbose_name_plural = _("news from the catalogue")
        ordering: ClassVar = ["pk"]
        default_permissions: ClassVar = []
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=models.Q(told_at=None), name="thankyou_wishlists_untold"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.title or self.product_ref}"


class ItemNews(models.Model):
    """That an event concerned a saved item. The row is the proof that it is told once at most."""

    item = models.ForeignKey(ListItem, models.CASCADE, related_name="news", verbose_name=_("item"))
    event = models.ForeignKey(CatalogEvent, models.CASCADE, related_name="items", verbose_name=_("what"))

    class Meta:
        verbose_name = _("news of an item")
        verbose_name_plural = _("news of items")
        default_permissions: ClassVar = []
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "event"], name="thankyou_wishlists_told_once"),
        ]

    def __str__(self) -> str:
        return str(self.event_id)

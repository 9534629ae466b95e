"""What products have cost, and from when until when."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from .catalogue import Product


class PriceRecord(models.Model):
    """One price of a product and its time. Written by ``prices.record_price`` whenever a product is saved at another one."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="prices", verbose_name=_("product"))
    price = MoneyField(_("price"), max_digits=9, decimal_places=2, default_currency="EUR")
    since = models.DateTimeField(_("from"), default=timezone.now)
    #: Empty: it is today's price.
    until = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("price of a product")
        verbose_name_plural = _("prices of products")
        ordering = ["product", "since"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["product"], condition=models.Q(until=None), name="shop_pricerecord_one_price_today"
            ),
            models.CheckConstraint(
                condition=models.Q(until=None) | models.Q(until__gte=models.F("since")),
                name="shop_pricerecord_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.price}"

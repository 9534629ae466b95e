"""What somebody with the link to a wish list has said they are getting."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..lines import MAX_REF_LENGTH
from .keys import KEY_LENGTH, make_key
from .lists import ProductList


class GiftMark(models.Model):
    """ "I am getting this": so many pieces of a product. Who said it is known to the giver's own browser only, by the key.

    It names the product and not the item, so that it outlives an item that the owner takes off the list.
    """

    list = models.ForeignKey(ProductList, models.CASCADE, related_name="gifts", verbose_name=_("list"))
    key = models.CharField(_("key"), max_length=KEY_LENGTH, unique=True, default=make_key, editable=False)
    product_ref = models.CharField(_("product"), max_length=MAX_REF_LENGTH)
    options = models.CharField(_("options"), max_length=MAX_REF_LENGTH, blank=True)
    title = models.CharField(_("title"), max_length=200, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    at = models.DateTimeField(_("marked"), default=timezone.now)

    class Meta:
        verbose_name = _("gift mark")
        verbose_name_plural = _("gift marks")
        ordering: ClassVar = ["pk"]
        default_permissions: ClassVar = []
        indexes: ClassVar = [models.Index(fields=["list", "product_ref", "options"], name="thankyou_wishlists_gifts")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(quantity__gte=1), name="thankyou_wishlists_gift_quantity"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title or self.product_ref}"

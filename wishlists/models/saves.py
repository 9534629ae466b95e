"""What was saved and what was bought, for the shop's report."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..lines import MAX_REF_LENGTH


class Save(models.Model):
    """That an account saved a product (for later or on a wish list), once, and whether it bought it afterwards.

    The report counts these rows and shows no account. Guests' lists are in their browsers and leave none. They go with
    the account, and after STATISTICS_DAYS.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("account"))
    product_ref = models.CharField(_("product"), max_length=MAX_REF_LENGTH)
    title = models.CharField(_("title"), max_length=200, blank=True)
    saved_at = models.DateTimeField(_("saved"), default=timezone.now, db_index=True)
    bought_at = models.DateTimeField(_("bought"), null=True, blank=True)

    class Meta:
        verbose_name = _("saved product")
        verbose_name_plural = _("saved products")
        ordering: ClassVar = ["pk"]
        default_permissions: ClassVar = ["view"]
        permissions: ClassVar = [("export_save", _("Can export the report on saved products"))]
        indexes: ClassVar = [models.Index(fields=["product_ref", "bought_at"], name="thankyou_wishlists_saves")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "product_ref"], name="thankyou_wishlists_saved_once"),
            models.CheckConstraint(
                condition=Q(bought_at=None) | Q(bought_at__gte=models.F("saved_at")),
                name="thankyou_wishlists_bought_after_saved",
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.product_ref

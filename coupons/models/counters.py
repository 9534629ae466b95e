"""How often a whole campaign, or one customer in it, has used coupons: the rows that its limits are decided on."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .campaigns import Campaign


class UsageCounter(models.Model):
    """Uses taken under a limit of a campaign: by one customer, or by all of them (``customer_key`` is empty).

    It exists only where the campaign has such a limit, and changes by guarded updates only. ``allowed`` is the limit
    as it was when the last use was taken: a limit that was lowered later breaks nothing that is out already.
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="counters", verbose_name=_("campaign"))
    customer_key = models.CharField(_("customer"), max_length=100, blank=True, default="", db_index=True)
    used = models.PositiveIntegerField(_("uses taken"), default=0)
    allowed = models.PositiveIntegerField(_("uses allowed"), default=0)

    class Meta:
        verbose_name = _("usage counter")
        verbose_name_plural = _("usage counters")
        ordering: ClassVar = ["campaign", "customer_key"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(name="thankyou_coupons_one_counter", fields=["campaign", "customer_key"]),
            models.CheckConstraint(
                name="thankyou_coupons_counter_used", condition=Q(used__gte=0, used__lte=F("allowed"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.used}/{self.allowed}"

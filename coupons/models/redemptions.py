"""One use of one coupon by one order."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..fields import AmountField
from .coupons import Coupon


class RedemptionQuerySet(models.QuerySet["Redemption"]):
    """Adjectives of redemptions."""

    def reserved(self) -> RedemptionQuerySet:
        """Uses that a checkout holds before payment."""
        return self.filter(state=Redemption.State.RESERVED)

    def redeemed(self) -> RedemptionQuerySet:
        """Uses for good."""
        return self.filter(state=Redemption.State.REDEEMED)

    def live(self) -> RedemptionQuerySet:
        """Uses that are taken: reserved or redeemed."""
        return self.filter(state__in=[Redemption.State.RESERVED, Redemption.State.REDEEMED])

    def run_out(self, *, now: datetime) -> RedemptionQuerySet:
        """Reservations whose time is over and whose use can be given back."""
        return self.filter(state=Redemption.State.RESERVED, expires_at__lte=now)


class Redemption(models.Model):
    """One use of one coupon by one order: reserved, then redeemed or released."""

    class State(models.TextChoices):
        RESERVED = "reserved", _("Reserved")
        REDEEMED = "redeemed", _("Redeemed")
        RELEASED = "released", _("Given back")

    coupon = models.ForeignKey(Coupon, models.PROTECT, related_name="redemptions", verbose_name=_("coupon"))
    order_ref = models.CharField(_("order"), max_length=100, db_index=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RESERVED)
    customer_key = models.CharField(_("customer"), max_length=100, blank=True, db_index=True)
    discount = AmountField(_("off the goods"), blank=True)
    shipping_discount = AmountField(_("off the shipping"), blank=True)
    reserved_at = models.DateTimeField(_("reserved"), default=timezone.now)
    expires_at = models.DateTimeField(_("reserved until"))
    redeemed_at = models.DateTimeField(_("redeemed"), null=True, blank=True)
    released_at = models.DateTimeField(_("given back"), null=True, blank=True)
    #: Given back because its time ran out, not by the shop: a late payment takes the use again (CO-2).
    expired = models.BooleanField(_("ran out"), default=False)
    #: A paid order that came when a limit was reached: the coupon's own, its campaign's or the customer's (CO-2).
    over_limit = models.BooleanField(_("over the limit"), default=False)

    #: What this use is counted in: ``Coupon.used``, and the counters of its campaign. Giving it back corrects just
    #: these. A use over a limit is not counted under that limit.
    counts_coupon = models.BooleanField(default=True)
    counts_total = models.BooleanField(default=False)
    counts_customer = models.BooleanField(default=False)

    objects = RedemptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        ordering: ClassVar = ["-pk"]
        default_permissions = ("view",)
        indexes: ClassVar = [models.Index(fields=["state", "expires_at"], name="thankyou_coupons_run_out")]
        constraints: ClassVar = [
            models.UniqueConstraint(name="thankyou_coupons_once_per_order", fields=["coupon", "order_ref"]),
            models.CheckConstraint(
                name="thankyou_coupons_over_limit", condition=Q(over_limit=False) | Q(state="redeemed")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_ref}: {self.get_state_display()}"

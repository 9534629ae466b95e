"""What happened to a coupon, step by step: rows are added, and never changed (CO-11)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .coupons import Coupon


class CouponEventQuerySet(models.QuerySet["CouponEvent"]):
    """Rows to read, and to add. They go with their coupon, which Django's own cascade sees to."""

    def update(self, **kwargs: Any) -> int:
        """Raise ``TypeError``: events are never changed."""
        raise TypeError("Events are added, never changed.")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Raise ``TypeError``: events go only with their coupon."""
        raise TypeError("Events are never deleted by themselves.")


class CouponEvent(models.Model):
    """One step in the life of a coupon: what, when, by whom, for which order (CO-11, ASVS 16.3.3).

    ``actor`` says who did it in words for logs: ``"shop"`` (the checkout), ``"customer"``, ``"user 7"`` (a member of
    staff, by primary key), ``"system"``. Coupons that were made in bulk have no "issued" row each: their batch says
    it.
    """

    class Kind(models.TextChoices):
        ISSUED = "issued", _("Given out")
        UNLOCKED = "unlocked", pgettext_lazy("coupon", "Unlocked")
        DECLINED = "declined", _("Questions declined")
        EXTENDED = "extended", _("More time given")
        RESERVED = "reserved", _("Reserved")
        REDEEMED = "redeemed", pgettext_lazy("coupon", "Used")
        RELEASED = "released", _("Reservation given back")
        RAN_OUT = "ran_out", _("Reservation ran out")
        RESTORED = "restored", _("Use given back after the order was cancelled or refunded")
        REVOKED = "revoked", _("Revoked")
        MERGED = "merged", _("Moved to an account")
        CHANGED = "changed", _("Changed by hand")

    coupon = models.ForeignKey(Coupon, models.CASCADE, related_name="events", verbose_name=_("coupon"))
    kind = models.CharField(_("what happened"), max_length=10, choices=Kind)
    at = models.DateTimeField(_("when"), default=timezone.now)
    actor = models.CharField(_("by whom"), max_length=150, blank=True)
    order_ref = models.CharField(_("order"), max_length=100, blank=True)
    #: More facts, such as ``{"over_limit": ["total_limit"]}`` or ``{"reason": "refunded"}``. No personal data.
    detail = models.JSONField(_("details"), default=dict, blank=True)

    objects = CouponEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("coupon event")
        verbose_name_plural = _("coupon events")
        ordering: ClassVar = ["-pk"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: {self.get_kind_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row. Raises ``TypeError`` for one that is there already."""
        if not self._state.adding:
            raise TypeError("Events are added, never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Raise ``TypeError``: events go only with their coupon."""
        raise TypeError("Events are never deleted by themselves.")

"""The local projection of the shop's orders: just what rules and counts need, and nothing personal."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from coupons.fields import AmountField

from ..values import Objection, OrderState


class OrderRecordQuerySet(models.QuerySet["OrderRecord"]):
    def of_customer(self, customer_key: str) -> OrderRecordQuerySet:
        """The orders of one customer; none at all for an unknown one (TY-3)."""
        return self.filter(customer_key=customer_key) if customer_key else self.none()

    def counting(self) -> OrderRecordQuerySet:
        """Orders that made somebody a customer: all but those that came to nothing."""
        return self.exclude(state__in=[OrderState.CANCELLED, OrderState.REFUNDED])


class OrderRecord(models.Model):
    """One order that the shop reported. Written once per number; afterwards only the state moves."""

    number = models.CharField(_("number"), max_length=64, unique=True)
    state = models.CharField(_("state"), max_length=16, choices=OrderState.choices)
    total = AmountField(_("total"))
    #: Keyed hash of the normalised e-mail address (see ``coupons.holders.customer_key``); empty if there was none.
    customer_key = models.CharField(_("customer key"), max_length=80, blank=True, db_index=True)
    language = models.CharField(_("language"), max_length=16, blank=True)
    #: Whether the customer could object to follow-ups when ordering, and did (EM-11). Never improved afterwards.
    objection = models.CharField(
        _("objection to follow-ups"), max_length=12, choices=Objection, default=Objection.NOT_OFFERED
    )
    placed_at = models.DateTimeField(_("placed at"), db_index=True)
    recorded_at = models.DateTimeField(_("recorded at"), auto_now_add=True)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    objects = OrderRecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-placed_at", "-pk"]

    def __str__(self) -> str:
        return self.number


class OrderRecordLine(models.Model):
    """One line of a recorded order."""

    order = models.ForeignKey(OrderRecord, on_delete=models.CASCADE, related_name="lines", verbose_name=_("order"))
    product_ref = models.CharField(_("product"), max_length=128, db_index=True)
    title = models.CharField(_("title"), max_length=255, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"))
    total = AmountField(_("total"))

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title or self.product_ref}"

"""What was ordered: orders with their lines, and the attempts to pay for them."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField
from djmoney.models.fields import MoneyField

from thankyou_flows.values import Objection, OrderState

from ..countries import ShippingCountries
from ..payment_methods import PaymentMethod
from ..shipping import ShippingMethod
from .catalogue import CHOICE_LENGTH


class OrderQuerySet(models.QuerySet["Order"]):
    """Adjectives of orders."""

    def for_user(self, user: object) -> OrderQuerySet:
        """The orders of an account. Nobody's orders belong to nobody, never to the visitor without one (TY-3)."""
        pk = getattr(user, "pk", None)
        return self.none() if pk is None else self.filter(user_id=pk)

    def left_unpaid(self) -> OrderQuerySet:
        """Orders left at the payment page. One that waits for a bank transfer is not left: its money is on the way."""
        return self.filter(state=OrderState.PLACED).exclude(payment_method=PaymentMethod.BANK)


class Order(models.Model):
    """An order as it was placed: every amount is stored, none is worked out again later."""

    number = models.CharField(_("order number"), max_length=20, unique=True)
    state = models.CharField(_("state"), max_length=12, choices=OrderState, default=OrderState.PLACED, db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="shop_orders",
        verbose_name=_("customer account"),
    )

    email = models.EmailField(_("e-mail"))
    #: Recognises the customer's other orders, however the address was written (``coupons.holders``).
    customer_key = models.CharField(max_length=80, blank=True, editable=False, db_index=True)
    name = models.CharField(_("name"), max_length=120)
    street = models.CharField(_("street and number"), max_length=160)
    street_extra = models.CharField(_("apartment, floor, company"), max_length=160, blank=True)
    postcode = models.CharField(_("postcode"), max_length=16)
    city = models.CharField(_("city"), max_length=80)
    country = CountryField(_("country"), countries=ShippingCountries)
    phone = models.CharField(_("phone"), max_length=40, blank=True)

    shipping_method = models.CharField(_("shipping method"), max_length=20, choices=ShippingMethod)
    payment_method = models.CharField(_("payment method"), max_length=20, choices=PaymentMethod)
    subtotal = MoneyField(_("goods"), max_digits=9, decimal_places=2, default_currency="EUR")
    discount = MoneyField(_("discount"), max_digits=9, decimal_places=2, default_currency="EUR", default=0)
    shipping = MoneyField(_("shipping"), max_digits=9, decimal_places=2, default_currency="EUR")
    total = MoneyField(_("total"), max_digits=9, decimal_places=2, default_currency="EUR")
    coupon_codes = models.JSONField(_("coupon codes"), default=list, blank=True)
    delivery_from = models.DateField(_("expected from"), null=True, blank=True)
    delivery_until = models.DateField(_("expected until"), null=True, blank=True)

    language = models.CharField(_("language"), max_length=12, blank=True)
    #: Every checkout of this shop offers to say no to follow-ups; this is what the customer said.
    objection = models.CharField(
        _("follow-ups"), max_length=12, choices=Objection, default=Objection.NOT_OFFERED, editable=False
    )
    #: Sent with the checkout form, so that a double click makes one order.
    checkout_token = models.UUIDField(unique=True, editable=False)
    placed_at = models.DateTimeField(_("placed"))
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("confirmation mail written"), null=True, blank=True, editable=False)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(subtotal__gte=0, discount__gte=0, shipping__gte=0, total__gte=0),
                name="shop_order_amounts_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def first_name(self) -> str:
        """What to call the customer in a greeting: the first word of the name given."""
        return self.name.split()[0] if self.name.split() else ""


class OrderLine(models.Model):
    """So many pieces of a product, with its name and price of that day."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", verbose_name=_("order"))
    product_ref = models.CharField(_("article number"), max_length=40, db_index=True)
    title = models.CharField(_("name"), max_length=120)
    #: Reference of the choice, if there was one, and what it was called that day.
    options = models.CharField(_("choice"), max_length=CHOICE_LENGTH, blank=True)
    option_title = models.CharField(_("name of the choice"), max_length=CHOICE_LENGTH, blank=True)
    category_ref = models.CharField(_("category"), max_length=50, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"))
    unit_price = MoneyField(_("price of one"), max_digits=9, decimal_places=2, default_currency="EUR")
    total = MoneyField(_("price of all"), max_digits=9, decimal_places=2, default_currency="EUR")

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "product_ref", "options"], name="shop_orderline_product_once"),
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="shop_orderline_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.full_title}"

    @property
    def full_title(self) -> str:
        """The name with what was chosen: "Rooibos Vanilla (In bags)"."""
        return f"{self.title} ({self.option_title})" if self.option_title else self.title


def make_reference() -> str:
    """Return a payment reference that cannot be guessed (128 random bits)."""
    return secrets.token_urlsafe(16)


class PaymentQuerySet(models.QuerySet["Payment"]):
    """Adjectives of payments."""

    def pending(self) -> PaymentQuerySet:
        return self.filter(state=Payment.State.PENDING)


class Payment(models.Model):
    """One attempt to pay for an order. The pretend provider knows it by its reference."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting for the provider")
        SUCCEEDED = "succeeded", _("Paid")
        FAILED = "failed", _("Failed")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="payments", verbose_name=_("order"))
    reference = models.CharField(_("reference"), max_length=40, unique=True, default=make_reference)
    method = models.CharField(_("payment method"), max_length=20, choices=PaymentMethod)
    amount = MoneyField(_("amount"), max_digits=9, decimal_places=2, default_currency="EUR")
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.PENDING, db_index=True)
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["-pk"]
        constraints = [
            # Two tabs that try again at once must not end in two payments.
            models.UniqueConstraint(
                fields=["order"], condition=models.Q(state="pending"), name="shop_payment_one_pending_per_order"
            ),
            models.UniqueConstraint(
                fields=["order"], condition=models.Q(state="succeeded"), name="shop_payment_one_success_per_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.get_state_display()}"

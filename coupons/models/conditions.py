"""For which orders the coupons of a campaign are: the columns. What they mean is in ``coupons.conditions``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..conditions import Conditions, Scope
from ..fields import AmountField

AT_LEAST_ONE: Final = _("Enter a whole number of 1 or more, or leave it empty.")


class CampaignConditions(models.Model):
    """The part of a campaign that says when, for what, for whom and how often its coupons may be used."""

    class Audience(models.TextChoices):
        EVERYBODY = "everybody", _("Everybody")
        FIRST = "first", _("Customers with their first order")
        RETURNING = "returning", _("Customers who ordered before")

    minimum_spend = AmountField(
        _("minimum spend"),
        blank=True,
        help_text=_("Of the goods it is for, before coupons. Leave empty for none. Example: 30 Euro"),
    )
    # References of the shop's own catalogue, which this app does not know.
    products_in = models.JSONField(_("only these products"), default=list, blank=True)
    products_out = models.JSONField(_("not these products"), default=list, blank=True)
    categories_in = models.JSONField(_("only these categories"), default=list, blank=True)
    categories_out = models.JSONField(_("not these categories"), default=list, blank=True)
    audience = models.CharField(_("for"), max_length=10, choices=Audience, default=Audience.EVERYBODY)
    countries = models.JSONField(
        _("only deliveries to"), default=list, blank=True, help_text=_("Choose none for all countries.")
    )
    currency = models.CharField(
        _("only orders in"), max_length=3, blank=True, help_text=_("A currency. Leave empty for all. Example: EUR")
    )
    combinable = models.BooleanField(
        _("may be used together with other coupons"),
        default=True,
        help_text=_("Two coupons of the same campaign can never be used for one order."),
    )
    total_limit = models.PositiveIntegerField(
        _("uses in all"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1, message=AT_LEAST_ONE)],
        help_text=_("By all customers together. Leave empty for no limit. Example: 500"),
    )
    limit_per_customer = models.PositiveIntegerField(
        _("uses per customer"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1, message=AT_LEAST_ONE)],
        help_text=_(
            "Guests count by their e-mail address; an order without one cannot use the coupon. "
            "Leave empty for no limit. Example: 1"
        ),
    )
    is_unlimited = models.BooleanField(
        _("yes, anybody may use the word as often as they like"),
        default=False,
        help_text=_("Only for a public word without any limit."),
    )
    #: IANA name of the zone in which the owner means the dates (CD-7). The columns hold the instants.
    zone = models.CharField(
        _("time zone of the dates"), max_length=64, default=timezone.get_default_timezone_name, blank=False
    )

    class Meta:
        abstract = True

    def local(self, moment: datetime) -> datetime:
        """Return a moment as the campaign's owner reads it: in the campaign's zone (CD-7); in UTC where the calendar of
        that zone has come to its end.
        """
        try:
            return moment.astimezone(self.tzinfo)
        except OverflowError:
            return moment.astimezone(UTC)

    @property
    def tzinfo(self) -> ZoneInfo:
        """The zone of the campaign's dates."""
        return ZoneInfo(self.zone)

    @property
    def scope(self) -> Scope:
        """Which lines of a basket its coupons are for."""
        return Scope(
            products_in=frozenset(self.products_in),
            products_out=frozenset(self.products_out),
            categories_in=frozenset(self.categories_in),
            categories_out=frozenset(self.categories_out),
        )

    @property
    def conditions(self) -> Conditions:
        """Which baskets its coupons are for."""
        return Conditions(
            scope=self.scope,
            minimum_spend=self.minimum_spend,
            audience=self.audience,
            countries=frozenset(self.countries),
            currency=self.currency,
            needs_customer=self.limit_per_customer is not None,
        )

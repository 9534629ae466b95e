"""Campaigns, coupons and redemptions: the facts. What happens to them is in ``issuing``, ``redemption`` and
``deadlines``.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_percent
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from . import codes
from .arithmetic import Benefit, minor_unit
from .conf import app_settings
from .fields import AmountField

#: A personal deadline up to this long can be extended by its holder; WCAG 2.2.1 leaves out time limits of more than
#: 20 hours (AX-2).
LONGEST_EXTENDABLE_MINUTES: Final = 20 * 60

#: A longer personal deadline is a typing error; without a limit the date it leads to may not exist.
LONGEST_DEADLINE_MINUTES: Final = 365 * 24 * 60


def _locale() -> Locale:
    try:
        return Locale.parse(get_language() or settings.LANGUAGE_CODE, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


class CampaignQuerySet(models.QuerySet["Campaign"]):
    """Adjectives of campaigns."""

    def running(self, *, now: datetime, grace: timedelta = timedelta(0)) -> CampaignQuerySet:
        """Campaigns that are switched on and inside their dates; ``grace`` is added to the end (CD-2)."""
        return self.filter(
            Q(starts_at=None) | Q(starts_at__lte=now),
            Q(ends_at=None) | Q(ends_at__gt=now - grace),
            status=Campaign.Status.RUNNING,
        )


class Campaign(models.Model):
    """The rule behind coupons: what they promise, when they can be used, and how often."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        ENDED = "ended", _("Ended")

    class Benefit(models.TextChoices):
        PERCENT = "percent", _("Percent off the goods")
        AMOUNT = "amount", _("Amount off the goods")
        FREE_SHIPPING = "free_shipping", _("Free shipping")

    title = models.CharField(
        _("name"), max_length=120, help_text=_("Only you and your colleagues see it. Example: Thank-you offer, summer")
    )
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=Status,
        default=Status.DRAFT,
        help_text=_("Coupons are given out and accepted only while a campaign is running. Pausing stops both at once."),
    )
    benefit = models.CharField(
        _("what the customer gets"), max_length=15, choices=Benefit, default=Benefit.FREE_SHIPPING
    )
    percent = models.DecimalField(
        _("percent"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("For “percent off”: more than 0, at most 100. Example: 10"),
    )
    amount = AmountField(
        _("amount"),
        blank=True,
        help_text=_("For “amount off”: taken off the goods, never below zero. Example: 5 Euro"),
    )
    starts_at = models.DateTimeField(
        _("from"), null=True, blank=True, help_text=_("Leave empty to begin at once. Example: 2026-05-01 08:00")
    )
    ends_at = models.DateTimeField(
        _("until"),
        null=True,
        blank=True,
        help_text=_("No coupon of this campaign is valid after it. Leave empty for no end. Example: 2026-05-31 23:59"),
    )
    deadline_minutes = models.PositiveIntegerField(
        _("personal deadline in minutes"),
        null=True,
        blank=True,
        validators=[
            MinValueValidator(1, message=_("Enter at least 1 minute, or leave it empty.")),
            MaxValueValidator(
                LONGEST_DEADLINE_MINUTES, message=_("Enter at most %(limit_value)s minutes, which is one year.")
            ),
        ],
        help_text=_(
            "How long each customer has, counted from the moment of getting the coupon. Example: 60 for one hour. "
            "Up to 20 hours (1200), customers can always ask for more time. Leave empty for no personal deadline."
        ),
    )
    uses_per_coupon = models.PositiveIntegerField(
        _("uses per coupon"),
        default=1,
        validators=[MinValueValidator(1)],
        help_text=_("How many orders may use the same code. Example: 1"),
    )
    personal = models.BooleanField(
        _("only for the customer who got it"),
        default=False,
        help_text=_("Otherwise whoever has the code can use it, for example a friend."),
    )
    terms = models.TextField(
        _("conditions for the customer"),
        blank=True,
        max_length=500,
        help_text=_("One short sentence beside the coupon. Example: For deliveries within Germany, once per customer."),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = CampaignQuerySet.as_manager()

    #: What ``clean`` leaves alone: fields that have their message already, or that are not on the form.
    _settled_fields: frozenset[str] = frozenset()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="thankyou_coupons_campaign_percent",
                condition=~Q(benefit="percent") | Q(percent__gt=0, percent__lte=100),
            ),
            models.CheckConstraint(
                name="thankyou_coupons_campaign_amount", condition=~Q(benefit="amount") | Q(amount__gt=0)
            ),
            models.CheckConstraint(name="thankyou_coupons_campaign_uses", condition=Q(uses_per_coupon__gte=1)),
        ]

    def __str__(self) -> str:
        return self.title

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Check each field by itself, and remember for ``clean`` which of them failed here or in the form."""
        self._settled_fields = frozenset(exclude or ())
        try:
            super().clean_fields(exclude=exclude)
        except ValidationError as error:
            self._settled_fields |= frozenset(error.error_dict)
            raise

    def clean(self) -> None:
        """Say beside the field what is missing for the chosen benefit, and refuse to change a promise that is already
        out. A field that failed by itself gets no second message.
        """
        super().clean()
        settled, self._settled_fields = self._settled_fields, frozenset()
        errors = self._find_errors(settled)
        if not errors and settled.isdisjoint({"benefit", "percent", "amount"}) and self._breaks_a_promise():
            errors["benefit"] = gettext(
                "Coupons of this campaign are already out, and what they promise cannot change. "
                "End this campaign and make a new one."
            )
        if errors:
            raise ValidationError(errors)

    def _find_errors(self, settled: frozenset[str]) -> dict[str, Any]:
        errors: dict[str, Any] = {}
        benefit = None if "benefit" in settled else self.benefit
        if benefit == self.Benefit.PERCENT and (self.percent is None or not 0 < self.percent <= 100):
            errors["percent"] = gettext("Enter a percentage above 0 and up to 100, for example 10.")
        if benefit == self.Benefit.AMOUNT and "amount" not in settled:
            if self.amount is None or self.amount.amount <= 0:
                errors["amount"] = gettext("Enter the amount that is taken off, for example 5.")
            elif self.amount.amount % minor_unit(self.amount.currency.code):
                errors["amount"] = gettext("This amount is finer than the smallest coin of its currency.")
        if self.starts_at and self.ends_at and "starts_at" not in settled and self.ends_at <= self.starts_at:
            errors["ends_at"] = gettext("The end must be after the beginning.")
        return {name: message for name, message in errors.items() if name not in settled}

    def _breaks_a_promise(self) -> bool:
        before = type(self).objects.filter(pk=self.pk).first() if self.pk else None
        return before is not None and before._promise != self._promise and self.coupons.exists()

    @property
    def _promise(self) -> tuple[object, ...]:
        values = {self.Benefit.PERCENT: self.percent, self.Benefit.AMOUNT: self.amount}
        return self.benefit, values.get(self.Benefit(self.benefit))

    @property
    def headline(self) -> str:
        """What it gives, in the customer's words and language: "Free shipping", "10% off", "€5.00 off"."""
        if self.benefit == self.Benefit.PERCENT and self.percent is not None:
            percent = format_percent(self.percent / 100, locale=_locale(), decimal_quantization=False)
            return gettext("%(value)s off") % {"value": percent}
        if self.benefit == self.Benefit.AMOUNT and self.amount is not None:
            money = format_currency(self.amount.amount, self.amount.currency.code, locale=_locale())
            return gettext("%(value)s off") % {"value": money}
        return gettext("Free shipping")

    @property
    def status_label(self) -> str:
        """The status as it is now: one that is switched on does nothing before its beginning and after its end."""
        now = timezone.now()
        if self.status == self.Status.RUNNING and self.ends_at is not None and self.ends_at <= now:
            return gettext("Running (over)")
        if self.status == self.Status.RUNNING and self.starts_at is not None and self.starts_at > now:
            return gettext("Running (not begun yet)")
        return self.get_status_display()

    def is_running(self, now: datetime | None = None, *, grace: timedelta = timedelta(0)) -> bool:
        """Whether it is switched on and inside its dates; the same rule as ``CampaignQuerySet.running``."""
        now = now or timezone.now()
        return (
            self.status == self.Status.RUNNING
            and (self.starts_at is None or self.starts_at <= now)
            and (self.ends_at is None or self.ends_at > now - grace)
        )


class Coupon(models.Model):
    """One issued code. ``used`` counts the live redemptions that are within the limit; it changes by guarded updates
    only.
    """

    class State(models.TextChoices):
        AVAILABLE = "available", pgettext_lazy("coupon", "Available")
        LOCKED = "locked", _("Locked")
        REVOKED = "revoked", _("Revoked")

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="coupons", verbose_name=_("campaign"))
    code = models.CharField(_("code"), max_length=codes.LENGTH, unique=True, default=codes.generate)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.AVAILABLE)
    #: Whom it belongs to: a customer key, or any other text of whoever issued it.
    holder_key = models.CharField(_("holder"), max_length=100, blank=True, db_index=True)
    # Null is needed: any number of coupons may be issued without a key, and NULLs do not collide.
    issue_key = models.CharField(_("issue key"), max_length=200, unique=True, null=True, blank=True)  # noqa: DJ001
    usage_limit = models.PositiveIntegerField(_("uses allowed"), default=1)
    used = models.PositiveIntegerField(_("uses taken"), default=0)
    issued_at = models.DateTimeField(_("issued"), default=timezone.now)
    ends_at = models.DateTimeField(_("valid until"), null=True, blank=True)
    #: Copied from the campaign when issued, so that a later change of the campaign breaks no promise.
    deadline_minutes = models.PositiveIntegerField(_("personal deadline in minutes"), null=True, blank=True)
    extensions = models.PositiveSmallIntegerField(_("extensions"), default=0)

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        ordering: ClassVar = ["-pk"]
        # Nobody makes or changes coupons by hand.
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.CheckConstraint(
                name="thankyou_coupons_coupon_used", condition=Q(used__gte=0, used__lte=F("usage_limit"))
            ),
        ]

    def __str__(self) -> str:
        return codes.masked(self.code)

    @property
    def display_code(self) -> str:
        """The code as it is shown and printed."""
        return codes.display(self.code)

    @property
    def valid_until(self) -> datetime | None:
        """The end to show: the coupon's own or the campaign's, whichever is earlier; ``None`` for no end."""
        ends = [end for end in (self.ends_at, self.campaign.ends_at) if end is not None]
        return min(ends, default=None)

    def is_over(self, now: datetime | None = None) -> bool:
        """Whether the displayed end has passed. The checkout is kinder by the grace (CD-2)."""
        end = self.valid_until
        return end is not None and end <= (now or timezone.now())

    def is_used_up(self) -> bool:
        """Whether all uses were taken when this row was read."""
        return self.used >= self.usage_limit

    def is_extendable(self, now: datetime | None = None) -> bool:
        """Whether the holder may ask for more time now: a deadline of 20 hours or less, not over, not extended too
        often (AX-2).
        """
        now = now or timezone.now()
        return (
            self.state != self.State.REVOKED
            and self.ends_at is not None
            and self.deadline_minutes is not None
            and self.deadline_minutes <= LONGEST_EXTENDABLE_MINUTES
            and self.extensions < app_settings.max_extensions
            and self.ends_at > now - app_settings.grace
            and (self.campaign.ends_at is None or self.ends_at < self.campaign.ends_at)
        )

    def as_benefit(self) -> Benefit:
        """What it promises, as a value for ``arithmetic``."""
        campaign = self.campaign
        return Benefit(
            code=self.code,
            title=campaign.headline,
            kind=campaign.benefit,
            percent=campaign.percent,
            amount=campaign.amount,
        )


class RedemptionQuerySet(models.QuerySet["Redemption"]):
    """Adjectives of redemptions."""

    def reserved(self) -> RedemptionQuerySet:
        """Uses that a checkout holds before payment."""
        return self.filter(state=Redemption.State.RESERVED)

    def redeemed(self) -> RedemptionQuerySet:
        """Uses for good."""
        return self.filter(state=Redemption.State.REDEEMED)

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
    #: A paid order that came when no use was left; it is not counted in ``Coupon.used`` (CO-2).
    over_limit = models.BooleanField(_("over the limit"), default=False)

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

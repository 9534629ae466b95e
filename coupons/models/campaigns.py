"""The rule behind coupons: what they promise, to whom, and when."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import ClassVar, Final

from babel.numbers import format_percent
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from modelcluster.models import ClusterableModel

from .. import codes
from ..fields import AmountField
from ..money import active_locale, money_text
from . import rules
from .conditions import CampaignConditions

#: A personal deadline up to this long can be extended by its holder; WCAG 2.2.1 leaves out time limits of more than
#: 20 hours (AX-2).
LONGEST_EXTENDABLE_MINUTES: Final = 20 * 60

#: A longer personal deadline is a typing error; without a limit the date it leads to may not exist.
LONGEST_DEADLINE_MINUTES: Final = 365 * 24 * 60


class CampaignQuerySet(models.QuerySet["Campaign"]):
    """Adjectives of campaigns."""

    def running(self, *, now: datetime, grace: timedelta = timedelta(0)) -> CampaignQuerySet:
        """Campaigns that are switched on and inside their dates; ``grace`` is added to the end (CD-2)."""
        return self.filter(
            Q(starts_at=None) | Q(starts_at__lte=now),
            Q(ends_at=None) | Q(ends_at__gt=now - grace),
            status=Campaign.Status.RUNNING,
        )


class Campaign(CampaignConditions, ClusterableModel):
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
        FREE_PRODUCT = "free_product", _("A product for free")

    class CodeType(models.TextChoices):
        SINGLE = "single", _("Single codes: each customer gets one of their own")
        WORD = "word", _("One public word for everybody")

    class GiveBack(models.TextChoices):
        NEVER = "never", _("Never: a use is used")
        CANCELLED = "cancelled", _("When the order is cancelled")
        REFUNDED = "refunded", _("When the order is cancelled or refunded")

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
    free_product_ref = models.CharField(
        _("free product"),
        max_length=255,
        blank=True,
        help_text=_("For “a product for free”: one piece of it costs nothing once it is in the basket."),
    )
    code_type = models.CharField(_("codes"), max_length=10, choices=CodeType, default=CodeType.SINGLE)
    word = models.CharField(
        _("the word"),
        max_length=codes.LONGEST_WORD,
        blank=True,
        help_text=_(
            "For a public word: 3 to 24 letters and digits. Anybody can guess or pass on a word, so set a limit below. "
            "Example: SPRING10"
        ),
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
        validators=[MinValueValidator(1, message=_("Enter a whole number of 1 or more."))],
        help_text=_("How many orders may use the same code. Example: 1"),
    )
    personal = models.BooleanField(
        _("only for the customer who got it"),
        default=False,
        help_text=_(
            "Otherwise whoever has the code can use it, for example a friend. A coupon that was given to nobody in "
            "particular, such as a printed one, stays for whoever has it."
        ),
    )
    give_back = models.CharField(
        _("the customer gets the use back"), max_length=10, choices=GiveBack, default=GiveBack.CANCELLED
    )
    ask_text = models.TextField(
        _("why it is worth telling you more"),
        blank=True,
        max_length=500,
        help_text=_(
            "One or two warm sentences above your questions. Example: Three short questions, and this coupon is yours."
        ),
    )
    marketing_text = models.CharField(
        _("box for the newsletter"),
        max_length=200,
        blank=True,
        help_text=_(
            "A box that is not ticked beforehand and does not decide about the coupon. Leave empty for none. "
            "Example: Send me your letter once a month. I can unsubscribe at any time."
        ),
    )
    offer_after_registration = models.BooleanField(
        _("offer it to everybody who registers"),
        default=False,
        help_text=_(
            "As the next step after somebody has opened an account in your shop. If several running campaigns are "
            "offered so, only the newest counts."
        ),
    )
    terms = models.TextField(
        _("conditions for the customer"),
        blank=True,
        max_length=500,
        help_text=_("One short sentence beside the coupon. Example: For deliveries within Germany, once per customer."),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = CampaignQuerySet.as_manager()

    #: Who saves it, for the audit trail (CO-11): a form sets ``events.actor_of(user)``.
    saved_by = "system"
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
            models.CheckConstraint(name="thankyou_coupons_campaign_word", condition=~Q(code_type="word") | ~Q(word="")),
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
        """Say beside the field what is missing or does not go together, and refuse to change a promise that is already
        out (see ``rules``). A field that failed by itself gets no second message.
        """
        super().clean()
        settled, self._settled_fields = self._settled_fields, frozenset()
        self.word, self.currency = self.word.strip().upper(), self.currency.strip().upper()
        errors = rules.find_errors(self, settled)
        before = type(self).objects.filter(pk=self.pk).first() if self.pk and not errors else None
        if before is not None:
            errors = rules.find_broken_promises(before, self, settled)
        if errors:
            raise ValidationError(errors)

    @property
    def headline(self) -> str:
        """What it gives, in the customer's words and language: "Free shipping", "10% off", "€5.00 off"."""
        if self.benefit == self.Benefit.PERCENT and self.percent is not None:
            percent = format_percent(self.percent / 100, locale=active_locale(), decimal_quantization=False)
            return gettext("%(value)s off") % {"value": percent}
        if self.benefit == self.Benefit.AMOUNT and self.amount is not None:
            return gettext("%(value)s off") % {"value": money_text(self.amount)}
        if self.benefit == self.Benefit.FREE_PRODUCT:
            return gettext("A product for free")
        return gettext("Free shipping")

    @property
    def asks(self) -> bool:
        """Whether its coupons are locked until questions are answered (CO-9)."""
        return self.pk is not None and self.questions.exists()

    @property
    def status_label(self) -> str:
        """The status as it is now: one that is switched on does nothing before its beginning and after its end, and
        nothing once its word was revoked. One query for a word, unless a list has annotated
        ``has_revoked_word``.
        """
        now = timezone.now()
        if self.status == self.Status.RUNNING and self.is_word_revoked:
            return gettext("Running (word revoked)")
        if self.status == self.Status.RUNNING and self.ends_at is not None and self.ends_at <= now:
            return gettext("Running (over)")
        if self.status == self.Status.RUNNING and self.starts_at is not None and self.starts_at > now:
            return gettext("Running (not begun yet)")
        return self.get_status_display()

    @property
    def is_word_revoked(self) -> bool:
        """Whether its public word was revoked, so that nobody can use it however it is called now."""
        if self.code_type != self.CodeType.WORD or self.pk is None:
            return False
        known: bool | None = getattr(self, "has_revoked_word", None)
        return self.coupons.filter(is_word=True, state="revoked").exists() if known is None else known

    def is_running(self, now: datetime | None = None, *, grace: timedelta = timedelta(0)) -> bool:
        """Whether it is switched on and inside its dates; the same rule as ``CampaignQuerySet.running``."""
        now = now or timezone.now()
        return (
            self.status == self.Status.RUNNING
            and (self.starts_at is None or self.starts_at <= now)
            and (self.ends_at is None or self.ends_at > now - grace)
        )

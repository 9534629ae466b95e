"""One issued code, or the public word of a campaign."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .. import codes
from ..arithmetic import Benefit
from ..conf import app_settings
from .batches import CouponBatch
from .campaigns import LONGEST_EXTENDABLE_MINUTES, Campaign


class CouponQuerySet(models.QuerySet["Coupon"]):
    """Adjectives of coupons."""

    def of(self, *holder_keys: str) -> CouponQuerySet:
        """Coupons of these holders; empty keys belong to nobody."""
        return self.filter(holder_key__in=[key for key in holder_keys if key])

    def available(self) -> CouponQuerySet:
        """Coupons that are neither locked nor revoked; their time may be over."""
        return self.filter(state=Coupon.State.AVAILABLE)


class Coupon(models.Model):
    """One issued code. ``used`` counts the live redemptions that are within the limit; it changes by guarded updates
    only.
    """

    class State(models.TextChoices):
        AVAILABLE = "available", pgettext_lazy("coupon", "Available")
        LOCKED = "locked", _("Locked")
        REVOKED = "revoked", _("Revoked")

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="coupons", verbose_name=_("campaign"))
    code = models.CharField(_("code"), max_length=codes.MAX_STORED, unique=True, default=codes.generate)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.AVAILABLE)
    #: Whom it belongs to: a customer key, or any other text of whoever issued it.
    holder_key = models.CharField(_("holder"), max_length=100, blank=True, db_index=True)
    # Null is needed: any number of coupons may be issued without a key, and NULLs do not collide.
    issue_key = models.CharField(_("issue key"), max_length=200, unique=True, null=True, blank=True)  # noqa: DJ001
    #: Null for a public word whose uses are counted for each customer only.
    usage_limit = models.PositiveIntegerField(_("uses allowed"), default=1, null=True, blank=True)
    used = models.PositiveIntegerField(_("uses taken"), default=0)
    issued_at = models.DateTimeField(_("issued"), default=timezone.now)
    ends_at = models.DateTimeField(_("valid until"), null=True, blank=True)
    #: Copied from the campaign when issued, so that a later change of the campaign breaks no promise.
    deadline_minutes = models.PositiveIntegerField(_("personal deadline in minutes"), null=True, blank=True)
    extensions = models.PositiveSmallIntegerField(_("extensions"), default=0)
    #: The public word of its campaign, which everybody may know (CO-8), and not a code of one customer's.
    is_word = models.BooleanField(_("public word"), default=False)
    batch = models.ForeignKey(
        CouponBatch, models.SET_NULL, null=True, blank=True, related_name="coupons", verbose_name=_("batch")
    )
    unlocked_at = models.DateTimeField(_("unlocked"), null=True, blank=True)
    #: The customer would rather not answer; the coupon stays locked, and a change of mind is welcome (CO-9).
    declined_at = models.DateTimeField(_("questions declined"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = CouponQuerySet.as_manager()

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        ordering: ClassVar = ["-pk"]
        # Nobody adds or changes rows in a form: these are the verbs (CM-4).
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("issue_coupon", _("Can give out coupons and make codes in bulk")),
            ("revoke_coupon", _("Can revoke coupons")),
            ("export_coupon", _("Can export and import codes")),
        ]
        indexes: ClassVar = [models.Index(fields=["campaign", "state"], name="thankyou_coupons_by_state")]
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
        return self.campaign.word if self.is_word else codes.display(self.code)

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
        """Whether all uses were taken when this row was read.

        The limit of a word is never stored below what is used; if the owner has lowered it further, that counts.
        """
        limits = [self.usage_limit, self.campaign.total_limit if self.is_word else None]
        return any(limit is not None and self.used >= limit for limit in limits)

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

    def as_benefit(self, *, titled: bool = True) -> Benefit:
        """What it promises, as a value for ``arithmetic``. Not ``titled`` for who shows it to nobody: a title in the
        customer's language takes longer than the arithmetic.
        """
        campaign = self.campaign
        return Benefit(
            code=self.code,
            title=campaign.headline if titled else "",
            kind=campaign.benefit,
            percent=campaign.percent,
            amount=campaign.amount,
            product_ref=campaign.free_product_ref,
            scope=campaign.scope,
        )

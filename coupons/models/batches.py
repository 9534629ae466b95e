"""Many codes at once: made or imported in the background, with progress."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .campaigns import Campaign

#: Most codes of one batch.
LARGEST_BATCH = 1_000_000


class CouponBatchQuerySet(models.QuerySet["CouponBatch"]):
    """Adjectives of batches."""

    def open(self) -> CouponBatchQuerySet:
        """Batches that still want codes made."""
        open_states = [CouponBatch.Status.WAITING, CouponBatch.Status.RUNNING]
        return self.filter(kind=CouponBatch.Kind.GENERATED, status__in=open_states)

    def free(self, *, now: datetime) -> CouponBatchQuerySet:
        """Open batches that no living worker holds."""
        return self.open().filter(Q(leased_until=None) | Q(leased_until__lte=now))


class CouponBatch(models.Model):
    """An order for many single codes of one campaign. ``made`` grows in steps; a worker that dies leaves a batch that
    the next one goes on with.
    """

    class Kind(models.TextChoices):
        GENERATED = "generated", _("Made here")
        IMPORTED = "imported", _("Imported")

    class Status(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("batch", "Waiting")
        RUNNING = "running", pgettext_lazy("batch", "Running")
        DONE = "done", pgettext_lazy("batch", "Done")
        STOPPED = "stopped", pgettext_lazy("batch", "Stopped")

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="batches", verbose_name=_("campaign"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.GENERATED)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.WAITING)
    quantity = models.PositiveIntegerField(
        _("how many codes"), validators=[MinValueValidator(1), MaxValueValidator(LARGEST_BATCH)]
    )
    made = models.PositiveIntegerField(_("made so far"), default=0)
    #: For an import: how many rows were there already, how many were refused, and ``[[row number, reason], …]`` of
    #: those, as long as the report is kept.
    repeated = models.PositiveIntegerField(_("known already"), default=0)
    refused = models.PositiveIntegerField(_("rows refused"), default=0)
    rejected = models.JSONField(_("refused rows"), default=list, blank=True)
    note = models.CharField(
        _("what it is for"),
        max_length=120,
        blank=True,
        help_text=_("Only you and your colleagues see it. Example: Flyer at the spring fair"),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True, editable=False)
    #: Until then the worker that holds the batch is believed to be alive.
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CouponBatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch of codes")
        verbose_name_plural = _("batches of codes")
        ordering: ClassVar = ["-pk"]
        # Who may give out coupons, or export them, may do so in bulk: these are permissions of the coupon (CM-4).
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(name="thankyou_coupons_batch_made", condition=Q(made__lte=F("quantity"))),
        ]

    def __str__(self) -> str:
        return self.note or f"{self.campaign} ({self.quantity})"

    @property
    def is_open(self) -> bool:
        """Whether it still wants codes made; the same rule as ``CouponBatchQuerySet.open``."""
        return self.kind == self.Kind.GENERATED and self.status in (self.Status.WAITING, self.Status.RUNNING)

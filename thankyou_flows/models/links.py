"""Links to an order, for mails: 128 bits and more, of which only the hash is kept."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _


class OrderLinkQuerySet(models.QuerySet["OrderLink"]):
    def live(self, now: datetime) -> OrderLinkQuerySet:
        """Links that still open: neither expired nor revoked."""
        return self.filter(expires_at__gt=now, revoked_at=None)


class OrderLink(models.Model):
    """One link that shows an order without personal data (TY-4). The token itself is in the mail and nowhere else."""

    number = models.CharField(_("order number"), max_length=64, db_index=True)
    token_hash = models.CharField(_("hash of the token"), max_length=64, unique=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("works until"), db_index=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    objects = OrderLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("order link")
        verbose_name_plural = _("order links")

    def __str__(self) -> str:
        return f"{self.number} ({self.expires_at:%Y-%m-%d})"

"""What a merge has done, so that it can be told and undone."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .keys import KEY_LENGTH, make_key


class MergeReceipt(models.Model):
    """One answer "add them to my account"."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("owner"))
    key = models.CharField(_("key"), max_length=KEY_LENGTH, unique=True, default=make_key, editable=False)
    created_at = models.DateTimeField(_("merged"), default=timezone.now, db_index=True)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    #: What came to the account: {kind: [[product_ref, options, title, quantity before or null, quantity after], …]}.
    changes = models.JSONField(_("changes"), default=dict)
    #: What the device held before: {kind: [[product_ref, quantity, options, parked], …]}.
    guest = models.JSONField(_("the guest's lists"), default=dict)
    #: What did not fit and stayed on the device, in the form of ``guest``.
    left_out = models.JSONField(_("left out"), default=dict)

    class Meta:
        verbose_name = _("receipt of a merge")
        verbose_name_plural = _("receipts of merges")
        ordering: ClassVar = ["-pk"]
        default_permissions: ClassVar = []

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"

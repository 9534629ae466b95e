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
    #: What it did to the account, row by row, so that it can be undone; ``receipts`` reads and writes it.
    changes = models.JSONField(_("changes"), default=dict)
    #: What the device held before: {kind: [[product_ref, quantity, options, parked], …]}.
    guest = models.JSONField(_("the guest's lists"), default=dict)
    #: The cookies in which it held it, so that an undo puts the very same ones back.
    cookies = models.JSONField(_("the guest's cookies"), default=dict)
    #: What did not fit and stayed on the device, in the form of ``guest``.
    left_out = models.JSONField(_("left out"), default=dict)

    class Meta:
        verbose_name = _("receipt of a merge")
        verbose_name_plural = _("receipts of merges")
        ordering: ClassVar = ["-pk"]
        default_permissions: ClassVar = []

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"

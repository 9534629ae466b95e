"""What the shop knows of an account beyond Django's user."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class ConfirmedAddress(models.Model):
    """The e-mail address that the owner of an account has shown to be theirs: coupons given to it may be seen there."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="confirmed_address"
    )
    email = models.EmailField()
    confirmed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.email

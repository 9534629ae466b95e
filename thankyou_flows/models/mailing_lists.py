"""Lists that people can be on: what for, and how often."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import validate_slug
from django.db import models
from django.utils.translation import gettext_lazy as _


class MailingList(models.Model):
    """A newsletter, with its purpose and its promise: that is what people consent to (EM-4)."""

    slug = models.CharField(
        _("short name"),
        max_length=50,
        unique=True,
        validators=[validate_slug],
        help_text=_("For developers and exports. Small letters, digits and hyphens: “recipes”."),
    )
    title = models.CharField(_("name"), max_length=80, help_text=_("Example: Letters from the shop"))
    purpose = models.CharField(
        _("what it is about"),
        max_length=200,
        help_text=_("One sentence that people read before they say yes. Example: What is new, and recipes."),
    )
    promise = models.CharField(
        _("what you promise"),
        max_length=200,
        blank=True,
        default=_("At most twice a month."),
        help_text=_("How often you write. Say only what you will keep."),
    )
    covers_follow_ups = models.BooleanField(
        _("also tips and offers after a purchase"),
        default=False,
        help_text=_("Tick this only if the sentence above says so: then people on this list get your follow-ups too."),
    )
    incentive = models.ForeignKey(
        "thankyou_coupons.Campaign",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("thank-you coupon"),
        help_text=_("Each person gets one when the sign-up is confirmed, once. Leave empty for none."),
    )
    is_open = models.BooleanField(
        _("people can sign up"),
        default=True,
        help_text=_("Untick it to take nobody new; whoever is on it stays, and can leave as ever."),
    )

    class Meta:
        verbose_name = _("mailing list")
        verbose_name_plural = _("mailing lists")
        ordering: ClassVar = ["title", "pk"]

    def __str__(self) -> str:
        return self.title

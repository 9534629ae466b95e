"""Whom mail may be written to, and who asked to be left alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Contact(models.Model):
    """Somebody whom mail is written to, and how this person wants it. One row per customer key.

    Made when an address is confirmed, or when a follow-up is planned for the customer of an order; never because
    somebody merely typed an address.
    """

    class Frequency(models.TextChoices):
        ALL = "all", _("As they come")
        WEEKLY = "weekly", _("At most one a week")
        MONTHLY = "monthly", _("At most one a month")

    #: Between two mails that are not transactional, for each frequency; ALL rests for THANKYOU_FLOWS["MAIL_REST_HOURS"].
    RESTS: ClassVar[dict[str, timedelta]] = {Frequency.WEEKLY: timedelta(days=7), Frequency.MONTHLY: timedelta(days=30)}

    #: ``coupons.holders.customer_key``: the same key that coupons and orders know the customer by.
    email_key = models.CharField(_("address key"), max_length=80, unique=True)
    email = models.EmailField(_("e-mail"), max_length=254)
    language = models.CharField(_("language"), max_length=16, blank=True)
    #: IANA name; empty for the shop's own zone. Quiet hours are in it.
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    frequency = models.CharField(_("how often"), max_length=10, choices=Frequency, default=Frequency.ALL)
    paused_until = models.DateTimeField(_("pause until"), null=True, blank=True)
    #: The cap: one guarded UPDATE takes the next place (EM-12), see ``mail.caps``.
    last_marketing_at = models.DateTimeField(_("last mail that was not transactional"), null=True, blank=True)
    #: Whose place it is, so that a second attempt of the same message needs no second one.
    last_marketing_key = models.CharField(max_length=22, blank=True, editable=False)
    created_at = models.DateTimeField(_("first known"), default=timezone.now)
    #: Confirmed, ordered, changed preferences, or clicked; an opened mail is no action (EM-13).
    last_action_at = models.DateTimeField(_("last action"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering: ClassVar = ["pk"]
        default_permissions: ClassVar = ["view"]
        permissions: ClassVar = [
            ("export_person", _("Can look up people, and export what is known of them")),
            ("erase_person", _("Can erase people")),
        ]

    def __str__(self) -> str:
        return self.email

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and self.paused_until > now


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def of(self, *email_keys: str) -> SuppressionQuerySet:
        """Suppressions of these addresses; an empty key is nobody's."""
        return self.filter(email_key__in=[key for key in email_keys if key])


class Suppression(models.Model):
    """Somebody must not get some kind of mail. Holds a keyed hash instead of the address, so that it outlives the
    erasure of everything else (EM-6).
    """

    class Reason(models.TextChoices):
        LEFT = "left", _("Unsubscribed")
        OBJECTED = "objected", _("Does not want follow-ups")
        BOUNCED = "bounced", _("The address does not exist")
        COMPLAINED = "complained", _("Reported as spam")
        ERASED = "erased", _("Asked for erasure")
        MANUAL = "manual", _("Entered by hand")

    #: Scopes: everything but transactional mail; all follow-ups; or one list (``list:`` and its slug).
    MARKETING: ClassVar[str] = "marketing"
    FOLLOW_UPS: ClassVar[str] = "follow_ups"
    LIST_PREFIX: ClassVar[str] = "list:"

    email_key = models.CharField(_("address key"), max_length=80)
    scope = models.CharField(_("what is not sent"), max_length=60)
    reason = models.CharField(_("why"), max_length=12, choices=Reason)
    at = models.DateTimeField(_("since"), default=timezone.now)
    #: Key of the message that led to it, if one did.
    message_key = models.CharField(_("message"), max_length=22, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        ordering: ClassVar = ["-pk"]
        default_permissions: ClassVar = ["view", "add", "delete"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["email_key", "scope"], name="thankyou_one_suppression_a_scope"),
            models.CheckConstraint(condition=~Q(email_key=""), name="thankyou_suppression_has_key"),
        ]

    def __str__(self) -> str:
        return f"{self.email_key[:10]}… {self.scope}"

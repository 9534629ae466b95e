"""Newsletter sign-ups with double opt-in, and the proof of each consent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from .mailing_lists import MailingList


class Subscription(models.Model):
    """One address on one list. It is on the list only when ``state`` is confirmed (EM-1)."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting for confirmation")
        CONFIRMED = "confirmed", _("Confirmed")
        LEFT = "left", _("Left")

    mailing_list = models.ForeignKey(MailingList, models.PROTECT, related_name="subscriptions", verbose_name=_("list"))
    #: Empty once it was erased; the key stays.
    email = models.EmailField(_("e-mail"), max_length=254, blank=True)
    #: Keyed hash of the normalised address: one person is on a list once, however the address is typed.
    email_key = models.CharField(_("address key"), max_length=80)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.PENDING)
    language = models.CharField(_("language"), max_length=16, blank=True)
    requested_at = models.DateTimeField(_("requested at"), auto_now_add=True)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)
    left_at = models.DateTimeField(_("left at"), null=True, blank=True)

    class Meta:
        verbose_name = _("newsletter sign-up")
        verbose_name_plural = _("newsletter sign-ups")
        ordering = ["-requested_at", "-pk"]
        # Nobody signs somebody else up, or off, by hand.
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["mailing_list", "email_key"], name="thankyou_one_subscription_a_list"),
        ]

    def __str__(self) -> str:
        return self.email


class ConsentReceiptQuerySet(models.QuerySet["ConsentReceipt"]):
    def update(self, **kwargs: Any) -> NoReturn:
        """Receipts are a proof; raises TypeError."""
        raise TypeError("A consent receipt is a proof: add a new one instead of changing it (EM-4).")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Receipts are a proof; raises TypeError."""
        self.update()


class ConsentReceipt(models.Model):
    """What somebody agreed to, word by word (EM-4). Rows are added, never changed."""

    class Kind(models.TextChoices):
        REQUESTED = "requested", _("Asked to be subscribed")
        CONFIRMED = "confirmed", _("Confirmed by the link in the mail")
        LEFT = "left", _("Left the list")

    class Method(models.TextChoices):
        """By which way it came."""

        BLOCK = "block", _("A form on a page")
        CHECKOUT = "checkout", _("A box at the checkout")
        ACCOUNT = "account", _("The account's page")
        COUPON = "coupon", _("A box beside a coupon's questions")
        API = "api", _("The API")
        LINK = "link", _("A link in a mail")
        ONE_CLICK = "one_click", _("The mail program's own button")
        PROVIDER = "provider", _("Reported by the mail provider")
        ADMIN = "admin", _("The shop's people")

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="receipts", verbose_name=_("sign-up")
    )
    kind = models.CharField(_("what happened"), max_length=16, choices=Kind.choices)
    method = models.CharField(_("how"), max_length=10, choices=Method, default=Method.BLOCK)
    #: The list at that time: its name, its purpose and its promise.
    purpose = models.CharField(_("purpose"), max_length=500, blank=True)
    wording = models.TextField(_("exact wording"), blank=True)
    #: Which revision of which page or form showed the wording.
    source = models.CharField(_("shown by"), max_length=200, blank=True)
    path = models.CharField(_("address of the page"), max_length=500, blank=True)
    language = models.CharField(_("language"), max_length=16, blank=True)
    #: Empty unless THANKYOU_FLOWS["CONSENT_IP"] asks for it: a truncated address or a keyed hash, never the whole.
    ip = models.CharField(_("network address"), max_length=80, blank=True)
    created_at = models.DateTimeField(_("when"), auto_now_add=True)

    objects = ConsentReceiptQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent receipt")
        verbose_name_plural = _("consent receipts")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.created_at:%Y-%m-%d %H:%M}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the receipt once. Raises TypeError when somebody tries to change one."""
        if self.pk:
            raise TypeError("A consent receipt is a proof: add a new one instead of changing it (EM-4).")
        super().save(*args, **kwargs)


class ConfirmationLink(models.Model):
    """The link in one confirmation mail. Asking again, or a second attempt of the same mail, makes another one; the first
    keeps working.
    """

    #: The request that the link confirms, with the wording that was shown for it.
    receipt = models.ForeignKey(
        ConsentReceipt, on_delete=models.CASCADE, related_name="links", verbose_name=_("request")
    )
    #: The address as it was written to: that is the one a click proves.
    email = models.EmailField(_("e-mail"), max_length=254)
    #: Only the hash of the link's token is kept (TY-4).
    token_hash = models.CharField(_("hash of the token"), max_length=64, unique=True)
    expires_at = models.DateTimeField(_("works until"), db_index=True)
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)

    class Meta:
        verbose_name = _("confirmation link")
        verbose_name_plural = _("confirmation links")

    def __str__(self) -> str:
        return f"{self.email} ({self.expires_at:%Y-%m-%d %H:%M})"


class ConfirmationAllowanceQuerySet(models.QuerySet["ConfirmationAllowance"]):
    def may_get_mail(self, now: datetime) -> ConfirmationAllowanceQuerySet:
        """Addresses that may get another confirmation mail now (EM-3)."""
        rest, window = self.model.REST, self.model.WINDOW
        return self.filter(
            models.Q(last_mail_at=None) | models.Q(last_mail_at__lte=now - rest),
            models.Q(third_last_mail_at=None) | models.Q(third_last_mail_at__lte=now - window),
        )


class ConfirmationAllowance(models.Model):
    """When one mailbox got its latest confirmation mails, for whichever list: at most three in 30 days (EM-3).

    Three times instead of a counter: a counter that starts again every 30 days lets six through around its start.
    """

    #: Between two mails.
    REST = timedelta(minutes=3)
    #: In which there are three at most.
    WINDOW = timedelta(days=30)

    #: Keyed hash of the mailbox, without the tags and dots that mail providers ignore.
    mailbox_key = models.CharField(_("mailbox key"), max_length=80, unique=True)
    last_mail_at = models.DateTimeField(_("last mail"), null=True, blank=True)
    second_last_mail_at = models.DateTimeField(_("the mail before"), null=True, blank=True)
    third_last_mail_at = models.DateTimeField(_("the mail before that"), null=True, blank=True)

    objects = ConfirmationAllowanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("confirmation mail allowance")
        verbose_name_plural = _("confirmation mail allowances")

    def __str__(self) -> str:
        return f"{self.mailbox_key[:12]}…"

"""The outbox: one row per mail, written in the transaction of its reason (EM-10), and what became of it."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


def make_message_key() -> str:
    """Return what names a message to mail providers and in links: 128 random bits."""
    return secrets.token_urlsafe(16)


class MessageKind(models.TextChoices):
    """What a mail is, and so what it needs (EM-11)."""

    #: Answers what the customer has just done or asked; needs no consent, is stopped by no list.
    TRANSACTIONAL = "transactional", _("Transactional: answers what the customer did or asked")
    #: Belongs to a purchase or a step, but is advertising: opt-in or soft opt-in.
    FOLLOW_UP = "follow_up", _("Follow-up: tips, reminders and offers after a step")
    #: To those on a list.
    NEWSLETTER = "newsletter", _("Newsletter: to those on a list")


class Ground(models.TextChoices):
    """On which legal ground a mail was sent (EM-11)."""

    REQUEST = "request", _("It answers what this person did or asked")
    CONSENT = "consent", _("This person confirmed the sign-up to a list")
    SOFT_OPT_IN = "soft_opt_in", _("A customer who was offered to object, and did not")


class WhyNot(models.TextChoices):
    """Why a message was not sent, or waits."""

    LEFT = "left", _("Has left the list")
    OBJECTED = "objected", _("Does not want follow-ups")
    BOUNCED = "bounced", _("The address does not exist")
    COMPLAINED = "complained", _("Reported an earlier mail as spam")
    NO_CONSENT = "no_consent", _("Never agreed to this kind of mail")
    NOT_OFFERED = "not_offered", _("Ordered before an objection was offered")
    PENDING = "pending", _("Has not confirmed the sign-up")
    ERASED = "erased", _("Asked for erasure")
    PAUSED = "paused", _("Has paused our mails")
    TOO_MANY = "too_many", _("Had enough mails already")
    QUIET = "quiet", _("It is night there")
    TOO_LATE = "too_late", _("Its time has passed")
    ORDER_OVER = "order_over", _("The order was cancelled or refunded")
    ORDER_STATE = "order_state", _("The order is not that far, or is gone")
    ORDERED_AGAIN = "ordered_again", _("Ordered again")
    COUPON_USED = "coupon_used", _("The coupon was used")
    COUPON_HELD = "coupon_held", _("An order that is not paid yet has the coupon")
    COUPON_OVER = "coupon_over", _("The coupon is not valid any more")
    CHANGED = "changed", _("What it is about has changed")
    RULES = "rules", _("The conditions do not hold any more")
    FOLLOW_UP_OFF = "follow_up_off", _("The follow-up was switched off")
    FOLLOW_UP_GONE = "follow_up_gone", _("The follow-up was deleted")
    DONE = "done", _("There was nothing left to say")
    UNSENDABLE = "unsendable", _("The mail could not be written")
    REFUSED = "refused", _("The receiving server refused it for good")
    GAVE_UP = "gave_up", _("All attempts failed")
    UNCERTAIN = "uncertain", _("Nobody knows whether it arrived")
    BY_HAND = "by_hand", _("Stopped by hand")


class MessageQuerySet(models.QuerySet["Message"]):
    """Adjectives of messages."""

    def open(self) -> MessageQuerySet:
        """Messages that may still be sent, and that nobody is just handing to the mail server."""
        return self.filter(state__in=[Message.State.PLANNED, Message.State.CLAIMED])

    def marketing(self) -> MessageQuerySet:
        """Everything but transactional mail."""
        return self.exclude(kind=MessageKind.TRANSACTIONAL)

    def of(self, email_key: str) -> MessageQuerySet:
        """Messages to one person; an empty key is nobody's."""
        return self.filter(email_key=email_key) if email_key else self.none()

    def due(self, now: datetime) -> MessageQuerySet:
        """Messages whose time has come."""
        return self.filter(state=Message.State.PLANNED, due_at__lte=now)


class Message(models.Model):
    """One mail to one person: planned, claimed by a worker, attempted, and sent or not.

    Rows move by guarded updates only: ``mail.outbox`` writes them, ``mail.claiming`` moves them.
    """

    class State(models.TextChoices):
        PLANNED = "planned", pgettext_lazy("message", "Waiting")
        #: A worker has it, until ``lease_until``; nothing was handed to the mail server yet.
        CLAIMED = "claimed", pgettext_lazy("message", "About to be sent")
        #: Handed to the mail server; what it said is not recorded yet.
        ATTEMPTING = "attempting", pgettext_lazy("message", "Being sent")
        SENT = "sent", pgettext_lazy("message", "Sent")
        #: Deliberately not sent: ``why_not`` says why.
        SKIPPED = "skipped", pgettext_lazy("message", "Not sent")
        FAILED = "failed", pgettext_lazy("message", "Failed")

    class Delivery(models.TextChoices):
        """What the mail provider has reported since."""

        UNKNOWN = "", _("Nothing reported")
        DEFERRED = "deferred", _("Delayed by the receiving server")
        DELIVERED = "delivered", _("Delivered")
        BOUNCED = "bounced", _("Bounced")
        COMPLAINED = "complained", _("Reported as spam")

    #: Names the message to mail providers (metadata) and in the links of the mail.
    key = models.CharField(_("key"), max_length=22, unique=True, default=make_message_key, editable=False)
    #: What must not be written twice: a second row with the same is refused by the database.
    dedupe_key = models.CharField(_("what it is about"), max_length=200, unique=True)
    kind = models.CharField(_("kind"), max_length=14, choices=MessageKind)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PLANNED)
    #: Who writes it: a name in ``mail.composing.COMPOSERS`` or a dotted path.
    composer = models.CharField(_("written by"), max_length=120)
    #: What the composer needs: references and texts, JSON.
    context = models.JSONField(_("facts"), default=dict, blank=True)
    email = models.EmailField(_("to"), max_length=254, blank=True)
    email_key = models.CharField(_("address key"), max_length=80, blank=True, db_index=True)
    language = models.CharField(_("language"), max_length=16, blank=True)
    #: Why it was planned: a trigger's key or another short name (``sign_up``, ``unlock_link``).
    reason = models.CharField(_("reason"), max_length=60)
    #: What it is about: an order's number, or the pk of a coupon, list, event, question, subscription.
    ref = models.CharField(_("about"), max_length=128, blank=True)
    follow_up = models.ForeignKey(
        "FollowUp", models.SET_NULL, null=True, blank=True, related_name="messages", verbose_name=_("follow-up")
    )
    step = models.ForeignKey(
        "FollowUpStep", models.SET_NULL, null=True, blank=True, related_name="messages", verbose_name=_("mail")
    )
    mailing_list = models.ForeignKey(
        "MailingList", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("list")
    )
    #: The coupon that it is about, or that it carried.
    coupon = models.ForeignKey(
        "thankyou_coupons.Coupon", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("coupon")
    )
    #: When the step happened that led to it.
    happened_at = models.DateTimeField(_("happened"), default=timezone.now)
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    #: Not worth sending after this.
    expires_at = models.DateTimeField(_("not after"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    #: Attempts of which nobody knows whether the mail went out; a second one is the last (EM-10).
    uncertain = models.PositiveSmallIntegerField(_("uncertain attempts"), default=0)
    lease_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    worker = models.CharField(_("worker"), max_length=60, blank=True)
    why_not = models.CharField(_("why not"), max_length=16, choices=WhyNot, blank=True)
    last_error = models.CharField(_("last error"), max_length=500, blank=True)
    ground = models.CharField(_("ground"), max_length=12, choices=Ground, blank=True)
    #: What the customer saw; secrets of links are masked.
    subject = models.CharField(_("subject"), max_length=250, blank=True)
    text = models.TextField(_("text"), blank=True)
    html = models.TextField(_("HTML"), blank=True)
    provider_id = models.CharField(_("provider's id"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("planned at"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    #: When it came to its end: sent, not sent, or failed.
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    delivery = models.CharField(_("delivery"), max_length=10, choices=Delivery, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    clicked_at = models.DateTimeField(_("clicked at"), null=True, blank=True)
    #: The person unsubscribed or objected by this mail.
    left_at = models.DateTimeField(_("left by it at"), null=True, blank=True)
    #: The customer ordered within CONVERSION_DAYS after it.
    converted_at = models.DateTimeField(_("ordered after it at"), null=True, blank=True)
    converted_order = models.CharField(_("order after it"), max_length=64, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering: ClassVar = ["-pk"]
        default_permissions: ClassVar = ["view"]
        permissions: ClassVar = [("requeue_message", _("Can send messages again and stop them"))]
        indexes: ClassVar = [
            models.Index(fields=["due_at", "id"], condition=Q(state="planned"), name="thankyou_flows_due"),
            models.Index(
                fields=["lease_until"], condition=Q(state__in=["claimed", "attempting"]), name="thankyou_flows_leased"
            ),
            models.Index(fields=["follow_up", "state"], name="thankyou_flows_numbers"),
            models.Index(fields=["ref"], name="thankyou_flows_about"),
            # The hourly budget of confirmation mails is counted at every sign-up (EM-3).
            models.Index(fields=["created_at"], condition=Q(reason="sign_up"), name="thankyou_flows_sign_ups"),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.ref}".strip()

    @property
    def is_marketing(self) -> bool:
        return self.kind != MessageKind.TRANSACTIONAL

    @property
    def is_open(self) -> bool:
        return self.state in {self.State.PLANNED, self.State.CLAIMED}


class LastLook(models.Model):
    """When something that is looked for was last looked for, so that looking often costs little (``followups.looking``)."""

    name = models.CharField(_("what"), max_length=60, unique=True)
    at = models.DateTimeField(_("when"))
    #: How far it came: what was seen up to here is not looked at again.
    cursor = models.CharField(_("up to"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("last look")
        verbose_name_plural = _("last looks")
        default_permissions: ClassVar = []

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d %H:%M}"


class MailEvent(models.Model):
    """What a mail provider reported, once (EM-7). No payload is kept, and no address."""

    class Kind(models.TextChoices):
        DEFERRED = "deferred", _("Delayed")
        DELIVERED = "delivered", _("Delivered")
        BOUNCED = "bounced", _("Bounced")
        REJECTED = "rejected", _("Rejected by the provider")
        COMPLAINED = "complained", _("Reported as spam")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed at the provider")
        CLICKED = "clicked", _("Clicked")

    message = models.ForeignKey(
        Message, models.CASCADE, null=True, blank=True, related_name="events", verbose_name=_("message")
    )
    provider = models.CharField(_("provider"), max_length=40)
    #: The provider's own id of the event; where it gives none, a digest of what names it.
    event_id = models.CharField(_("event"), max_length=200)
    kind = models.CharField(_("what"), max_length=12, choices=Kind)
    at = models.DateTimeField(_("when"))
    received_at = models.DateTimeField(_("received"), default=timezone.now)

    class Meta:
        verbose_name = _("report from the mail provider")
        verbose_name_plural = _("reports from the mail provider")
        ordering: ClassVar = ["at", "pk"]
        default_permissions: ClassVar = []
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="thankyou_mail_event_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"

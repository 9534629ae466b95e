"""Follow-ups: what the owner wants to write, to whom, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.fields import StreamField
from wagtail.models import Orderable, PreviewableMixin

from ..followups.triggers import trigger_choices
from ..mail.blocks import MailStreamBlock
from ..rules import RuleStreamBlock
from .messages import MessageKind

#: In whichever unit: a larger number is a typing error.
LONGEST_DELAY = 1000


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    def on(self, trigger: str) -> FollowUpQuerySet:
        """Follow-ups that are switched on and wait for this trigger."""
        return self.filter(trigger=trigger, is_on=True)


class FollowUp(PreviewableMixin, ClusterableModel):
    """One mail or a sequence of mails after a step of a customer. Off until its owner switches it on (EM-11)."""

    title = models.CharField(
        _("name"), max_length=120, help_text=_("Only you and your colleagues see it. Example: Care tips")
    )
    is_on = models.BooleanField(
        _("switched on"),
        default=False,
        help_text=_("Off: nothing new is planned, and what is planned is not sent."),
    )
    trigger = models.CharField(_("when"), max_length=40, choices=trigger_choices)
    kind = models.CharField(_("what it is"), max_length=14, choices=MessageKind, default=MessageKind.FOLLOW_UP)
    mailing_list = models.ForeignKey(
        "MailingList",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="follow_ups",
        verbose_name=_("list"),
        help_text=_("For a newsletter: only people on this list get it."),
    )
    rules = StreamField(
        RuleStreamBlock(),
        verbose_name=_("conditions"),
        blank=True,
        help_text=_("All of them must hold, when the mail is planned and again just before it is sent."),
    )
    stops_after_order = models.BooleanField(
        _("stop when the customer orders again"),
        default=True,
        help_text=_(
            "It always stops when the order is cancelled or refunded, when the coupon is used or over, and when the "
            "customer has left."
        ),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    #: What happened before it was switched on is none of its business.
    switched_on_at = models.DateTimeField(_("switched on at"), null=True, blank=True, editable=False)

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        verbose_name = _("follow-up")
        verbose_name_plural = _("follow-ups")
        ordering: ClassVar = ["title", "pk"]

    def __str__(self) -> str:
        return self.title

    @property
    def preview_modes(self) -> list[tuple[str, str]]:
        """Each mail as each of the sample customers would get it: ``"2:returning"`` is the second mail."""
        from ..mail.samples import SAMPLES

        numbers = range(1, max(self.steps.count(), 1) + 1)
        if len(numbers) == 1:
            return [(f"1:{sample}", str(label)) for sample, label in SAMPLES.items()]
        return [
            (f"{number}:{sample}", gettext("Mail %(number)s: %(sample)s") % {"number": number, "sample": label})
            for number in numbers
            for sample, label in SAMPLES.items()
        ]

    @property
    def default_preview_mode(self) -> str:
        return self.preview_modes[0][0]

    def get_preview_template(self, request: HttpRequest, mode_name: str) -> str:
        return "thankyou_flows/admin/mail_preview.html"

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        """Show one mail with sample data, with what mail programs show of it in their lists."""
        from ..admin.preview import show_preview

        return show_preview(self, request, mode_name)


class FollowUpStep(Orderable):
    """One mail of a follow-up."""

    class Unit(models.TextChoices):
        MINUTES = "minutes", _("minutes")
        HOURS = "hours", _("hours")
        DAYS = "days", _("days")

    follow_up = ParentalKey(FollowUp, on_delete=models.CASCADE, related_name="steps", verbose_name=_("follow-up"))
    delay = models.PositiveSmallIntegerField(
        _("how long after it"),
        default=3,
        validators=[MaxValueValidator(LONGEST_DELAY)],
        help_text=_("For what is about to end: how long before the end."),
    )
    delay_unit = models.CharField(_("unit"), max_length=7, choices=Unit, default=Unit.DAYS)
    at_time = models.TimeField(
        _("at about"),
        null=True,
        blank=True,
        help_text=_(
            "In the customer's own time zone. Leave empty for any time outside the quiet hours. Example: 10:00"
        ),
    )
    subject = models.CharField(
        _("subject"),
        max_length=150,
        help_text=_("You can write {first_name}, {order_number}, {shop_name}, {coupon_worth} and {coupon_until}."),
    )
    preheader = models.CharField(
        _("line after the subject"),
        max_length=150,
        blank=True,
        help_text=_("Mail programs show it behind the subject. Example: Three things that keep your kettle shining."),
    )
    body = StreamField(MailStreamBlock(), verbose_name=_("text of the mail"))
    campaign = models.ForeignKey(
        "thankyou_coupons.Campaign",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("coupon it brings"),
        help_text=_("Each customer gets a code of their own, the same in all mails of this follow-up."),
    )

    class Meta(Orderable.Meta):
        verbose_name = _("mail")
        verbose_name_plural = _("mails")

    def __str__(self) -> str:
        return self.subject

    @property
    def delay_span(self) -> timedelta:
        """The delay, as a span of time."""
        span: dict[str, Any] = {self.delay_unit: self.delay}
        return timedelta(**span)

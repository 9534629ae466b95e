"""What a campaign asks before its coupons are unlocked, and what was answered (CO-9)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail.models import Orderable

from .campaigns import Campaign
from .coupons import Coupon

#: Answers are not kept longer than this, whatever an owner enters: ten years, the longest a merchant has to keep
#: anything of a customer's.
LONGEST_KEEP_DAYS: Final = 3653


class Question(Orderable):
    """One question of a campaign, in the words of Wagtail's form builder.

    ``clean_name`` names the question across campaigns: questions with the same label are the same question, and who
    has answered it once is not asked again.
    """

    class FieldType(models.TextChoices):
        SINGLELINE = "singleline", _("One line of text")
        MULTILINE = "multiline", _("Several lines of text")
        NUMBER = "number", _("Number")
        DATE = "date", _("Date")
        DROPDOWN = "dropdown", _("One choice from a list")
        RADIO = "radio", _("One choice, all shown")
        CHECKBOXES = "checkboxes", _("Several choices")

    campaign = ParentalKey(Campaign, on_delete=models.CASCADE, related_name="questions", verbose_name=_("campaign"))
    label = models.CharField(
        _("question"),
        max_length=200,
        help_text=_(
            "Example: Which tea do you like best? Questions with the same words count as one: "
            "nobody is asked a second time."
        ),
    )
    clean_name = models.SlugField(max_length=200, blank=True, editable=False)
    field_type = models.CharField(_("kind of answer"), max_length=12, choices=FieldType, default=FieldType.SINGLELINE)
    choices = models.TextField(_("choices"), blank=True, help_text=_("For questions with choices: one in each line."))
    help_text = models.CharField(_("help for the customer"), max_length=200, blank=True)
    required = models.BooleanField(
        _("must be answered"), default=True, help_text=_("Otherwise the coupon unlocks without it too.")
    )
    purpose = models.CharField(
        _("why you ask"),
        max_length=200,
        help_text=_("The customer reads it beside the question. Example: So that we can suggest teas you will like."),
    )
    keep_days = models.PositiveIntegerField(
        _("how many days you keep the answer"),
        default=365,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_KEEP_DAYS)],
        help_text=_("The customer reads it too. After that the answer is deleted by itself. Example: 365 for a year"),
    )

    #: Wagtail's form builder asks for it; a question begins empty, and nothing is ticked beforehand.
    default_value = ""

    class Meta(Orderable.Meta):
        verbose_name = _("question")
        verbose_name_plural = _("questions")

    def __str__(self) -> str:
        return self.label


class Answer(models.Model):
    """One customer's answer to one question, stored once, with what the customer was told (GDPR art. 5 and 13)."""

    #: Whose answer it is: the holder key of the coupon it was given for.
    holder_key = models.CharField(_("customer"), max_length=100, db_index=True)
    question_name = models.SlugField(_("question's name"), max_length=200)
    #: As they were when the answer was given.
    label = models.CharField(_("question"), max_length=200)
    purpose = models.CharField(_("purpose"), max_length=200)
    value = models.JSONField(_("answer"))
    campaign = models.ForeignKey(
        Campaign, models.SET_NULL, null=True, related_name="answers", verbose_name=_("campaign")
    )
    coupon = models.ForeignKey(
        Coupon, models.SET_NULL, null=True, blank=True, related_name="answers", verbose_name=_("coupon")
    )
    answered_at = models.DateTimeField(_("answered"), default=timezone.now)
    delete_after = models.DateTimeField(_("kept until"), db_index=True)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering: ClassVar = ["-pk"]
        default_permissions = ("view", "delete")
        constraints: ClassVar = [
            models.UniqueConstraint(name="thankyou_coupons_one_answer", fields=["holder_key", "question_name"]),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def text(self) -> str:
        """The answer as one text."""
        return ", ".join(map(str, self.value)) if isinstance(self.value, list) else str(self.value)

    def is_outdated(self, now: datetime | None = None) -> bool:
        """Whether the time is over for which the customer was told it would be kept."""
        return self.delete_after <= (now or timezone.now())

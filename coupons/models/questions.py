"""What a campaign asks before its coupons are unlocked, and what was answered (CO-9)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, ClassVar, Final

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail.contrib.forms.utils import get_field_clean_name
from wagtail.models import Orderable

from .campaigns import Campaign
from .coupons import Coupon

#: Answers are not kept longer than this, whatever an owner enters: ten years, the longest a merchant has to keep
#: anything of a customer's.
LONGEST_KEEP_DAYS: Final = 3653
LONGEST_NAME: Final = 200
LONGEST_CHOICE: Final = 200
#: The name of the box for the newsletter on the same form; no question can have it.
MARKETING_NAME: Final = "agree_to_marketing"


def clean_name_of(label: str) -> str:
    """Return the name under which the answers to a question are kept: the same for the same words, whatever their case
    and punctuation.

    Words that leave nothing of themselves in ASCII, or too much, or the name of the newsletter's box, get a name with
    a hash in it, which is as stable.
    """
    name = get_field_clean_name(label)
    if name and len(name) <= LONGEST_NAME and name != MARKETING_NAME:
        return name
    return f"question_{hashlib.sha256(label.strip().encode()).hexdigest()[:24]}"


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
    clean_name = models.SlugField(max_length=LONGEST_NAME, blank=True, editable=False)
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

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save under the name of its present words: a question that was reworded is another question."""
        self.clean_name = clean_name_of(self.label)
        update_fields: Collection[str] | None = kwargs.get("update_fields")
        if update_fields is not None and "label" in update_fields:
            kwargs["update_fields"] = {*update_fields, "clean_name"}
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Refuse a question with choices that leaves nothing to choose from."""
        super().clean()
        self.clean_name = clean_name_of(self.label)
        if self.has_choices and len(self.choice_list) < 2:
            raise ValidationError({"choices": gettext("Enter at least two choices, one in each line.")})
        if self.has_choices and any(len(choice) > LONGEST_CHOICE for choice in self.choice_list):
            raise ValidationError({"choices": gettext("A choice has at most 200 letters.")})

    @property
    def has_choices(self) -> bool:
        """Whether the customer picks from a list."""
        return self.field_type in {self.FieldType.DROPDOWN, self.FieldType.RADIO, self.FieldType.CHECKBOXES}

    @property
    def choice_list(self) -> list[str]:
        """The choices in the owner's order, each once: one in each line, or parted by commas if all are in one line."""
        lines = self.choices.strip().splitlines()
        parts = lines if len(lines) > 1 else self.choices.split(",")
        return list(dict.fromkeys(part for line in parts if (part := line.strip().rstrip(",").strip())))


def repeated_places(labels: Iterable[str]) -> list[int]:
    """Return the places, from 0, of a campaign's questions that ask the same as one before them: each may stand there
    once.
    """
    seen: set[str] = set()
    repeated = []
    for place, label in enumerate(labels):
        name = clean_name_of(label)
        if name in seen:
            repeated.append(place)
        seen.add(name)
    return repeated


class AnswerQuerySet(models.QuerySet["Answer"]):
    """Adjectives of answers."""

    def of(self, *holder_keys: str) -> AnswerQuerySet:
        """Answers of these customers; empty keys belong to nobody."""
        return self.filter(holder_key__in=[key for key in holder_keys if key])

    def current(self, *, now: datetime) -> AnswerQuerySet:
        """Answers that may still be kept and used."""
        return self.filter(delete_after__gt=now)

    def outdated(self, *, now: datetime) -> AnswerQuerySet:
        """Answers whose time is over, as the customer was told."""
        return self.filter(delete_after__lte=now)


class Answer(models.Model):
    """One customer's answer to one question, stored once, with what the customer was told (GDPR art. 5 and 13)."""

    #: Whose answer it is: the holder key of the coupon it was given for.
    holder_key = models.CharField(_("customer"), max_length=100, db_index=True)
    question_name = models.SlugField(_("question's name"), max_length=LONGEST_NAME)
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

    objects = AnswerQuerySet.as_manager()

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

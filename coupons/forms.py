"""The form behind a locked coupon, made of the campaign's questions with Wagtail's form builder (CO-9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail.contrib.forms.forms import FormBuilder

from .asking import questions_for
from .models import Coupon, Question
from .models.questions import MARKETING_NAME

#: Letters in a text of one line, and of several.
LONGEST_LINE: Final = 255
LONGEST_TEXT: Final = 2000


class QuestionField(BoundField):
    """A bound field that says why it asks and how long the answer is kept, to the ear as well (GDPR art. 13)."""

    @property
    def purpose(self) -> str:
        """Why the shop asks, in the owner's words; empty for the newsletter's box."""
        return str(getattr(self.field, "purpose", ""))

    @property
    def keeping(self) -> str:
        """How long the answer is kept, as a sentence; empty for the newsletter's box."""
        days = getattr(self.field, "keep_days", 0)
        return kept_for(days) if days else ""

    @property
    def aria_describedby(self) -> str:
        """The ids of the help, the purpose and the error, in the order in which they are read."""
        parts = [("help", bool(self.help_text)), ("why", bool(self.purpose)), ("error", bool(self.errors))]
        return " ".join(f"{self.auto_id}_{part}" for part, there in parts if there and self.auto_id)


def kept_for(days: int) -> str:
    """Return how long an answer is kept, in whole years where that is what the days mean."""
    years, rest = divmod(days, 365)
    # A leap day makes no difference to what the sentence promises: the row is deleted by its days.
    if years and not rest:
        return ngettext("We keep your answer for one year.", "We keep your answer for %(years)d years.", years) % {
            "years": years
        }
    return ngettext("We keep your answer for one day.", "We keep your answer for %(days)d days.", days) % {"days": days}


class QuestionFormBuilder(FormBuilder):
    """Wagtail's form builder for ``Question`` rows: nothing is chosen beforehand, and every answer has a bound."""

    def create_singleline_field(self, field: Question, options: dict[str, Any]) -> forms.Field:
        return forms.CharField(**options, max_length=LONGEST_LINE)

    def create_multiline_field(self, field: Question, options: dict[str, Any]) -> forms.Field:
        return forms.CharField(**options, max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 4}))

    def create_number_field(self, field: Question, options: dict[str, Any]) -> forms.Field:
        widget = forms.NumberInput(attrs={"inputmode": "decimal"})
        return forms.DecimalField(**options, max_digits=18, decimal_places=6, widget=widget)

    def create_date_field(self, field: Question, options: dict[str, Any]) -> forms.Field:
        # The browser's own calendar sends this form, whatever the language.
        return forms.DateField(**options, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def create_dropdown_field(self, field: Question, options: dict[str, Any]) -> forms.Field:
        choices = [("", gettext("Please choose")), *self.get_formatted_field_choices(field)]
        return forms.ChoiceField(**options, choices=choices)

    def create_radio_field(self, field: Question, options: dict[str, Any]) -> forms.Field:
        choices = self.get_formatted_field_choices(field)
        if not field.required:
            # A choice that was made cannot be unmade without one of these.
            choices = [*choices, ("", gettext("No answer"))]
        return forms.ChoiceField(**options, choices=choices, widget=forms.RadioSelect)

    def create_checkboxes_field(self, field: Question, options: dict[str, Any]) -> forms.Field:
        options.pop("initial", None)
        choices = self.get_formatted_field_choices(field)
        return forms.MultipleChoiceField(**options, choices=choices, widget=forms.CheckboxSelectMultiple)

    def get_formatted_field_choices(self, field: Question) -> list[tuple[str, str]]:
        return [(choice, choice) for choice in field.choice_list]

    def get_field_options(self, field: Question) -> dict[str, Any]:
        # Help is plain text, whatever the site allows in Wagtail's own forms; the template escapes it.
        options = super().get_field_options(field)
        return {**options, "help_text": field.help_text, "initial": None}


class UnlockForm(forms.Form):
    """Base of the form behind a locked coupon; ``build_unlock_form`` adds the questions."""

    bound_field_class = QuestionField
    use_required_attribute = False

    @property
    def questions(self) -> list[BoundField]:
        """The fields without the newsletter's box."""
        return [bound for bound in self if bound.name != MARKETING_NAME]

    @property
    def marketing_box(self) -> BoundField | None:
        """The newsletter's box, or ``None`` if the campaign has none."""
        return self[MARKETING_NAME] if MARKETING_NAME in self.fields else None

    @property
    def answers(self) -> dict[str, Any]:
        """What was sent, by clean name, right or wrong: ``unlocking.unlock`` looks at each by itself (CO-9)."""
        return {bound.name: bound.data for bound in self.questions} if self.is_bound else {}

    @property
    def agrees_to_marketing(self) -> bool:
        """Whether the newsletter's box was ticked."""
        return self.is_bound and MARKETING_NAME in self.fields and bool(self[MARKETING_NAME].data)


def build_unlock_form(
    *,
    coupon: Coupon,
    data: Mapping[str, Any] | None = None,
    prefix: str = "answer",
    auto_id: str = "id_%s",
    questions: Sequence[Question] | None = None,
) -> UnlockForm:
    """Return the form that asks what the coupon's holder has not answered yet, and offers the newsletter's box (CO-9).

    The box is never ticked beforehand and decides nothing. ``data`` is what was sent (``request.POST``); ``questions``
    saves two queries where they are known. Pass ``form.answers`` and ``form.agrees_to_marketing`` to
    ``unlocking.unlock``.
    """
    asked = questions_for(coupon=coupon) if questions is None else questions
    fields = fields_for(asked)
    if coupon.campaign.marketing_text:
        fields[MARKETING_NAME] = forms.BooleanField(label=coupon.campaign.marketing_text, required=False, initial=False)
    form_class = type("BuiltUnlockForm", (UnlockForm,), fields)
    form: UnlockForm = form_class(data=data, prefix=prefix, auto_id=auto_id, label_suffix="")
    return form


def fields_for(questions: Sequence[Question]) -> dict[str, forms.Field]:
    """Return a form field for each question, by clean name, with its ``purpose`` and ``keep_days``."""
    fields: dict[str, forms.Field] = dict(QuestionFormBuilder(questions).formfields)
    for question in questions:
        field: Any = fields[question.clean_name]
        field.purpose, field.keep_days = question.purpose, question.keep_days
        field.error_messages["required"] = (
            _("Please choose an answer.") if question.has_choices else _("Please answer this question.")
        )
    return fields

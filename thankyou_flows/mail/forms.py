"""The form of the preference page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from ..models import Contact
from .preferences import ListChoice, Preferences, Wish

KEEP: Final = "keep"
#: What somebody can choose, and how long that is.
PAUSES: Final = {
    "none": timedelta(0),
    "two_weeks": timedelta(days=14),
    "one_month": timedelta(days=30),
    "three_months": timedelta(days=91),
}
#: How ``shown`` names the box of the follow-ups; no list has such a slug.
FOLLOW_UPS: Final = "+"

_CHOOSE: Final = {
    "required": _("Please choose one of these."),
    "invalid_choice": _("Please choose one of these."),
}


class PreferencesForm(forms.Form):
    """Lists, follow-ups, how often, and a pause. Only what was changed on the page is a wish: a page that lay open for a
    day undoes nothing that was done elsewhere since.
    """

    lists = forms.MultipleChoiceField(
        label=_("Letters"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "invalid_choice": _("One of these letters does not exist any more. Please look again."),
            "invalid_list": _("One of these letters does not exist any more. Please look again."),
        },
    )
    follow_ups = forms.BooleanField(label=_("Tips, reminders and offers after an order"), required=False)
    frequency = forms.ChoiceField(
        label=_("How often at most"),
        choices=Contact.Frequency.choices,
        widget=forms.RadioSelect,
        error_messages=_CHOOSE,
    )
    pause = forms.ChoiceField(label=_("A pause"), widget=forms.RadioSelect, error_messages=_CHOOSE)
    shown = forms.CharField(required=False, max_length=5000, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, preferences: Preferences) -> None:
        self.preferences = preferences
        was_on = [choice.mailing_list.slug for choice in preferences.lists if choice.is_on]
        pause = KEEP if preferences.paused_until else "none"
        shown = [
            *was_on,
            *([FOLLOW_UPS] if preferences.wants_follow_ups else []),
            # No list has a slug with a colon.
            f"frequency:{preferences.frequency}",
            f"pause:{pause}",
        ]
        super().__init__(
            data,
            initial={
                "lists": was_on,
                "follow_ups": preferences.wants_follow_ups,
                "frequency": preferences.frequency,
                "pause": pause,
                # Never empty: that would be a form that does not say it.
                "shown": " ".join(["shown:", *shown]),
            },
        )
        self.fields["lists"].choices = [  # type: ignore[attr-defined]
            (choice.mailing_list.slug, choice.mailing_list.title) for choice in preferences.lists
        ]
        self.fields["pause"].choices = self._pauses()  # type: ignore[attr-defined]

    @property
    def list_rows(self) -> list[tuple[Any, ListChoice]]:
        """Each list's box, and the list."""
        return list(zip(self["lists"], self.preferences.lists, strict=True))

    @property
    def wish(self) -> Wish:
        """What was changed on the page, once the form is valid."""
        was_on = self._was_on()
        wanted = set(self.cleaned_data["lists"])
        slugs = [choice.mailing_list.slug for choice in self.preferences.lists]
        follow_ups = self.cleaned_data["follow_ups"]
        frequency, pause = self.cleaned_data["frequency"], self.cleaned_data["pause"]
        return Wish(
            lists={slug: slug in wanted for slug in slugs if (slug in wanted) != (slug in was_on)},
            follow_ups=follow_ups if follow_ups != (FOLLOW_UPS in was_on) else None,
            frequency="" if f"frequency:{frequency}" in was_on else frequency,
            pause=None if f"pause:{pause}" in was_on else PAUSES.get(pause),
        )

    def _was_on(self) -> set[str]:
        shown = self.cleaned_data["shown"] or self.get_initial_for_field(self.fields["shown"], "shown")
        return set(shown.split())

    def _pauses(self) -> list[tuple[str, Any]]:
        choices: list[tuple[str, Any]] = [
            ("none", _("No pause")),
            ("two_weeks", _("Two weeks")),
            ("one_month", _("One month")),
            ("three_months", _("Three months")),
        ]
        until = self.preferences.paused_until
        if until is not None:
            day = date_format(localtime(until), "DATE_FORMAT")
            choices.insert(0, (KEEP, _("As now, until %(day)s") % {"day": day}))
            choices[1] = ("none", _("End the pause"))
        return choices

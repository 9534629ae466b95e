"""Forms for codes in bulk: how many of which campaign, or which file."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..bulk import OPEN_STATUSES
from ..models import Campaign, Question
from ..models.batches import LARGEST_BATCH

#: Two hundred thousand rows with an address each; more is another kind of file.
LARGEST_UPLOAD: Final = 20 * 1024 * 1024


class CampaignChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Campaigns by name, and which of them ask questions first. Needs a query set with ``does_ask``."""

    def label_from_instance(self, obj: Any) -> str:
        return gettext("%(campaign)s (asks questions first)") % {"campaign": obj} if obj.does_ask else str(obj)


class _ForCampaign(forms.Form):
    """What both need: a campaign that gets codes, and what it is for."""

    campaign = CampaignChoice(
        Campaign.objects.none(),
        label=_("Campaign"),
        help_text=_(
            "Drafts and running campaigns with single codes. Flyers can be printed before it begins. Where a campaign "
            "asks questions first, a code alone opens nothing: give customers the links of the file that you download "
            "here, column “unlock_url”."
        ),
    )
    note = forms.CharField(
        label=_("What it is for"),
        required=False,
        max_length=120,
        help_text=_("Only you and your colleagues see it. Example: Flyer at the spring fair"),
    )

    field_order = ("campaign", "quantity", "file", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaigns = Campaign.objects.filter(
            Q(ends_at=None) | Q(ends_at__gt=timezone.now()), status__in=OPEN_STATUSES
        ).exclude(code_type=Campaign.CodeType.WORD)
        campaigns = campaigns.annotate(does_ask=Exists(Question.objects.filter(campaign=OuterRef("pk"))))
        self.fields["campaign"].queryset = campaigns.order_by("title")  # type: ignore[attr-defined]


class OrderForm(_ForCampaign):
    """Many new codes."""

    quantity = forms.IntegerField(
        label=_("How many codes"),
        min_value=1,
        max_value=LARGEST_BATCH,
        help_text=_("Up to a million. A personal deadline does not run for them: nobody has got them yet."),
    )


class ImportForm(_ForCampaign):
    """Codes that are there already, in a file."""

    file = forms.FileField(
        label=_("CSV file"),
        help_text=_(
            "The first row names the columns. One is called “code”: 3 to 24 letters and digits each. If you like, add "
            "“uses”, “valid_until” (2026-05-31) and “holder_email”. Short codes can be guessed. "
            "The same file again does no harm."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv"}),
    )

    def clean_file(self) -> Any:
        """Refuse what is too large to be a list of codes."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST_UPLOAD:
            raise forms.ValidationError(
                _("This file has more than %(megabytes)s MB. Please split it."),
                params={"megabytes": LARGEST_UPLOAD // 1024**2},
            )
        return file

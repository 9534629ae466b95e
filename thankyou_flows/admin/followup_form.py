"""The form of a follow-up: its tabs, in the order of the owner's thoughts, and what its fields mean together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, HelpPanel, InlinePanel, MultiFieldPanel, ObjectList
from wagtail.admin.panels import TabbedInterface as Tabs

from coupons.admin.choosing import Module
from coupons.models import Campaign

from ..choosers import campaign_chooser_viewset
from ..followups.triggers import all_triggers, get_trigger
from ..mail.placeholders import validate_placeholders
from ..models import FollowUp, FollowUpStep, MessageKind

#: Blocks that make a mail advertising.
COUPON_BLOCKS: Final = frozenset({"coupon", "offer"})


def coupon_warning() -> str:
    return gettext(
        "A coupon makes this mail advertising, so it may not go to everybody who ordered. Choose “Follow-up” instead: "
        "then it goes to those who agreed, or were offered to object and did not."
    )


def brings_coupon(step: FollowUpStep) -> bool:
    """Return whether a mail brings or shows a coupon."""
    return step.campaign_id is not None or any(block.block_type in COUPON_BLOCKS for block in step.body)


def find_warnings(follow_up: FollowUp) -> Iterator[tuple[str, str]]:
    """Yield what does not stop a follow-up, but its owner should know: the field it is beside, and the text."""
    steps = list(follow_up.steps.all())
    if follow_up.kind == MessageKind.TRANSACTIONAL and any(brings_coupon(step) for step in steps):
        yield "kind", coupon_warning()
    campaigns = {step.campaign_id: step.campaign for step in steps if step.campaign is not None}
    for campaign in campaigns.values():
        if not campaign.is_running():
            yield "steps", _campaign_warning(campaign) % {"title": campaign}


def _campaign_warning(campaign: Campaign) -> str:
    """Say what becomes of the mails that bring the coupon of a campaign which does not run: as ``stops`` does it."""
    is_over = campaign.ends_at is not None and campaign.ends_at <= timezone.now()
    if campaign.status == Campaign.Status.PAUSED and not is_over:
        return gettext(
            "The campaign “%(title)s” is not running now: it is paused. Meanwhile the mails that bring its coupon wait. "
            "They go out when it runs again, unless their time is over by then."
        )
    return gettext(
        "The campaign “%(title)s” is not running now. Mails that bring its coupon are not sent unless it runs when they "
        "are due."
    )


class FollowUpForm(WagtailAdminModelForm):
    """Says beside each field what does not go together, in words that help (EM-11)."""

    class Media:
        js = (Module("thankyou_coupons/admin/campaign-form.js"),)
        css = {"all": ("thankyou_coupons/admin/admin.css", "thankyou_flows/admin/admin.css")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and not self.is_bound:
            for name, text in find_warnings(self.instance):
                if field := self.fields.get(name):
                    field.help_text = format_html('{} <strong class="ty-beside">{}</strong>', field.help_text, text)

    def clean(self) -> dict[str, Any]:
        """Refuse what may not be sent, or would be read as it stands. A preview of half a form is shown all the same."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.is_deferred_validation:
            return cleaned
        if "kind" in cleaned and "trigger" in cleaned:
            self._clean_kind(cleaned)
        if cleaned.get("kind") != MessageKind.NEWSLETTER and "mailing_list" in cleaned:
            # It is asked for a newsletter only, and may be left from another choice.
            cleaned["mailing_list"] = None
        self._clean_steps()
        return cleaned

    def _clean_kind(self, cleaned: dict[str, Any]) -> None:
        trigger, kind = get_trigger(cleaned["trigger"]), cleaned["kind"]
        if kind == MessageKind.TRANSACTIONAL and trigger is not None and not trigger.may_be_transactional:
            self.add_error(
                "kind",
                gettext(
                    "“%(trigger)s” is not something the customer waits for an answer to, so a mail about it is "
                    "advertising by law: please choose “Follow-up”."
                )
                % {"trigger": trigger.label},
            )
        if kind == MessageKind.NEWSLETTER and not cleaned.get("mailing_list"):
            self.add_error("mailing_list", gettext("Choose whose letter it is: only people on that list get it."))

    def _clean_steps(self) -> None:
        formset = self.formsets.get("steps")
        if formset is None:
            return
        # Checked now: only then an error can be added to what stands there.
        formset.is_valid()
        kept = [form for form in formset.forms if not form["DELETE"].data and self._is_filled(form)]
        if not kept and self.instance.is_on:
            self.add_error(
                None, gettext("This follow-up is switched on, so it needs a mail. Switch it off first to empty it.")
            )
        for form in kept:
            self._clean_texts(form)

    @staticmethod
    def _is_filled(form: Any) -> bool:
        return form.instance.pk is not None or form.has_changed()

    @staticmethod
    def _clean_texts(form: Any) -> None:
        for name in ("subject", "preheader", "body"):
            value = form.cleaned_data.get(name) if hasattr(form, "cleaned_data") else None
            if not value or name in form.errors:
                continue
            try:
                for text in texts_of(value):
                    validate_placeholders(text)
            except ValidationError as error:
                form.add_error(name, error)


def texts_of(value: Any) -> Iterator[str]:
    """Yield every text that an owner has typed, in a field or in the blocks of a mail."""
    if isinstance(value, str):
        yield value
    elif hasattr(value, "raw_data"):
        for child in value:
            yield from texts_of(child.value)
    elif hasattr(value, "source"):
        yield str(value.source)
    elif isinstance(value, dict):
        for child in value.values():
            yield from texts_of(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from texts_of(child)


def _when(field: str, *values: str) -> dict[str, str]:
    """Attributes that let a script show a panel only while another field has one of these values."""
    return {"data-ty-when": field, "data-ty-is": " ".join(values)}


def build_edit_handler() -> Any:
    """Return the form's tabs; the viewset binds them to the model."""
    return Tabs(
        [
            ObjectList(_mails(), heading=_("The mails")),
            ObjectList(_when_and_to_whom(), heading=_("When and to whom")),
        ],
        base_form_class=FollowUpForm,
    )


def _mails() -> list[Any]:
    backwards = [trigger.key for trigger in all_triggers() if trigger.before_end]
    return [
        FieldPanel("title"),
        HelpPanel(
            content=_("These mails go out before an end: “2 days” means two days before it."),
            attrs=_when("trigger", *backwards),
            classname="ty-warning",
        ),
        InlinePanel(
            "steps",
            heading=_("The mails"),
            label=_("Mail"),
            panels=[
                FieldRowPanel([FieldPanel("delay"), FieldPanel("delay_unit"), FieldPanel("at_time")]),
                FieldPanel("subject"),
                FieldPanel("preheader"),
                FieldPanel("body"),
                FieldPanel("campaign", widget=campaign_chooser_viewset.widget_class),
            ],
        ),
    ]


def _when_and_to_whom() -> list[Any]:
    helps = [
        HelpPanel(content=trigger.help, attrs=_when("trigger", trigger.key))
        for trigger in all_triggers()
        if trigger.help
    ]
    return [
        MultiFieldPanel([FieldPanel("trigger"), *helps], heading=_("When it begins")),
        MultiFieldPanel(
            [
                FieldPanel("kind"),
                HelpPanel(
                    content=_(
                        "A transactional mail goes to everybody, so it may only say what the customer needs to know: "
                        "no coupon, no offer, no request for a review."
                    ),
                    attrs=_when("kind", MessageKind.TRANSACTIONAL),
                ),
                HelpPanel(
                    content=_(
                        "It goes to customers who agreed, and to those who were offered to object when they ordered "
                        "and did not. Nobody gets more than one such mail a day."
                    ),
                    attrs=_when("kind", MessageKind.FOLLOW_UP),
                ),
                FieldPanel("mailing_list", attrs=_when("kind", MessageKind.NEWSLETTER)),
            ],
            heading=_("To whom"),
        ),
        FieldPanel("rules"),
        FieldPanel("stops_after_order", heading=_("Stop when the customer orders again")),
    ]

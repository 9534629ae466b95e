"""Ready-made follow-ups to start from: short, true, without pressure, and all off (EM-11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from django import forms
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.log_actions import log

from coupons.admin.formpage import FormPage

from ..models import FollowUp, FollowUpStep, MessageKind


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeMail:
    """One mail of a recipe. ``blocks`` are the kinds of blocks below its text, with what they say."""

    days: int
    subject: Any
    preheader: Any
    paragraphs: tuple[Any, ...]
    blocks: tuple[tuple[str, Mapping[str, Any]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A follow-up that somebody has thought of already."""

    key: str
    title: Any
    #: What it is good for, for the owner.
    why: Any
    trigger: str
    mails: tuple[RecipeMail, ...]
    kind: MessageKind = MessageKind.FOLLOW_UP
    stops_after_order: bool = True


RECIPES: Final = (
    Recipe(
        key="care",
        title=_("Thanks and care tips"),
        why=_(
            "Three days after the delivery, when the parcel is unpacked: a thank-you, and help if it is needed. Add two "
            "or three tips that only you can give."
        ),
        trigger="order_delivered",
        stops_after_order=False,
        mails=(
            RecipeMail(
                days=3,
                subject=_("Thank you, and how to keep it well"),
                preheader=_("So that you enjoy it for a long time."),
                paragraphs=(
                    _("Thank you for your order {order_number}. We hope that everything arrived well."),
                    _("It lasts longest when it is looked after from the first day. If you wonder how, just ask us."),
                    _("If something is not right, reply to this mail. A person reads it."),
                ),
                blocks=(("products", {"what": "bought", "count": 3, "heading": ""}),),
            ),
        ),
    ),
    Recipe(
        key="review",
        title=_("Would you review it?"),
        why=_(
            "Two weeks after the delivery. A kind question, and no reward: an honest word is worth more. If reviews are "
            "written on a page of yours, add a button that leads there."
        ),
        trigger="review_wanted",
        stops_after_order=False,
        mails=(
            RecipeMail(
                days=14,
                subject=_("How do you like it?"),
                preheader=_("A few honest words help us."),
                paragraphs=(
                    _("You have had your order {order_number} for a while now. How do you like it?"),
                    _("A few honest words help us to get better. Criticism is welcome too. Simply reply to this mail."),
                ),
                blocks=(("products", {"what": "bought", "count": 3, "heading": ""}),),
            ),
        ),
    ),
    Recipe(
        key="coupon_waiting",
        title=_("Your coupon is waiting"),
        why=_("Five days after a coupon was given and not used. Once only."),
        trigger="coupon_unused",
        mails=(
            RecipeMail(
                days=5,
                subject=_("Your coupon: {coupon_worth}"),
                preheader=_("Here it is once more, so that you need not search for it."),
                paragraphs=(
                    _("You have a coupon with us that is not used yet. Here it is once more, in case you want it."),
                ),
                blocks=(("coupon", {"heading": "", "how": ""}),),
            ),
        ),
    ),
    Recipe(
        key="coupon_ending",
        title=_("Your coupon is valid for two more days"),
        why=_("Two days before a coupon ends, if it is not used. It says the real end, once."),
        trigger="coupon_expiring",
        mails=(
            RecipeMail(
                days=2,
                subject=_("Your coupon is valid until {coupon_until}"),
                preheader=_("Just so that you know."),
                paragraphs=(
                    _(
                        "Your coupon with us is valid until {coupon_until}. If you do not need it, there is nothing to do."
                    ),
                ),
                blocks=(("coupon", {"heading": "", "how": ""}),),
            ),
        ),
    ),
    Recipe(
        key="wish_list",
        title=_("Still on your wish list"),
        why=_("Two weeks after the last change of a saved list: what is on it, as it is in the shop today."),
        trigger="list_untouched",
        mails=(
            RecipeMail(
                days=14,
                subject=_("Still on your list: {title}"),
                preheader=_("We have kept it for you."),
                paragraphs=(_("You saved these with us. We have kept your list “{title}” as you left it."),),
                blocks=(
                    ("products", {"what": "about", "count": 3, "heading": ""}),
                    ("button", {"text": _("Look at your list"), "page": None, "url": ""}),
                ),
            ),
        ),
    ),
    Recipe(
        key="come_back",
        title=_("Come back"),
        why=_(
            "Three months after the last order, and once more a month later. After that it is quiet. Say what is new, "
            "and what you like about it yourself."
        ),
        trigger="customer_quiet",
        mails=(
            RecipeMail(
                days=90,
                subject=_("A hello from {shop_name}"),
                preheader=_("A short letter from us."),
                paragraphs=(
                    _("It has been a while since your last order, so we wanted to say hello."),
                    _("If you would like to see what is in the shop today, here is the way. If not, that is fine too."),
                ),
                blocks=(("button", {"text": _("Look around"), "page": None, "url": ""}),),
            ),
            RecipeMail(
                days=120,
                subject=_("Hello once more from {shop_name}"),
                preheader=_("This is the last time that we ask."),
                paragraphs=(
                    _(
                        "We have not seen you for a while, and this is the last time that we ask. You are always welcome."
                    ),
                    _("If something was not as it should be, please reply and tell us. We read it."),
                ),
                blocks=(("button", {"text": _("Look around"), "page": None, "url": ""}),),
            ),
        ),
    ),
)

BY_KEY: Final[Mapping[str, Recipe]] = {recipe.key: recipe for recipe in RECIPES}


def build(recipe: Recipe) -> FollowUp:
    """Return a recipe as a follow-up that is off and not saved, in the active language."""
    follow_up = FollowUp(
        title=str(recipe.title),
        trigger=recipe.trigger,
        kind=recipe.kind,
        stops_after_order=recipe.stops_after_order,
    )
    follow_up.steps = [
        FollowUpStep(
            sort_order=number,
            delay=mail.days,
            delay_unit=FollowUpStep.Unit.DAYS,
            subject=str(mail.subject),
            preheader=str(mail.preheader),
            body=_body_of(mail),
        )
        for number, mail in enumerate(recipe.mails)
    ]
    return follow_up


def _body_of(mail: RecipeMail) -> list[tuple[str, Any]]:
    from wagtail.rich_text import RichText

    html = "".join(f"<p>{escape(str(paragraph), quote=False)}</p>" for paragraph in mail.paragraphs)
    more = [
        (kind, {name: value if value is None or isinstance(value, int) else str(value) for name, value in said.items()})
        for kind, said in mail.blocks
    ]
    return [("text", {"text": RichText(html)}), *more]


class RecipeForm(forms.Form):
    """Which one to begin with."""

    recipe = forms.ChoiceField(choices=[(recipe.key, recipe.title) for recipe in RECIPES])


class RecipesView(FormPage):
    """Shows the ready-made follow-ups; a button makes one of them the owner's own, switched off."""

    model = FollowUp
    permission_required = "add"
    form_class = RecipeForm
    template_name = "thankyou_flows/admin/recipes.html"
    header_icon = "copy"
    page_title = _("Start from a ready-made one")

    def get_back_url(self) -> str:
        return reverse("thankyou_flows_followup:index")

    def get_back_label(self) -> str:
        return gettext("Follow-ups")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        from .words import when_in_words

        shown = [(recipe, when_in_words(recipe.trigger, self._steps(recipe))) for recipe in RECIPES]
        return super().get_context_data(**kwargs, recipes=shown)

    @staticmethod
    def _steps(recipe: Recipe) -> list[FollowUpStep]:
        return [FollowUpStep(delay=mail.days, delay_unit=FollowUpStep.Unit.DAYS) for mail in recipe.mails]

    def form_valid(self, form: RecipeForm) -> HttpResponse:
        follow_up = build(BY_KEY[form.cleaned_data["recipe"]])
        with transaction.atomic():
            follow_up.save()
            log(instance=follow_up, action="wagtail.create", user=self.request.user)
        text = gettext("“%(title)s” is yours now, and off. Make its words your own, then switch it on.")
        messages.success(self.request, text % {"title": follow_up})
        if self.request.user.has_perm("thankyou_flows.change_followup"):
            return HttpResponseRedirect(reverse("thankyou_flows_followup:edit", args=[follow_up.pk]))
        return HttpResponseRedirect(self.get_back_url())

"""Blocks that promise something: a coupon for next time, and free shipping with a countdown that is true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from coupons.deadlines import extend
from coupons.exceptions import CouponError
from coupons.models import Campaign
from coupons.wording import good_for

from ..choosers import CampaignChooserBlock
from ..flow import Flow
from ..promises import Promise, give
from ..stores import get_store
from ..values import AccessLevel
from .base import SETTLED_STATES, Action, ActionBlock, Outcome
from .unlocking import LOCKED_COMMANDS, CouponForm, LockedForm, act_on_locked

if TYPE_CHECKING:
    from django import forms
    from django.http import HttpRequest

#: An offer that ends sooner than this shows its remaining time as a clock (DESIGN D6).
CLOCK_HOURS = 24


class PromiseBlock(ActionBlock):
    """What the coupon block and the offer block share: give, use, more time."""

    access_level = AccessLevel.LIMITED
    order_states = SETTLED_STATES
    form_class = CouponForm
    #: An offer with a countdown is not repeated for the same customer at once (CD-4).
    urgent = False

    def why_not_campaign(self, campaign: Campaign) -> str:
        """Return what the editor is told against this campaign in this block, or an empty text."""
        return ""

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        campaign = cleaned.get("campaign")
        if campaign and (reason := self.why_not_campaign(campaign)):
            raise blocks.StructBlockValidationError(block_errors={"campaign": ValidationError(reason)})
        return cleaned

    def is_shown(self, value: Mapping[str, Any], flow: Flow) -> bool:
        campaign = value.get("campaign")
        if campaign is None or not super().is_shown(value, flow):
            return False
        promise = flow.promises.of(campaign)
        if promise is None:
            return flow.promises.may_claim(campaign, urgent=self.urgent)
        return not promise.is_suspended

    def get_form(
        self, *, value: Any, flow: Flow, block_id: str = "", data: Mapping[str, Any] | None = None
    ) -> forms.Form:
        campaign = value.get("campaign")
        promise = flow.promises.of(campaign) if campaign else None
        if promise is None or not promise.is_locked:
            return super().get_form(value=value, flow=flow, block_id=block_id, data=data)
        return LockedForm(
            data,
            coupon=promise.coupon,
            is_preview=flow.is_preview,
            auto_id=f"id_{block_id}_%s" if block_id else "id_%s",
        )

    def get_context(self, value: Any, parent_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        context = super().get_context(value, parent_context=parent_context)
        flow: Flow = context["flow"]
        promise = flow.promises.of(value["campaign"])
        context["campaign"] = promise.coupon.campaign if promise is not None else value["campaign"]
        context["promise"] = promise
        if promise is not None and promise.is_locked and promise.coupon.deadline_minutes:
            context["good_for"] = good_for(promise.coupon.deadline_minutes)
        context["has_clock"] = promise is not None and self._has_clock(promise, flow)
        return context

    def _has_clock(self, promise: Promise, flow: Flow) -> bool:
        ends_at = promise.coupon.valid_until
        return ends_at is not None and 0 < (ends_at - flow.now).total_seconds() <= CLOCK_HOURS * 3600

    def prepare(self, *, value: Any, flow: Flow, request: HttpRequest) -> None:
        """Give the coupon with the order, and put it on this browser's next checkout where the shop can do that."""
        campaign = value.get("campaign")
        if not campaign or flow.order is None or not super().is_shown(value, flow):
            return
        store = get_store()
        coupon = give(
            order=flow.order, campaign=campaign, store=store, key=flow.customer_key, urgent=self.urgent, now=flow.now
        )
        if coupon is not None and self.urgent and store.can_apply_coupons and coupon.state == coupon.State.AVAILABLE:
            store.apply_coupon(request=request, coupon=coupon)

    def act(self, action: Action) -> Outcome:
        campaign: Campaign = action.value["campaign"]
        command = action.data["command"]
        try:
            if command == "claim":
                return self._claim(action, campaign)
            promise = action.flow.promises.of(campaign)
            if promise is None:
                raise ValidationError(_("There is nothing to use here yet."))
            if promise.is_locked:
                return act_on_locked(action, promise)
            if command in LOCKED_COMMANDS:
                return Outcome(code="unlocked")
            if command == "extend":
                return self._extend(action, promise)
            return self._use(action, promise)
        except CouponError as error:
            raise ValidationError(error.message) from error

    def _claim(self, action: Action, campaign: Campaign) -> Outcome:
        flow = action.flow
        assert flow.order is not None  # is_shown() has seen to that
        coupon = give(
            order=flow.order,
            campaign=campaign,
            store=get_store(),
            key=flow.customer_key,
            urgent=self.urgent,
            now=flow.now,
        )
        if coupon is None:
            raise ValidationError(_("This offer is not available at the moment."))
        return Outcome(code="claimed")

    def _use(self, action: Action, promise: Promise) -> Outcome:
        store = get_store()
        if promise.is_over:
            raise ValidationError(_("The time of this offer is over."))
        if not (store.can_apply_coupons and store.apply_coupon(request=action.request, coupon=promise.coupon)):
            return Outcome(code="type_it")
        return Outcome(code="applied", redirect_url=action.flow.shop_url)

    def _extend(self, action: Action, promise: Promise) -> Outcome:
        seen = action.data.get("seen")
        coupon = extend(
            coupon=promise.coupon,
            seen_extensions=promise.coupon.extensions if seen is None else seen,
            now=action.flow.now,
        )
        store = get_store()
        if store.has_own_discounts:
            store.publish_coupon(coupon=coupon)
        return Outcome(code="extended")


class CouponBlock(PromiseBlock):
    """A coupon for the next order."""

    heading = blocks.CharBlock(label=_("Heading"), required=False, default=_("For your next visit"), max_length=80)
    campaign = CampaignChooserBlock(
        label=_("Which coupon"), help_text=_("Each order gets one code of its own from this campaign.")
    )
    text = blocks.CharBlock(
        label=_("A sentence about it"),
        required=False,
        max_length=200,
        help_text=_("Example: Try something new with it."),
    )

    class Meta:
        icon = "tag"
        label = _("Coupon")
        group = _("Next step")
        template = "thankyou_flows/blocks/coupon.html"
        description = _("A code for the next order, with what it is worth and until when")


class UnlockBlock(PromiseBlock):
    """A coupon that is the customer's as soon as a few questions are answered (CO-9)."""

    heading = blocks.CharBlock(
        label=_("Heading"), required=False, default=_("May we ask you something?"), max_length=80
    )
    campaign = CampaignChooserBlock(
        label=_("Which coupon"),
        help_text=_("A campaign that asks questions. What it asks, and why, you write in the campaign."),
    )

    class Meta:
        icon = "lock-open"
        label = _("Coupon for a few answers")
        group = _("Next step")
        template = "thankyou_flows/blocks/coupon.html"
        description = _("Your questions, and a coupon as a thank-you for answering them")

    def why_not_campaign(self, campaign: Campaign) -> str:
        if not campaign.asks:
            return gettext("This campaign asks no questions. Add some to it first, or take the block “Coupon”.")
        return ""


class OfferBlock(PromiseBlock):
    """Free shipping (or another benefit) for a short time, with a countdown that tells the truth."""

    urgent = True

    heading = blocks.CharBlock(label=_("Heading"), required=False, default=_("Forgot something?"), max_length=80)
    campaign = CampaignChooserBlock(
        label=_("Which offer"),
        help_text=_(
            "A campaign with a personal deadline, for example 60 minutes. The same deadline decides the price at "
            "the checkout."
        ),
    )
    text = blocks.CharBlock(
        label=_("A sentence about it"),
        required=False,
        max_length=200,
        help_text=_("Say only what is true in your shop."),
    )
    button = blocks.CharBlock(label=_("Button"), required=False, default=_("Continue shopping"), max_length=40)

    class Meta:
        icon = "time"
        label = _("Countdown offer")
        group = _("Next step")
        template = "thankyou_flows/blocks/offer.html"
        description = _("Free shipping for the next hour: a true deadline, kept by the checkout")

    def why_not_campaign(self, campaign: Campaign) -> str:
        if not campaign.deadline_minutes:
            return gettext("This campaign has no personal deadline to count down to. Give it one first.")
        return ""

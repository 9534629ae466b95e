"""Whether a planned mail still makes sense: asked again just before it is sent (EM-12)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import Max, OuterRef, Q, Subquery

from coupons.holders import customer_key, verified_email_of
from coupons.models import Campaign, Coupon, Redemption

from ..mail.composing import DoNotSend, SendLater
from ..models import (
    Contact,
    FollowUp,
    FollowUpStep,
    Message,
    MessageKind,
    OrderRecord,
    Subscription,
    WhyNot,
)
from ..stores import get_store
from ..values import Order, OrderState
from .facts import facts_for_rules, find_order, order_number
from .planning import due_at, holds, kind_of
from .triggers import (
    CUSTOMER_QUIET,
    ORDER_DELIVERED,
    ORDER_PAID,
    ORDER_SHIPPED,
    REVIEW_WANTED,
    About,
    Trigger,
    get_trigger,
)

#: In which state an order must be for what its mail says.
_DELIVERED: Final = frozenset({OrderState.DELIVERED})
STATES: Final[Mapping[str, Collection[OrderState]]] = {
    ORDER_PAID.key: frozenset(state for state in OrderState if state.is_settled),
    ORDER_SHIPPED.key: frozenset({OrderState.SHIPPED, OrderState.DELIVERED}),
    ORDER_DELIVERED.key: _DELIVERED,
    REVIEW_WANTED.key: _DELIVERED,
}


def reconsider(message: Message, *, now: datetime) -> None:
    """Do nothing if the message still makes sense. Raises DoNotSend with the reason if it does not: its follow-up is off
    or deleted, its rules do not hold, the order was cancelled or refunded, the customer ordered again, the coupon was
    used, revoked or is over, the list changed, the price rose again; SendLater if what it counts back from has moved.

    Looks up a fixed number of things. Nothing is asked of a message that no follow-up planned.
    """
    if message.composer != "follow_up" and message.follow_up_id is None:
        return
    # Whoever claimed the message may have read its follow-up long ago.
    step = FollowUpStep.objects.select_related("follow_up", "campaign").filter(pk=message.step_id).first()
    trigger = get_trigger(message.reason)
    if step is None or trigger is None:
        raise DoNotSend(WhyNot.FOLLOW_UP_GONE)
    _check_follow_up(message, step.follow_up, trigger)
    number = order_number(message)
    order = get_store().get_order(number=number) if number else None
    if number:
        _check_order(message, order)
    if message.kind != MessageKind.TRANSACTIONAL and (step.follow_up.stops_after_order or trigger is CUSTOMER_QUIET):
        _check_ordered_again(message, trigger, number)
    _check_coupons(message, step, trigger, now)
    if trigger.about in _CHECKS:
        _CHECKS[trigger.about](message)
    if step.follow_up.rules:
        known = order or find_order(number="", email_key=message.email_key)
        if not holds(step.follow_up, facts_for_rules(order=known, now=now)):
            raise DoNotSend(WhyNot.RULES)


def since_when(message: Message, trigger: Trigger) -> datetime:
    """Return since when an order counts as another one: since what happened; where that is an end, since it was planned."""
    return message.created_at if trigger.before_end else message.happened_at


def _check_follow_up(message: Message, follow_up: FollowUp, trigger: Trigger) -> None:
    if not follow_up.is_on:
        raise DoNotSend(WhyNot.FOLLOW_UP_OFF)
    kind = kind_of(follow_up, trigger)
    # What was planned without need of a consent must not go out once the owner has said that it needs one (EM-11).
    is_stricter = message.kind == MessageKind.TRANSACTIONAL and kind != MessageKind.TRANSACTIONAL
    is_elsewhere = kind == MessageKind.NEWSLETTER and follow_up.mailing_list_id not in (None, message.mailing_list_id)
    if follow_up.trigger != trigger.key or is_stricter or is_elsewhere:
        raise DoNotSend(WhyNot.CHANGED)


def _check_order(message: Message, order: Order | None) -> None:
    if order is None:
        raise DoNotSend(WhyNot.ORDER_STATE)
    if order.state in (OrderState.CANCELLED, OrderState.REFUNDED):
        raise DoNotSend(WhyNot.ORDER_OVER)
    if order.state not in STATES.get(message.reason, OrderState):
        raise DoNotSend(WhyNot.ORDER_STATE)
    is_customers = message.reason in STATES or message.reason == CUSTOMER_QUIET.key
    if is_customers and customer_key(order.email) != message.email_key:
        # A typing error in the address was put right, or the customer has another one now.
        raise DoNotSend(WhyNot.CHANGED)


def _check_ordered_again(message: Message, trigger: Trigger, number: str) -> None:
    orders = OrderRecord.objects.of_customer(message.email_key).counting().exclude(number=number)
    if orders.filter(placed_at__gt=since_when(message, trigger)).exists():
        raise DoNotSend(WhyNot.ORDERED_AGAIN)


def _check_coupons(message: Message, step: FollowUpStep, trigger: Trigger, now: datetime) -> None:
    """Ask of the coupon that the mail is about, and of those that the mails before it brought: one query."""
    if step.campaign is not None:
        check_campaign(step.campaign, now)
    brought = Message.objects.filter(
        follow_up=step.follow_up_id, ref=message.ref, email_key=message.email_key, coupon__isnull=False
    )
    used = Redemption.objects.filter(coupon=OuterRef("pk")).order_by().values("coupon")
    # Of a word that everybody may use, only this person's uses are of interest.
    own = used.filter(Q(coupon__is_word=False) | Q(customer_key=message.email_key))
    redeemed = own.filter(state=Redemption.State.REDEEMED).annotate(last=Max("redeemed_at")).values("last")
    held = (
        own.filter(state=Redemption.State.RESERVED, expires_at__gt=now).annotate(last=Max("expires_at")).values("last")
    )
    coupons = Coupon.objects.filter(Q(pk=message.coupon_id) | Q(pk__in=brought.values("coupon")))
    annotated: Any = coupons.select_related("campaign").annotate(
        redeemed_last=Subquery(redeemed), held_until=Subquery(held)
    )
    found = list(annotated)
    if trigger.about == About.COUPON and message.coupon_id not in {coupon.pk for coupon in found}:
        raise DoNotSend(WhyNot.COUPON_OVER)
    for coupon in found:
        is_subject = coupon.pk == message.coupon_id and trigger.about == About.COUPON
        if coupon.redeemed_last is not None:
            raise DoNotSend(WhyNot.COUPON_USED)
        if coupon.held_until is not None:
            # A checkout has it on an order that is not paid yet. If that comes to nothing, the coupon is free again.
            raise SendLater(until=coupon.held_until, why=WhyNot.COUPON_HELD)
        if is_subject or coupon.campaign_id == step.campaign_id:
            _check_validity(coupon, now)
        if is_subject and trigger.before_end:
            _check_end(message, coupon, step, trigger, now)


def check_campaign(campaign: Campaign, now: datetime) -> None:
    """Do nothing if a mail can bring a coupon of this campaign. Raises SendLater while it is paused: tomorrow it may run
    again, and the mail's own time ends the waiting; DoNotSend if it has ended, is over or was never begun.
    """
    if campaign.is_running(now):
        return
    is_over = campaign.ends_at is not None and campaign.ends_at <= now
    if campaign.status == Campaign.Status.PAUSED and not is_over:
        raise SendLater(until=now + timedelta(days=1), why=WhyNot.COUPON_OVER)
    raise DoNotSend(WhyNot.COUPON_OVER)


def _check_validity(coupon: Coupon, now: datetime) -> None:
    is_good = coupon.state == Coupon.State.AVAILABLE and coupon.campaign.is_running(now)
    if not is_good or coupon.is_over(now) or (coupon.is_used_up() and coupon.is_word):
        raise DoNotSend(WhyNot.COUPON_OVER)


def _check_end(message: Message, coupon: Coupon, step: FollowUpStep, trigger: Trigger, now: datetime) -> None:
    """Wait if the end has moved: the mail counts back from where it is now."""
    end = coupon.valid_until
    if end is None:
        raise DoNotSend(WhyNot.CHANGED)
    if end != message.happened_at and (due := move(message, step=step, trigger=trigger, end=end)) > now:
        raise SendLater(until=due, why=WhyNot.CHANGED)


def move(message: Message, *, step: FollowUpStep, trigger: Trigger, end: datetime) -> datetime:
    """Note on a message that the end it counts back from is elsewhere now, and return when it is due. Its due time itself
    is moved only while no worker has it: a worker is told by SendLater.
    """
    zone = Contact.objects.filter(email_key=message.email_key).values_list("time_zone", flat=True).first() or ""
    due = due_at(step, happened_at=end, time_zone=zone, trigger=trigger)
    rows = Message.objects.open().filter(pk=message.pk)
    # The due time first: whoever is killed in between finds it again by its old end.
    rows.filter(state=Message.State.PLANNED).update(due_at=due)
    rows.update(happened_at=end, expires_at=end)
    message.happened_at, message.expires_at = end, end
    return due


def _check_list(message: Message) -> None:
    from wishlists.models import ProductList

    found = ProductList.objects.select_related("owner").filter(pk=_number(message.ref)).first()
    if found is None or found.changed_at > message.happened_at or not found.items.exists():
        raise DoNotSend(WhyNot.CHANGED)
    _check_owner(message, found.owner)


def _check_item(message: Message) -> None:
    from wishlists.models import CatalogEvent, ListItem
    from wishlists.news.finding import NEWS_KINDS
    from wishlists.news.happenings import still_holds

    event_pk, _colon, owner_pk = message.ref.partition(":")
    event = CatalogEvent.objects.filter(pk=_number(event_pk)).first()
    if event is None:
        raise DoNotSend(WhyNot.CHANGED)
    saved = ListItem.objects.filter(product_ref=event.product_ref, list__kind__in=NEWS_KINDS)
    try:
        owner: Any = owner_pk
        item = saved.filter(list__owner=owner).select_related("list__owner").first()
    except (ValueError, ValidationError):
        item = None
    if item is None or not still_holds(event, _card(event.product_ref)):
        raise DoNotSend(WhyNot.CHANGED)
    _check_owner(message, item.list.owner)


def _check_owner(message: Message, owner: Any) -> None:
    """Stop what would go to an address that the account has left behind."""
    if not owner.is_active or customer_key(verified_email_of(owner)) != message.email_key:
        raise DoNotSend(WhyNot.CHANGED)


def _card(ref: str) -> Any:
    from wishlists.catalog import get_catalog
    from wishlists.exceptions import NoCatalog

    try:
        return get_catalog().get_products(refs=[ref]).get(ref)
    except NoCatalog:
        return get_store().get_products(refs=[ref]).get(ref)


def _check_inquiry(message: Message) -> None:
    from wishlists.models import Inquiry

    if not Inquiry.objects.filter(pk=_number(message.ref), state=Inquiry.State.ANSWERED).exists():
        raise DoNotSend(WhyNot.CHANGED)


def _check_subscription(message: Message) -> None:
    rows = Subscription.objects.filter(pk=_number(message.ref), state=Subscription.State.CONFIRMED)
    if not rows.exists():
        raise DoNotSend(WhyNot.LEFT)


def _number(text: str) -> int:
    """Return a primary key; one of nobody's for what is none."""
    return int(text) if text.isdecimal() and len(text) < 19 else 0


_CHECKS: Final[Mapping[About, Callable[[Message], None]]] = {
    About.LIST: _check_list,
    About.ITEM: _check_item,
    About.INQUIRY: _check_inquiry,
    About.SUBSCRIPTION: _check_subscription,
}

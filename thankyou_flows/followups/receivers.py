"""What is heard from the shop, coupons and lists, and which messages are planned or stopped by it.

All of it comes after commit. A receiver that fails is logged and disturbs nobody (OP-4). What is stopped here would be
stopped before sending anyway (``stops.reconsider``); so the owner sees it at once.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import Q
from django.utils import timezone

from coupons.holders import customer_key
from coupons.models import Coupon, Redemption
from coupons.signals import coupon_issued, coupon_redeemed, coupon_revoked, coupon_unlocked, deadline_extended

from ..models import FollowUp, Message, WhyNot
from ..promises import URGENT_MINUTES, order_number_of
from ..signals import order_recorded, order_state_changed, subscription_confirmed
from ..values import Order, OrderState
from .people import person_of_account, person_of_coupon, person_of_order
from .planning import Occasion, Plans
from .stops import move
from .triggers import (
    BACK_IN_STOCK,
    COUPON_EXPIRING,
    COUPON_UNLOCKED,
    COUPON_UNUSED,
    CUSTOMER_QUIET,
    OFFER_ENDING,
    ORDER_DELIVERED,
    ORDER_PAID,
    ORDER_SHIPPED,
    PRICE_DROPPED,
    QUESTION_ANSWERED,
    REVIEW_WANTED,
    SELLING_OUT,
    SIGN_UP_CONFIRMED,
    About,
    Trigger,
    all_triggers,
)

if TYPE_CHECKING:
    from wishlists.models import CatalogEvent, Inquiry, ListItem

    from ..models import Subscription

logger = logging.getLogger(__name__)

Receiver = Callable[..., None]


def connect() -> None:
    """Listen to the shop's orders, to coupons, sign-ups and lists. Connecting twice does nothing more than once."""
    for name, signal, receiver in (
        ("order_recorded", order_recorded, on_order_recorded),
        ("order_state_changed", order_state_changed, on_order_state_changed),
        ("subscription_confirmed", subscription_confirmed, on_subscription_confirmed),
        ("coupon_issued", coupon_issued, on_coupon_issued),
        ("coupon_unlocked", coupon_unlocked, on_coupon_unlocked),
        ("deadline_extended", deadline_extended, on_deadline_extended),
        ("coupon_redeemed", coupon_redeemed, on_coupon_redeemed),
        ("coupon_revoked", coupon_revoked, on_coupon_revoked),
    ):
        signal.connect(receiver, dispatch_uid=f"thankyou_flows.follow_ups.{name}")
    if apps.is_installed("wishlists"):
        from wishlists.signals import back_in_stock, inquiry_answered, price_dropped, selling_out

        for name, signal, receiver in (
            ("price_dropped", price_dropped, on_price_dropped),
            ("back_in_stock", back_in_stock, on_back_in_stock),
            ("selling_out", selling_out, on_selling_out),
            ("inquiry_answered", inquiry_answered, on_inquiry_answered),
        ):
            signal.connect(receiver, dispatch_uid=f"thankyou_flows.follow_ups.{name}")


def quietly(receiver: Receiver) -> Receiver:
    """Let nothing out of a receiver: whoever caused the news is in the middle of something more important."""

    @functools.wraps(receiver)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            receiver(*args, **kwargs)
        except Exception:
            logger.exception("Follow-ups could not act on some news (%s).", receiver.__name__)

    return run


def anybody_waits(*triggers: Trigger) -> set[str]:
    """Return for which of these triggers a follow-up is switched on: one query, and for most news the only one."""
    keys = [trigger.key for trigger in triggers]
    return set(FollowUp.objects.filter(trigger__in=keys, is_on=True).order_by().values_list("trigger", flat=True))


# Orders ---------------------------------------------------------------------------------------------


@quietly
def on_order_recorded(*, order: Order, **_: Any) -> None:
    """Plan what a new order leads to, and stop what a second order ends. It may have been paid or shipped before we
    heard of it: as far as we know that was when it was placed.
    """
    state = OrderState(order.state)
    _plan_order(order, _reached(OrderState.PLACED, state), happened_at=order.placed_at)
    if state.is_settled:
        stop_ended_by_order(order)


@quietly
def on_order_state_changed(*, order: Order, old_state: str, new_state: str, **_: Any) -> None:
    """Plan what an order's next state leads to; stop what its cancellation or refund ends."""
    before, after = OrderState(old_state), OrderState(new_state)
    if after in (OrderState.CANCELLED, OrderState.REFUNDED):
        # By address first: there is no index on what is inside of JSON.
        by_ref = [trigger.key for trigger in all_triggers() if trigger.about in (About.ORDER, About.CUSTOMER)]
        is_about = Q(context__order=order.number) | Q(ref=order.number, reason__in=by_ref)
        about_it = Message.objects.of(customer_key(order.email)).filter(is_about)
        _stop(about_it.filter(composer="follow_up"), WhyNot.ORDER_OVER)
        return
    _plan_order(order, _reached(before, after), happened_at=timezone.now())
    if after.is_settled and not before.is_settled:
        stop_ended_by_order(order)


def _reached(before: OrderState, after: OrderState) -> list[Trigger]:
    """Return what has happened to an order between two states. An order that is shipped was paid, or will be: the shop
    trusts it. That it was on its way is only said while it is.
    """
    reached = []
    if after.is_settled and not before.is_settled:
        reached.append(ORDER_PAID)
    if after == OrderState.SHIPPED and before != OrderState.DELIVERED:
        reached.append(ORDER_SHIPPED)
    if after == OrderState.DELIVERED:
        reached += [ORDER_DELIVERED, REVIEW_WANTED]
    return reached


def _plan_order(order: Order, triggers: Sequence[Trigger], *, happened_at: datetime) -> None:
    wanted = anybody_waits(*triggers) if triggers else set()
    occasion = occasion_of_order(order, happened_at=happened_at) if wanted else None
    if occasion is None:
        return
    for trigger in triggers:
        if trigger.key in wanted:
            Plans(trigger.key).write(occasion)


def occasion_of_order(order: Order, *, happened_at: datetime) -> Occasion | None:
    """Return what there is to plan about an order; None if the shop keeps no address with it."""
    person = person_of_order(order)
    if person is None:
        return None
    return Occasion(
        email=person.email,
        ref=order.number,
        happened_at=happened_at,
        language=person.language,
        time_zone=person.time_zone,
        context={"order": order.number},
        order=order,
    )


def stop_ended_by_order(order: Order) -> int:
    """Stop what a customer's next order ends: follow-ups that stop then, about what happened before; return how many.

    Answers to what the customer did (transactional mail) are owed whatever is ordered next.
    """
    key = customer_key(order.email) if order.email else ""
    ends = [trigger.key for trigger in all_triggers() if trigger.before_end]
    # Of what counts back from an end, the planning is what came before.
    before = Q(happened_at__lt=order.placed_at) & ~Q(reason__in=ends)
    planned_before = Q(created_at__lt=order.placed_at, reason__in=ends)
    # No joins: an UPDATE over a join would not look again at the state of a row that it had to wait for.
    stopping = Q(follow_up__in=FollowUp.objects.filter(stops_after_order=True)) | Q(reason=CUSTOMER_QUIET.key)
    messages = Message.objects.of(key).marketing().filter(before | planned_before, stopping, follow_up__isnull=False)
    # What is about this very order stays. (Of rows without an order JSON says nothing, so that they are asked by key.)
    about_it = messages.filter(context__order=order.number).values("pk")
    return _stop(messages.exclude(pk__in=about_it), WhyNot.ORDERED_AGAIN)


# Coupons --------------------------------------------------------------------------------------------


@quietly
def on_coupon_issued(*, coupon: Coupon, **_: Any) -> None:
    """Plan the reminders of a coupon. One that waits for answers is reminded of once it is unlocked."""
    if coupon.state == Coupon.State.AVAILABLE:
        _plan_coupon(coupon, happened_at=coupon.issued_at)


@quietly
def on_coupon_unlocked(*, coupon: Coupon, **_: Any) -> None:
    """Plan what follows the unlocking, and the reminders that had to wait for it."""
    _plan_coupon(coupon, COUPON_UNLOCKED, happened_at=coupon.unlocked_at or timezone.now())


@quietly
def on_deadline_extended(*, coupon: Coupon, **_: Any) -> None:
    """Move what counts back from the deadline, and plan what was too late before."""
    trigger = ending_trigger(coupon)
    end = coupon.valid_until
    if end is None:
        return
    planned = Message.objects.open().filter(coupon=coupon, reason=trigger.key, step__isnull=False)
    for message in planned.exclude(happened_at=end).select_related("step"):
        assert message.step is not None  # noqa: S101 - asked for
        move(message, step=message.step, trigger=trigger, end=end)
    _plan_coupon(coupon, happened_at=coupon.unlocked_at or coupon.issued_at)


@quietly
def on_coupon_redeemed(*, coupon: Coupon, redemption: Redemption | None = None, **_: Any) -> None:
    """Stop the reminders of a coupon that was used, and the rest of the sequence that brought it."""
    messages = _about(coupon)
    if coupon.is_word:
        # Everybody may use a word: what one customer used stays news for the others.
        messages = messages.filter(email_key=redemption.customer_key if redemption is not None else "").exclude(
            email_key=""
        )
    _stop(messages, WhyNot.COUPON_USED)


@quietly
def on_coupon_revoked(*, coupon: Coupon, **_: Any) -> None:
    """Stop the reminders of a coupon that the shop took back."""
    triggers = [COUPON_UNUSED.key, COUPON_UNLOCKED.key, COUPON_EXPIRING.key, OFFER_ENDING.key]
    _stop(Message.objects.filter(coupon=coupon, reason__in=triggers), WhyNot.COUPON_OVER)


def ending_trigger(coupon: Coupon) -> Trigger:
    """Return what the end of a coupon is: a countdown for a personal deadline of up to a day, else an expiry."""
    is_urgent = coupon.deadline_minutes is not None and coupon.deadline_minutes <= URGENT_MINUTES
    return OFFER_ENDING if is_urgent else COUPON_EXPIRING


def coupon_occasions(
    coupon: Coupon, triggers: Sequence[Trigger], *, happened_at: datetime
) -> Iterator[tuple[Trigger, Occasion]]:
    """Yield what there is to plan about a coupon; nothing if nobody knows its holder's address."""
    person = person_of_coupon(coupon)
    if person is None:
        logger.debug("Nothing is planned about coupon %s: no address is known.", coupon.pk)
        return
    number = order_number_of(coupon)
    for trigger in triggers:
        at = coupon.valid_until if trigger.before_end else happened_at
        if at is not None:
            yield (
                trigger,
                Occasion(
                    email=person.email,
                    ref=str(coupon.pk),
                    happened_at=at,
                    language=person.language,
                    time_zone=person.time_zone,
                    coupon=coupon,
                    context={"order": number} if number else {},
                    order=person.order,
                ),
            )


def _plan_coupon(coupon: Coupon, *more: Trigger, happened_at: datetime) -> None:
    if coupon.is_word:
        return
    triggers = [*more, COUPON_UNUSED, ending_trigger(coupon)]
    wanted = anybody_waits(*triggers)
    triggers = [trigger for trigger in triggers if trigger.key in wanted]
    if triggers:
        for trigger, occasion in coupon_occasions(coupon, triggers, happened_at=happened_at):
            Plans(trigger.key).write(occasion)


def _about(coupon: Coupon) -> Any:
    """Return the messages about a coupon, and those of a sequence that has brought it."""
    found = Q(coupon=coupon)
    brought = Message.objects.filter(coupon=coupon, follow_up__isnull=False).exclude(email_key="")
    for follow_up, ref, email_key in brought.values_list("follow_up", "ref", "email_key").distinct():
        found |= Q(follow_up=follow_up, ref=ref, email_key=email_key)
    return Message.objects.filter(found, composer="follow_up")


# Lists, questions, sign-ups -------------------------------------------------------------------------


@quietly
def on_price_dropped(*, event: CatalogEvent, items: Sequence[ListItem], **_: Any) -> None:
    """Plan the mails about something that costs less."""
    _plan_items(PRICE_DROPPED, event, items)


@quietly
def on_back_in_stock(*, event: CatalogEvent, items: Sequence[ListItem], **_: Any) -> None:
    """Plan the mails about something that can be bought again."""
    _plan_items(BACK_IN_STOCK, event, items)


@quietly
def on_selling_out(*, event: CatalogEvent, items: Sequence[ListItem], **_: Any) -> None:
    """Plan the mails about something of which few are left."""
    _plan_items(SELLING_OUT, event, items)


def _plan_items(trigger: Trigger, event: CatalogEvent, items: Sequence[ListItem]) -> None:
    plans = Plans(trigger.key)
    if not plans.steps:
        return
    # One mail for each person, on however many of their lists it is.
    owners = {item.list.owner_id: item.list.owner for item in items}
    for owner in owners.values():
        person = person_of_account(owner)
        if person is not None:
            ref = f"{event.pk}:{owner.pk}"
            plans.write(
                Occasion(email=person.email, ref=ref, happened_at=event.at, context={"product": event.product_ref})
            )


@quietly
def on_inquiry_answered(*, inquiry: Inquiry, **_: Any) -> None:
    """Plan what follows the answer to a question."""
    if anybody_waits(QUESTION_ANSWERED):
        at = inquiry.answered_at or timezone.now()
        occasion = Occasion(
            email=inquiry.email, ref=str(inquiry.pk), happened_at=at, language=inquiry.language, context={}
        )
        Plans(QUESTION_ANSWERED.key).write(occasion)


@quietly
def on_subscription_confirmed(*, subscription: Subscription, **_: Any) -> None:
    """Plan the welcome of somebody who confirmed a sign-up."""
    if subscription.email and anybody_waits(SIGN_UP_CONFIRMED):
        Plans(SIGN_UP_CONFIRMED.key).write(occasion_of_subscription(subscription))


def occasion_of_subscription(subscription: Subscription) -> Occasion:
    """Return what there is to plan about a confirmed sign-up."""
    return Occasion(
        email=subscription.email,
        ref=str(subscription.pk),
        happened_at=subscription.confirmed_at or timezone.now(),
        language=subscription.language,
        context={},
        mailing_list=subscription.mailing_list,
    )


def _stop(messages: Any, why: WhyNot) -> int:
    from ..mail.outbox import stop

    return stop(messages=messages, why=why)

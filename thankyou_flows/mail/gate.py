"""The gate: whether a message may be sent to this person, now (EM-6, EM-11, EM-12). Asked just before sending.

:func:`standings` looks up what is known of the people, :func:`judge` decides without looking anything up, and
:func:`take_place` settles which of two messages is the next.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db.models import Q, prefetch_related_objects
from django.utils.dateparse import parse_date, parse_datetime

from ..conf import app_settings
from ..models import Contact, Ground, MailingList, Message, MessageKind, OrderRecord, Subscription, Suppression, WhyNot
from ..values import Objection, OrderState
from .caps import WINDOW, Place, give_place_back, rest_of, take_place
from .composing import DoNotSend, SendLater
from .links import list_behind
from .quiet import next_morning, zone_of
from .suppression import WHY_NOT, list_scope

__all__ = [
    "PastOrder",
    "Place",
    "Standing",
    "give_place_back",
    "judge",
    "next_morning",
    "order_number_of",
    "standings",
    "take_place",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastOrder:
    """An order that a message is about."""

    placed_at: datetime
    objection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of one person when the gate is asked."""

    #: Slugs of lists whose sign-up this person confirmed, and has not left since.
    confirmed: frozenset[str] = frozenset()
    #: Of these, those that cover follow-ups.
    confirmed_for_follow_ups: frozenset[str] = frozenset()
    #: Asked for, not confirmed.
    pending: frozenset[str] = frozenset()
    #: Was on it.
    left: frozenset[str] = frozenset()
    #: Suppressions: scope → reason.
    suppressed: Mapping[str, str] | None = None
    #: Newest order that is a sale (paid, and not given back): when, and whether an objection was offered or used.
    last_order_at: datetime | None = None
    objection: str = ""
    #: The orders that this person's messages are about, by number, as far as they are sales.
    orders: Mapping[str, PastOrder] | None = None
    #: Newest order, whatever became of it, at which this person objected.
    objected_at: datetime | None = None
    #: What the person chose.
    rest: timedelta | None = None
    paused_until: datetime | None = None
    time_zone: str = ""
    last_marketing_at: datetime | None = None
    last_marketing_key: str = ""
    sent_in_30_days: int = 0
    #: When there is room again under MAILS_IN_30_DAYS; None if there is room, or nobody has looked.
    room_at: datetime | None = None


def standings(messages: Collection[Message], *, now: datetime) -> dict[str, Standing]:
    """Return what is known of the people of these messages, by address key: a fixed number of queries, whatever the
    number of messages; a single one if all of them are transactional.

    Fetches lists and follow-ups of the messages too, where that was not done yet, so that :func:`judge` need not.
    """
    keys = {message.email_key for message in messages} - {""}
    suppressed: dict[str, dict[str, str]] = {}
    for key, scope, reason in Suppression.objects.of(*keys).values_list("email_key", "scope", "reason"):
        suppressed.setdefault(key, {})[scope] = reason
    marketing = [message for message in messages if message.kind != MessageKind.TRANSACTIONAL]
    about = {message.email_key for message in marketing} - {""}
    facts: dict[str, dict[str, object]] = {key: {"suppressed": suppressed.get(key, {})} for key in keys}
    if about:
        prefetch_related_objects(marketing, "mailing_list", "follow_up__mailing_list")
        for found in (
            _wishes(about),
            _consents(about),
            _sent(about, now=now),
            _orders(about, {order_number_of(message) for message in marketing} - {""}, now=now),
        ):
            for key, values in found.items():
                facts[key].update(values)
    return {key: Standing(**values) for key, values in facts.items()}  # type: ignore[arg-type]


def judge(*, message: Message, standing: Standing, now: datetime) -> Ground:
    """Return the ground on which this message may be sent now. Pure: kind × consent × state × cap.

    Transactional mail is stopped by nothing here but an address that does not exist, and a question for a sign-up by a
    complaint too. A newsletter needs a confirmed sign-up to its list; a follow-up one to its list, or to a list that
    covers follow-ups, or the soft opt-in: the order it is about (or the newest one) is paid, was placed when an objection
    was offered and not used, within SOFT_OPT_IN_DAYS, and nobody objected since. Raises DoNotSend, or SendLater for a
    pause, quiet hours, and the caps.
    """
    suppressed = standing.suppressed or {}
    everything = suppressed.get(Suppression.MARKETING, "")
    if message.kind == MessageKind.TRANSACTIONAL:
        stopping = {Suppression.Reason.BOUNCED}
        if message.composer == "confirmation":
            stopping.add(Suppression.Reason.COMPLAINED)
        if everything in stopping:
            raise DoNotSend(WHY_NOT[Suppression.Reason(everything)])
        return Ground.REQUEST
    if everything:
        raise DoNotSend(WHY_NOT[Suppression.Reason(everything)])
    if message.kind == MessageKind.NEWSLETTER:
        ground = _ground_of_newsletter(message, standing)
    else:
        ground = _ground_of_follow_up(message, standing, now=now)
    _ask_for_room(message, standing, now=now)
    return ground


def order_number_of(message: Message) -> str:
    """Return the number of the order that a message is about, as far as it says (``followups.facts.order_number``)."""
    from ..followups.facts import order_number

    return order_number(message)


# Grounds


def _ground_of_newsletter(message: Message, standing: Standing) -> Ground:
    mailing_list = list_behind(message)
    if mailing_list is None:
        raise DoNotSend(WhyNot.NO_CONSENT)
    _refuse_if_left(mailing_list, standing)
    if mailing_list.slug in standing.confirmed:
        return Ground.CONSENT
    raise DoNotSend(WhyNot.PENDING if mailing_list.slug in standing.pending else WhyNot.NO_CONSENT)


def _ground_of_follow_up(message: Message, standing: Standing, *, now: datetime) -> Ground:
    suppressed = standing.suppressed or {}
    objection = suppressed.get(Suppression.FOLLOW_UPS, "")
    if objection:
        raise DoNotSend(WHY_NOT[Suppression.Reason(objection)])
    mailing_list = list_behind(message)
    if mailing_list is not None:
        _refuse_if_left(mailing_list, standing)
        if mailing_list.slug in standing.confirmed:
            return Ground.CONSENT
    if any(f"{Suppression.LIST_PREFIX}{slug}" not in suppressed for slug in standing.confirmed_for_follow_ups):
        return Ground.CONSENT
    why = _why_no_soft_opt_in(message, standing, now=now)
    if why is None:
        return Ground.SOFT_OPT_IN
    is_pending = mailing_list is not None and mailing_list.slug in standing.pending
    raise DoNotSend(WhyNot.PENDING if is_pending and why == WhyNot.NO_CONSENT else why)


def _why_no_soft_opt_in(message: Message, standing: Standing, *, now: datetime) -> WhyNot | None:
    order = _counting_order(message, standing)
    if order is None:
        return WhyNot.NO_CONSENT
    objection = _objection_at(order)
    objected_since = standing.objected_at is not None and standing.objected_at >= order.placed_at
    if objection == Objection.USED or objected_since:
        return WhyNot.OBJECTED
    if objection != Objection.OFFERED:
        return WhyNot.NOT_OFFERED
    is_old = order.placed_at < now - timedelta(days=app_settings.soft_opt_in_days)
    return WhyNot.NO_CONSENT if is_old else None


def _counting_order(message: Message, standing: Standing) -> PastOrder | None:
    """Return the order whose objection counts: never a later one than the message is about, which would make good what
    was not offered then (EM-11).
    """
    number = order_number_of(message)
    if number:
        return (standing.orders or {}).get(number)
    if standing.last_order_at is None:
        return None
    return PastOrder(placed_at=standing.last_order_at, objection=standing.objection)


def _objection_at(order: PastOrder) -> str:
    since = offered_since()
    if order.objection == Objection.USED or since is None or order.placed_at < since:
        return order.objection
    return Objection.OFFERED


def _refuse_if_left(mailing_list: MailingList, standing: Standing) -> None:
    reason = (standing.suppressed or {}).get(list_scope(mailing_list), "")
    if reason:
        raise DoNotSend(WHY_NOT[Suppression.Reason(reason)])
    if mailing_list.slug in standing.left:
        raise DoNotSend(WhyNot.LEFT)


def offered_since() -> datetime | None:
    """Return since when every order offers an objection (OBJECTION_OFFERED_SINCE); None if that is not set, or is
    nothing that can be read.
    """
    setting = app_settings.objection_offered_since.strip()
    try:
        day = parse_date(setting)
        moment = datetime.combine(day, time.min) if day else parse_datetime(setting)
    except ValueError:
        return None
    if moment is None:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone_of(""))


# Time and number


def _ask_for_room(message: Message, standing: Standing, *, now: datetime) -> None:
    if standing.paused_until is not None and standing.paused_until > now:
        raise _later(standing.paused_until, WhyNot.PAUSED, standing)
    until = max(_rested_at(message, standing) or now, _room_at(standing, now=now) or now)
    if until > now:
        raise _later(until, WhyNot.TOO_MANY, standing)
    morning = next_morning(now, time_zone=standing.time_zone)
    if morning is not None:
        raise SendLater(until=morning, why=WhyNot.QUIET)


def _later(until: datetime, why: WhyNot, standing: Standing) -> SendLater:
    # Not twice: what has waited for a place would only be told then that it is night.
    return SendLater(until=next_morning(until, time_zone=standing.time_zone) or until, why=why)


def _rested_at(message: Message, standing: Standing) -> datetime | None:
    if standing.last_marketing_at is None or standing.last_marketing_key == message.key:
        return None
    return standing.last_marketing_at + max(standing.rest or timedelta(0), rest_of(Contact.Frequency.ALL))


def _room_at(standing: Standing, *, now: datetime) -> datetime | None:
    if standing.sent_in_30_days < app_settings.mails_in_30_days:
        return None
    return standing.room_at or now + timedelta(days=1)


# What is known


def _wishes(keys: Collection[str]) -> dict[str, dict[str, object]]:
    columns = ("email_key", "frequency", "paused_until", "time_zone", "last_marketing_at", "last_marketing_key")
    return {
        key: {
            "rest": Contact.RESTS.get(frequency),
            "paused_until": paused_until,
            "time_zone": time_zone,
            "last_marketing_at": last_at,
            "last_marketing_key": last_key,
        }
        for key, frequency, paused_until, time_zone, last_at, last_key in Contact.objects.filter(
            email_key__in=keys
        ).values_list(*columns)
    }


def _consents(keys: Collection[str]) -> dict[str, dict[str, object]]:
    columns = ("email_key", "state", "mailing_list__slug", "mailing_list__covers_follow_ups")
    names = {
        Subscription.State.CONFIRMED: "confirmed",
        Subscription.State.PENDING: "pending",
        Subscription.State.LEFT: "left",
    }
    found: dict[str, dict[str, set[str]]] = {}
    for key, state, slug, covers in Subscription.objects.filter(email_key__in=keys).values_list(*columns):
        lists = found.setdefault(key, {})
        lists.setdefault(names[state], set()).add(slug)
        if covers and state == Subscription.State.CONFIRMED:
            lists.setdefault("confirmed_for_follow_ups", set()).add(slug)
    return {key: {name: frozenset(slugs) for name, slugs in lists.items()} for key, lists in found.items()}


def _sent(keys: Collection[str], *, now: datetime) -> dict[str, dict[str, object]]:
    moments: dict[str, list[datetime]] = {}
    sent = Message.objects.marketing().filter(email_key__in=keys, sent_at__gt=now - WINDOW).order_by("-sent_at")
    for key, sent_at in sent.values_list("email_key", "sent_at"):
        if sent_at is not None:  # as the query says
            moments.setdefault(key, []).append(sent_at)
    cap = app_settings.mails_in_30_days
    return {
        key: {
            "sent_in_30_days": len(latest),
            # When the oldest of those that fill the month leaves it.
            "room_at": latest[cap - 1] + WINDOW if 0 < cap <= len(latest) else None,
        }
        for key, latest in moments.items()
    }


def _orders(keys: Collection[str], numbers: Collection[str], *, now: datetime) -> dict[str, dict[str, object]]:
    """Look up the newest sale, the newest objection, and the sales that messages are about. Older orders than the soft
    opt-in lasts are left out: they give no ground. An order that is not paid, or was given back, is no sale; the
    objection that was made with it counts.
    """
    recent = Q(placed_at__gte=now - timedelta(days=app_settings.soft_opt_in_days))
    found: dict[str, dict[str, object]] = {}
    columns = ("customer_key", "number", "state", "objection", "placed_at")
    orders = OrderRecord.objects.filter(recent | Q(number__in=numbers), customer_key__in=keys)
    rows = orders.order_by("-placed_at", "-pk").values_list(*columns)
    about: dict[str, dict[str, PastOrder]] = {}
    for key, number, state, objection, placed_at in rows:
        facts = found.setdefault(key, {})
        if objection == Objection.USED:
            facts.setdefault("objected_at", placed_at)
        if not OrderState(state).is_settled:
            continue
        if number in numbers:
            about.setdefault(key, {})[number] = PastOrder(placed_at=placed_at, objection=objection)
        facts.setdefault("last_order_at", placed_at)
        facts.setdefault("objection", objection)
    for key, named in about.items():
        found[key]["orders"] = named
    return found

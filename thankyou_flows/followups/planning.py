"""Something happened: plan the messages of the follow-ups that wait for it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from coupons.holders import customer_key
from coupons.models import Coupon

from ..conf import app_settings
from ..models import Contact, FollowUp, FollowUpStep, MailingList, Message, MessageKind, Suppression
from ..rules import Facts as RuleFacts
from ..rules import rules_hold
from ..values import Order
from .triggers import DOWNLOAD_DELIVERED, About, Trigger, get_trigger
from .zones import find_zone, moments_at, zone_or_shops

logger = logging.getLogger(__name__)

#: A longer reference goes into the dedupe key as a hash.
LONGEST_REF: Final = 80
#: What was typed into a form is no contact before it is confirmed.
TYPED: Final = frozenset({About.INQUIRY, About.DOWNLOAD})


def plan(
    *,
    trigger: str,
    email: str,
    ref: str,
    happened_at: datetime,
    language: str = "",
    time_zone: str = "",
    coupon: Coupon | None = None,
    context: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> list[Message]:
    """Plan all mails of all follow-ups that are switched on for ``trigger``, and return those that are new.

    ``ref`` names what it is about (see ``triggers.About``): of one follow-up, one person gets each mail once for the same
    ref. ``happened_at`` is when it happened, or for ``before_end`` triggers the end; what happened before the follow-up
    was switched on plans nothing. Each mail is due at ``due_at(step, …)``. The follow-up's rules are looked at now and
    again before sending. Consent is not looked at here: the gate does it when it counts (EM-6); only for somebody who asked
    for erasure nothing is written down that needs one. Whatever goes wrong is logged and raises nothing: this is called
    while a customer orders.
    """
    occasion = Occasion(
        email=email,
        ref=ref,
        happened_at=happened_at,
        language=language,
        time_zone=time_zone,
        coupon=coupon,
        context=context or {},
    )
    return Plans(trigger).write(occasion, now=now)


def report_download(
    *, email: str, name: str, url: str = "", language: str = "", at: datetime | None = None
) -> list[Message]:
    """Note that a download was delivered to somebody, for follow-ups. ``name`` is what it was ("Care guide")."""
    return plan(
        trigger=DOWNLOAD_DELIVERED.key,
        email=email,
        ref=name[:128],
        happened_at=at or timezone.now(),
        language=language,
        context={"title": name, "url": url},
    )


def due_at(step: FollowUpStep, *, happened_at: datetime, time_zone: str, trigger: Trigger) -> datetime:
    """Return when a mail should go out, in UTC: its delay after what happened, or before the end for ``before_end``
    triggers. With ``at_time`` it is the first moment at or after that (before an end: the last one at or before it) when
    the clocks in ``time_zone`` (IANA name; empty: the shop's) show this time. Quiet hours are the gate's (EM-12).
    """
    # A delay is a length of time: on a clock of UTC no hour is skipped or comes twice.
    moment = happened_at.astimezone(UTC)
    moment += -step.delay_span if trigger.before_end else step.delay_span
    if step.at_time is None:
        return moment
    zone = zone_or_shops(time_zone)
    today = moment.astimezone(zone).date()
    days = [today + timedelta(days=n) for n in (-1, 0, 1)]
    moments = [found for day in days for found in moments_at(step.at_time, day=day, zone=zone)]
    if trigger.before_end:
        return max(found for found in moments if found <= moment)
    return min(found for found in moments if found >= moment)


def kind_of(follow_up: FollowUp, trigger: Trigger) -> MessageKind:
    """Return what a follow-up's mails are: transactional only where its trigger allows that (EM-11)."""
    kind = MessageKind(follow_up.kind)
    is_allowed = kind != MessageKind.TRANSACTIONAL or trigger.may_be_transactional
    return kind if is_allowed else MessageKind.FOLLOW_UP


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One thing that happened to one person; the arguments of ``plan``."""

    email: str
    ref: str
    happened_at: datetime
    language: str = ""
    time_zone: str = ""
    coupon: Coupon | None = None
    context: Mapping[str, Any]
    #: The order it is about, if the caller has it at hand.
    order: Order | None = None
    #: The list that was signed up to.
    mailing_list: MailingList | None = None
    #: Which time it is, for what may come about again for the same ``ref``; each time has its mails.
    turn: str = ""

    @property
    def about(self) -> str:
        """What its mails are about, so that each is planned once."""
        return f"{self.ref}@{self.turn}" if self.turn else self.ref


class Plans:
    """The mails of all follow-ups that wait for one trigger, read once for any number of people."""

    def __init__(self, trigger: str, steps: list[FollowUpStep] | None = None) -> None:
        self._key = trigger
        self._trigger = get_trigger(trigger)
        if steps is not None:
            self.steps = steps

    @cached_property
    def steps(self) -> list[FollowUpStep]:
        """The mails with their follow-ups and lists: one query."""
        return list(_in_order(FollowUpStep.objects.filter(follow_up__in=FollowUp.objects.on(self._key))))

    def write(
        self, occasion: Occasion, *, steps: Iterable[FollowUpStep] | None = None, now: datetime | None = None
    ) -> list[Message]:
        """Plan these mails (all of them) for one person, and return those that are new. Raises nothing.

        Looks up a fixed number of things, however many mails there are; writes one row for each that is new.
        """
        try:
            # What fails in here must not spoil the caller's transaction.
            with transaction.atomic():
                return list(self._write(occasion, steps, now or timezone.now()))
        except Exception:
            logger.exception("Follow-ups of %s could not be planned; the shop goes on.", self._key)
            return []

    def _write(self, occasion: Occasion, steps: Iterable[FollowUpStep] | None, now: datetime) -> Iterator[Message]:
        if self._trigger is None:
            logger.warning("Nobody has registered the trigger %r.", self._key)
            return
        key = customer_key(occasion.email)
        wanted = list(self.steps if steps is None else steps)
        if not key or not wanted:
            if wanted:
                logger.debug("Nothing is planned for %s: no address is known.", self._key)
            return
        zone = occasion.time_zone if find_zone(occasion.time_zone) is not None else ""
        contact = Contact.objects.filter(email_key=key).first()
        usual_zone = zone or (contact.time_zone if contact is not None else "")
        wanted = [step for step in wanted if self._fits(step.follow_up, occasion)]
        due = {
            step.pk: due_at(step, happened_at=occasion.happened_at, time_zone=usual_zone, trigger=self._trigger)
            for step in wanted
        }
        wanted = [step for step in wanted if self._is_timely(step, due[step.pk], occasion, now)]
        wanted = self._without_known(wanted, key, occasion.about)
        wanted = self._welcome(wanted, key)
        holding = self._holding(wanted, occasion, key, now)
        wanted = [step for step in wanted if step.follow_up_id in holding]
        if not wanted:
            return
        contact = self._meet(occasion, contact, zone, now)
        language = occasion.language or (contact.language if contact is not None else "")
        for step in wanted:
            message = self._queue(step, occasion, key=key, language=language, due=due[step.pk], now=now)
            if message is not None:
                yield message

    def _fits(self, follow_up: FollowUp, occasion: Occasion) -> bool:
        """Tell whether a follow-up is meant: one for the people of a list does not greet those of another."""
        return (
            None in (occasion.mailing_list, follow_up.mailing_list) or occasion.mailing_list == follow_up.mailing_list
        )

    def _is_timely(self, step: FollowUpStep, due: datetime, occasion: Occasion, now: datetime) -> bool:
        """Tell whether there is still something to say, and whether it is this follow-up's business."""
        assert self._trigger is not None  # noqa: S101 - asked by the caller
        since = step.follow_up.switched_on_at
        if not self._trigger.before_end:
            is_business = self._trigger.looked_for or since is None or occasion.happened_at >= since
            ends_at = occasion.coupon.ends_at if occasion.coupon is not None else None
            # Of an offer of one hour nobody needs to be reminded in five days.
            return is_business and _worth_until(due) > now and (ends_at is None or due < ends_at)
        # Here the end is what happens. A reminder that would have come before the coupon itself is none; and whoever
        # switches a follow-up on today writes nobody whose reminder was due yesterday.
        coupon = occasion.coupon
        begun = (coupon.unlocked_at or coupon.issued_at) if coupon is not None else now
        return occasion.happened_at > now and due >= begun and (since is None or due >= since)

    def _without_known(self, steps: list[FollowUpStep], key: str, ref: str) -> list[FollowUpStep]:
        """Leave out what was planned before: one query, which spares one failing INSERT each."""
        keys = {dedupe_key(step, email_key=key, ref=ref): step for step in steps}
        known = set(Message.objects.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True)) if keys else set()
        return [step for name, step in keys.items() if name not in known]

    def _welcome(self, steps: list[FollowUpStep], key: str) -> list[FollowUpStep]:
        """Leave out what is not transactional for somebody who asked for erasure: nothing is kept of them again for a
        mail that the gate would not let out (EM-13). One query.
        """
        assert self._trigger is not None  # noqa: S101 - asked by the caller
        needed = [step for step in steps if kind_of(step.follow_up, self._trigger) == MessageKind.TRANSACTIONAL]
        if len(needed) == len(steps):
            return steps
        erased = Suppression.objects.of(key).filter(scope=Suppression.MARKETING, reason=Suppression.Reason.ERASED)
        return needed if erased.exists() else steps

    def _holding(self, steps: list[FollowUpStep], occasion: Occasion, key: str, now: datetime) -> set[int]:
        """Return the follow-ups whose rules hold now: the order is looked up once, and only if a rule wants it."""
        from .facts import facts_for_rules, find_order

        follow_ups = {step.follow_up_id: step.follow_up for step in steps}
        if not any(follow_up.rules for follow_up in follow_ups.values()):
            return set(follow_ups)
        order = occasion.order or find_order(number=str(occasion.context.get("order") or ""), email_key=key)
        facts = facts_for_rules(order=order, now=now)
        return {pk for pk, follow_up in follow_ups.items() if holds(follow_up, facts)}

    def _meet(self, occasion: Occasion, contact: Contact | None, zone: str, now: datetime) -> Contact | None:
        """Return the contact; not made for an address that somebody has only typed."""
        from ..mail.suppression import meet

        assert self._trigger is not None  # noqa: S101 - asked by the caller
        if contact is None and self._trigger.about in TYPED:
            return None
        if contact is not None and not occasion.language and not zone:
            return contact
        return meet(email=occasion.email, language=occasion.language, time_zone=zone, now=now)

    def _queue(
        self, step: FollowUpStep, occasion: Occasion, *, key: str, language: str, due: datetime, now: datetime
    ) -> Message | None:
        from ..mail.outbox import queue

        assert self._trigger is not None  # noqa: S101 - asked by the caller
        return queue(
            dedupe_key=dedupe_key(step, email_key=key, ref=occasion.about),
            email=occasion.email,
            composer="follow_up",
            reason=self._trigger.key,
            kind=kind_of(step.follow_up, self._trigger),
            context=dict(occasion.context),
            ref=occasion.ref,
            language=language,
            step=step,
            # Whoever has just confirmed a sign-up to a list may be greeted by it.
            mailing_list=step.follow_up.mailing_list or occasion.mailing_list,
            coupon=occasion.coupon,
            happened_at=occasion.happened_at,
            due_at=due,
            expires_at=occasion.happened_at if self._trigger.before_end else _worth_until(due),
            now=now,
        )


def plans_for(*triggers: Trigger) -> dict[str, Plans]:
    """Return the mails that wait for these triggers, by trigger; only of those for which one waits: one query."""
    keys = [trigger.key for trigger in triggers]
    found: dict[str, list[FollowUpStep]] = {}
    for step in _in_order(FollowUpStep.objects.filter(follow_up__trigger__in=keys, follow_up__is_on=True)):
        found.setdefault(step.follow_up.trigger, []).append(step)
    return {key: Plans(key, steps) for key, steps in found.items()}


def _in_order(steps: QuerySet[FollowUpStep]) -> QuerySet[FollowUpStep]:
    return steps.select_related("follow_up__mailing_list").order_by("follow_up_id", "sort_order", "pk")


def dedupe_key(step: FollowUpStep, *, email_key: str, ref: str) -> str:
    """Return what a mail is about, so that one person gets it once: at most 200 characters."""
    about = ref if len(ref) <= LONGEST_REF else hashlib.sha256(ref.encode("utf-8", "surrogatepass")).hexdigest()
    # Half of the hash still has 128 bits.
    return f"follow-up:{step.follow_up_id}:{step.pk}:{email_key[:34]}:{about}"


def holds(follow_up: FollowUp, facts: RuleFacts) -> bool:
    """Tell whether all rules of a follow-up hold. One that cannot be evaluated does not, and that is logged."""
    try:
        return rules_hold(follow_up.rules, facts)
    except Exception:
        logger.exception("The conditions of follow-up %s could not be evaluated.", follow_up.pk)
        return False


def _worth_until(due: datetime) -> datetime:
    return due + timedelta(days=app_settings.late_days)

"""Whom not to write to any more, and how that begins and ends (EM-6)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language

from coupons.holders import customer_key

from ..models import (
    ConsentReceipt,
    Contact,
    FollowUp,
    MailingList,
    Message,
    MessageKind,
    Subscription,
    Suppression,
    WhyNot,
)
from ..signals import contact_left

Reason = Suppression.Reason

#: The person's own wishes: a later wish of theirs overrules them. Nothing else does (EM-6).
OWN_WISHES: Final = (Reason.LEFT, Reason.OBJECTED, Reason.ERASED)
#: From the weakest to the strongest: there is one row a scope, and it says the strongest reason there is.
_STRENGTH: Final = (Reason.LEFT, Reason.OBJECTED, Reason.ERASED, Reason.MANUAL, Reason.COMPLAINED, Reason.BOUNCED)
#: What is said of a message that is not sent for it.
WHY_NOT: Final = {
    Reason.LEFT: WhyNot.LEFT,
    Reason.OBJECTED: WhyNot.OBJECTED,
    Reason.BOUNCED: WhyNot.BOUNCED,
    Reason.COMPLAINED: WhyNot.COMPLAINED,
    Reason.ERASED: WhyNot.ERASED,
    Reason.MANUAL: WhyNot.BY_HAND,
}


def suppress(
    *, email_key: str, scope: str, reason: Suppression.Reason, message_key: str = "", now: datetime | None = None
) -> bool:
    """Note that this person must not get mail of this scope (``Suppression.MARKETING``, ``FOLLOW_UPS`` or
    ``list_scope(list)``) and stop what is planned; return whether that is new. Idempotent, and effective at once: what a
    worker has claimed but not handed over is stopped too. Follow-ups that the scope does not stop, but that may have
    stood on this list, are taken out of the worker's hands, and the gate is asked anew.

    There is one row for each scope, and a stronger reason takes over a weaker one: a person's own wish can be taken
    back, an address that does not exist cannot. Announces nothing: :func:`leave` does. Raises ValueError without a key.
    """
    from .outbox import stop

    if not email_key:
        raise ValueError("A suppression needs to know whom.")
    now = now or timezone.now()
    reason = Reason(reason)
    with transaction.atomic():
        row, is_new = Suppression.objects.get_or_create(
            email_key=email_key, scope=scope, defaults={"reason": reason, "message_key": message_key, "at": now}
        )
        if not is_new:
            weaker = _STRENGTH[: _STRENGTH.index(reason)]
            known = Suppression.objects.filter(pk=row.pk, reason__in=weaker)
            is_new = bool(known.update(reason=reason, message_key=message_key, at=now))
        stop(messages=_stopped_by(email_key, scope), why=WHY_NOT[reason], now=now)
        if is_new and scope.startswith(Suppression.LIST_PREFIX):
            _ask_anew(email_key)
    return is_new


def list_scope(mailing_list: MailingList) -> str:
    """Return the scope of one list."""
    return f"{Suppression.LIST_PREFIX}{mailing_list.slug}"


def leave(
    *,
    email_key: str,
    mailing_list: MailingList | None = None,
    everything: bool = False,
    follow_ups: bool = False,
    method: ConsentReceipt.Method = ConsentReceipt.Method.LINK,
    message: Message | None = None,
    now: datetime | None = None,
) -> None:
    """Take this person off one list; without a list, or with ``follow_ups``, off the follow-ups (an objection); with
    ``everything`` off all of it.

    Works for an erased person too, by the key. Keeps a receipt for each list that was left, marks ``message`` as what led
    to it, and announces ``contact_left`` after commit, once (a list and the follow-ups are two pieces of news).
    Idempotent. Raises ValueError without a key.
    """
    if not email_key:
        raise ValueError("Nobody can leave without a key.")
    now = now or timezone.now()
    message_key = message.key if message is not None else ""
    with transaction.atomic():
        left = _leave_lists(email_key, mailing_list, everything=everything, method=method, now=now)
        scopes = _scopes_of(mailing_list, left, everything=everything, follow_ups=follow_ups)
        news = [
            scope
            for scope, reason in scopes.items()
            if suppress(email_key=email_key, scope=scope, reason=reason, message_key=message_key, now=now)
        ]
        if left:
            _ask_anew(email_key)
        widest = next(iter(scopes))
        if everything:
            news = [widest] if left or news else []
        elif left and widest not in news:
            news = [widest, *news]
        if message is not None and message.email_key == email_key:
            Message.objects.filter(pk=message.pk, left_at=None).update(left_at=now)
        for scope in news:
            facts = {"email_key": email_key, "scope": scope, "message_key": message_key}
            transaction.on_commit(partial(contact_left.send_robust, sender=Suppression, **facts), robust=True)


def lift(*, email_key: str, mailing_list: MailingList) -> None:
    """End the suppressions that this person has just overruled by confirming a sign-up: the list's own and "everything",
    if it was the person's own wish (left, objected, erased). Bounces and complaints stay.

    A yes to a list that covers follow-ups is a yes to follow-ups. A yes to any other list after "leave all" is not:
    the objection to follow-ups stays behind, though none was written apart.
    """
    with transaction.atomic():
        overruled = Suppression.objects.of(email_key).filter(reason__in=OWN_WISHES)
        scopes = [list_scope(mailing_list), Suppression.MARKETING]
        if mailing_list.covers_follow_ups:
            scopes.append(Suppression.FOLLOW_UPS)
        else:
            everything = overruled.filter(scope=Suppression.MARKETING).first()
            if everything is not None:
                suppress(
                    email_key=email_key,
                    scope=Suppression.FOLLOW_UPS,
                    reason=Reason(everything.reason),
                    message_key=everything.message_key,
                    now=everything.at,
                )
        overruled.filter(scope__in=scopes).delete()


def allow_follow_ups(*, email_key: str) -> None:
    """Take an objection to follow-ups back, because the person wants that: with it goes "leave all", if it was this
    person's own wish. The lists that were left stay left; bounces and complaints stay.
    """
    scopes = [Suppression.FOLLOW_UPS, Suppression.MARKETING]
    Suppression.objects.of(email_key).filter(scope__in=scopes, reason__in=OWN_WISHES).delete()


def meet(
    *, email: str, language: str = "", time_zone: str = "", acted: bool = False, now: datetime | None = None
) -> Contact:
    """Return the contact of an address, made if need be; newer language and zone win, empty ones change nothing.

    ``acted`` notes that the person did something of their own (EM-13). Raises ValueError for no address.
    """
    now = now or timezone.now()
    address = unicodedata.normalize("NFKC", email).strip()
    email_key = customer_key(address)
    if not email_key:
        raise ValueError("A contact needs an address.")
    news = {"language": language[:16], "time_zone": time_zone[:64]}
    news = {field: value for field, value in news.items() if value}
    defaults = {"email": address, "created_at": now, "last_action_at": now, **news}
    contact, created = Contact.objects.get_or_create(email_key=email_key, defaults=defaults)
    if created:
        return contact
    changes: dict[str, str | datetime] = {
        field: value for field, value in news.items() if getattr(contact, field) != value
    }
    if acted and contact.last_action_at < now:
        changes["last_action_at"] = now
    if changes:
        Contact.objects.filter(pk=contact.pk).update(**changes)
        for field, value in changes.items():
            setattr(contact, field, value)
    return contact


def _stopped_by(email_key: str, scope: str) -> QuerySet[Message]:
    messages = Message.objects.of(email_key).open().marketing()
    if scope == Suppression.FOLLOW_UPS:
        return messages.filter(kind=MessageKind.FOLLOW_UP)
    if scope.startswith(Suppression.LIST_PREFIX):
        lists = MailingList.objects.filter(slug=scope.removeprefix(Suppression.LIST_PREFIX))
        # No joins: an UPDATE over a join would not look again at the state of a row that it had to wait for.
        of_list = Q(mailing_list__in=lists) | Q(follow_up__in=FollowUp.objects.filter(mailing_list__in=lists))
        return messages.filter(of_list)
    return messages


def _ask_anew(email_key: str) -> None:
    """Give this person's follow-ups back that a worker has claimed: what it has read of the person is out of date. Those
    that wait are touched, too: so nobody claims one before this transaction has ended.
    """
    follow_ups = Message.objects.of(email_key).open().filter(kind=MessageKind.FOLLOW_UP)
    follow_ups.update(state=Message.State.PLANNED, worker="", lease_until=None)


def _leave_lists(
    email_key: str,
    mailing_list: MailingList | None,
    *,
    everything: bool,
    method: ConsentReceipt.Method,
    now: datetime,
) -> list[Subscription]:
    """Move the sign-ups that end by this, keep a receipt of each, and return them."""
    from ..newsletter.lists import describe

    if mailing_list is None and not everything:
        return []
    signed_up = Subscription.objects.filter(email_key=email_key).exclude(state=Subscription.State.LEFT)
    if not everything:
        signed_up = signed_up.filter(mailing_list=mailing_list)
    # In the same order for everybody: two who leave at the same moment wait for each other only once.
    left = list(signed_up.select_related("mailing_list").select_for_update(of=("self",)).order_by("pk"))
    if not left:
        return []
    Subscription.objects.filter(pk__in=[row.pk for row in left]).update(state=Subscription.State.LEFT, left_at=now)
    ConsentReceipt.objects.bulk_create(
        ConsentReceipt(
            subscription=row,
            kind=ConsentReceipt.Kind.LEFT,
            method=method,
            purpose=describe(row.mailing_list)[:500],
            language=(get_language() or "")[:16],
        )
        for row in left
    )
    return left


def _scopes_of(
    mailing_list: MailingList | None, left: Iterable[Subscription], *, everything: bool, follow_ups: bool
) -> dict[str, Suppression.Reason]:
    """Return what is not sent any more, the widest first, and why."""
    if everything:
        lists = {list_scope(row.mailing_list): Reason.LEFT for row in left}
        return {Suppression.MARKETING: Reason.LEFT, Suppression.FOLLOW_UPS: Reason.OBJECTED, **lists}
    objection = {Suppression.FOLLOW_UPS: Reason.OBJECTED}
    if mailing_list is None:
        return objection
    return {list_scope(mailing_list): Reason.LEFT, **(objection if follow_ups else {})}

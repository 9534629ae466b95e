"""What a person wants to get, how often, and when not: the preference page's verbs (EM-5, EM-6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language

from coupons.holders import customer_key

from ..models import ConsentReceipt, Contact, MailingList, Message, Subscription, Suppression
from ..signals import subscription_confirmed
from .links import Holder
from .suppression import OWN_WISHES, allow_follow_ups, leave, lift, list_scope, meet

State = Subscription.State

#: What the receipt of a list that was ticked here names as its form.
SOURCE: Final = "preferences"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChoice:
    """One list as its reader sees it."""

    mailing_list: MailingList
    is_on: bool
    #: Asked for, and not confirmed yet.
    is_pending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a person gets, as far as that is this person's choice."""

    email: str
    lists: tuple[ListChoice, ...]
    wants_follow_ups: bool
    frequency: str
    paused_until: datetime | None
    #: Nothing is sent, and that is nobody's choice: bounced, complained, or entered by hand.
    is_blocked: bool
    #: Whether this address is known to be this person's: a list that is ticked then needs no second mail (EM-1).
    is_proven: bool

    @property
    def masked_email(self) -> str:
        """The address for a page that anybody with the link can open: enough to recognise one's own."""
        return masked(self.email)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person has changed; what is not named here stays as it is."""

    #: Slug → whether it is wanted.
    lists: Mapping[str, bool] = field(default_factory=dict)
    follow_ups: bool | None = None
    frequency: str = ""
    #: Pause for so long from now; zero ends a pause.
    pause: timedelta | None = None


def read_preferences(*, holder: Holder, now: datetime | None = None) -> Preferences | None:
    """Return a person's preferences; None for somebody of whom nothing is kept (unknown, or erased). Changes nothing.

    Offers the lists that are open, and those that the person is on. Always the same number of queries.
    """
    now = now or timezone.now()
    contact = Contact.objects.filter(email_key=holder.email_key).first()
    rows = Subscription.objects.filter(email_key=holder.email_key).select_related("mailing_list")
    signed_up = {row.mailing_list_id: row for row in rows.order_by("pk")}
    email = contact.email if contact is not None else next((row.email for row in signed_up.values() if row.email), "")
    suppressed = dict(Suppression.objects.of(holder.email_key).values_list("scope", "reason"))
    offered = MailingList.objects.filter(Q(is_open=True) | Q(pk__in=_on(signed_up, State.CONFIRMED))).order_by("title")
    choices = tuple(_choice(each, signed_up, suppressed) for each in offered)
    if not email:
        return None
    everything = suppressed.get(Suppression.MARKETING, "")
    is_paused = contact is not None and contact.is_paused(now)
    return Preferences(
        email=email,
        lists=choices,
        wants_follow_ups=not everything and Suppression.FOLLOW_UPS not in suppressed,
        frequency=contact.frequency if contact is not None else Contact.Frequency.ALL,
        paused_until=contact.paused_until if contact is not None and is_paused else None,
        is_blocked=bool(everything) and everything not in OWN_WISHES,
        is_proven=bool(holder.message_key) or bool(_on(signed_up, State.CONFIRMED)),
    )


def save_preferences(
    *, holder: Holder, wish: Wish, path: str = "", ip_key: str = "", now: datetime | None = None
) -> bool:
    """Keep what a person wishes, all of it or nothing; return whether a mail went out that has to be confirmed first.

    A list that is ticked by somebody who has proved the address is consent, with a receipt; from anybody else it is a
    request for a confirmation mail. ``path`` is where (a pattern, without the token), ``ip_key`` whose attempts these are.

    Raises LookupError for a person of whom nothing is kept, ValueError for a frequency that does not exist, and what
    ``newsletter.subscribe`` raises.
    """
    now = now or timezone.now()
    if wish.frequency and wish.frequency not in Contact.Frequency.values:
        raise ValueError(f"There is no frequency {wish.frequency!r}.")
    with transaction.atomic():
        known = read_preferences(holder=holder, now=now)
        if known is None:
            raise LookupError("Nothing is kept of this person.")
        contact = meet(email=known.email, acted=True, now=now)
        _save_rhythm(contact, wish, now=now)
        if wish.follow_ups:
            allow_follow_ups(email_key=holder.email_key)
        elif wish.follow_ups is not None:
            leave(email_key=holder.email_key, message=message_of(holder), now=now)
        is_asked = False
        for choice in known.lists:
            wanted = wish.lists.get(choice.mailing_list.slug)
            if wanted is None or wanted == choice.is_on:
                continue
            if not wanted:
                leave(email_key=holder.email_key, mailing_list=choice.mailing_list, message=message_of(holder), now=now)
            elif known.is_proven:
                _join(known.email, choice.mailing_list, path=path, ip_key=ip_key, now=now)
            else:
                _ask(known.email, choice.mailing_list, path=path, ip_key=ip_key)
                is_asked = True
    return is_asked


def leave_all(*, holder: Holder, now: datetime | None = None) -> None:
    """Stop everything but the mails that answer what this person does. Works for somebody unknown, too. Idempotent."""
    leave(email_key=holder.email_key, everything=True, message=message_of(holder), now=now)


def message_of(holder: Holder) -> Message | None:
    """Return the message that brought a person's link; None if there is none, or it is not kept any more."""
    if not holder.message_key:
        return None
    messages = Message.objects.of(holder.email_key).select_related("mailing_list", "follow_up__mailing_list")
    return messages.filter(key=holder.message_key).first()


def wording_of(mailing_list: MailingList) -> str:
    """Return what a person reads beside the box of a list, word by word: that is what a tick agrees to (EM-4)."""
    return " ".join(part for part in (f"{mailing_list.title}:", mailing_list.purpose, mailing_list.promise) if part)


def masked(email: str) -> str:
    """Return an address that only its owner recognises: ``a***@example.com``."""
    local, _at, domain = email.rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}***@{domain}"


def _on(signed_up: Mapping[int, Subscription], state: State) -> list[int]:
    return [pk for pk, row in signed_up.items() if row.state == state]


def _choice(
    mailing_list: MailingList, signed_up: Mapping[int, Subscription], suppressed: Mapping[str, str]
) -> ListChoice:
    row = signed_up.get(mailing_list.pk)
    state = row.state if row is not None else ""
    is_suppressed = Suppression.MARKETING in suppressed or list_scope(mailing_list) in suppressed
    return ListChoice(
        mailing_list=mailing_list,
        is_on=state == State.CONFIRMED and not is_suppressed,
        is_pending=state == State.PENDING,
    )


def _save_rhythm(contact: Contact, wish: Wish, *, now: datetime) -> None:
    changes: dict[str, str | datetime | None] = {}
    if wish.frequency and wish.frequency != contact.frequency:
        changes["frequency"] = wish.frequency
    if wish.pause is not None:
        changes["paused_until"] = now + wish.pause if wish.pause else None
    if changes:
        Contact.objects.filter(pk=contact.pk).update(**changes)


def _join(email: str, mailing_list: MailingList, *, path: str, ip_key: str, now: datetime) -> None:
    """Put somebody on a list who has proved the address: the tick on this page is the consent, and its receipt says so.
    What else belongs to a confirmed sign-up happens as in ``newsletter.confirm``.
    """
    from ..newsletter import incentives
    from ..newsletter.lists import describe
    from ..newsletter.receipts import kept_ip

    language = (get_language() or "")[:16]
    row, _created = Subscription.objects.get_or_create(
        mailing_list=mailing_list,
        email_key=customer_key(email),
        defaults={"email": email, "language": language},
    )
    lift(email_key=row.email_key, mailing_list=mailing_list)
    # The WHERE makes one of two presses the one that joins.
    others = Subscription.objects.filter(pk=row.pk).exclude(state=State.CONFIRMED)
    if not others.update(state=State.CONFIRMED, email=email, language=language, confirmed_at=now, left_at=None):
        return
    ConsentReceipt.objects.create(
        subscription=row,
        kind=ConsentReceipt.Kind.CONFIRMED,
        method=ConsentReceipt.Method.LINK,
        purpose=describe(mailing_list)[:500],
        wording=wording_of(mailing_list),
        source=SOURCE,
        path=path[:500],
        language=language,
        ip=kept_ip(ip_key),
    )
    row.refresh_from_db()
    incentives.give(subscription=row, now=now)
    announce = partial(subscription_confirmed.send_robust, sender=Subscription, subscription=row)
    transaction.on_commit(announce, robust=True)


def _ask(email: str, mailing_list: MailingList, *, path: str, ip_key: str) -> None:
    from ..newsletter import subscribe

    subscribe(
        email=email,
        wording=wording_of(mailing_list),
        list_slug=mailing_list.slug,
        method=ConsentReceipt.Method.ACCOUNT,
        source=SOURCE,
        path=path,
        language=get_language() or "",
        ip_key=ip_key,
    )

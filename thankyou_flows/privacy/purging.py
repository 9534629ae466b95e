"""Deletes what is past its time, in all three apps, as the settings KEEP_… say (EM-13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.apps import apps
from django.db import connections, router, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils import timezone

from coupons.models import Coupon

from ..conf import app_settings
from ..models import (
    ConfirmationAllowance,
    ConfirmationLink,
    ConsentReceipt,
    Contact,
    MailEvent,
    Message,
    OrderLink,
    OrderRecord,
    Subscription,
    Suppression,
    WhyNot,
)
from ..newsletter.limits import REASON
from ..signals import contact_left

#: Rows of one transaction.
CHUNK: Final = 1_000
#: Names the advisory lock of PostgreSQL: two runs at once would only wait for each other.
LOCK: Final = 0x7468_616E_6B79_6F75

#: A message that says nothing any more.
_EMPTY: Final[Mapping[str, Any]] = {"subject": "", "text": "", "html": "", "last_error": "", "context": {}}
_SETTLED: Final = (Message.State.SENT, Message.State.SKIPPED, Message.State.FAILED)


class PurgeRunning(Exception):
    """Raised when another purge is at work; it does what this one would have done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of rows that does not stay for ever."""

    #: What the command calls it.
    name: str
    #: Which rows are past their time. What one kind does must not change what another finds.
    rows: Callable[[datetime], QuerySet[Any]]
    #: What becomes of a piece of them: returns how many rows changed. None: they are deleted.
    act: Callable[[QuerySet[Any], datetime], int] | None = None


def purge(*, dry_run: bool = False, now: datetime | None = None) -> dict[str, int]:
    """Delete or blank what is past its time, CHUNK rows in a transaction, and return how many rows of each kind that
    were; with ``dry_run`` nothing changes, and the numbers say what a run would do.

    Also does what the lower apps' own commands do (``coupons: …``, ``lists: …``). Safe to run at any time, to repeat, and
    to be killed: what is left is found by the next run. Raises PurgeRunning if another run is at work (PostgreSQL), and
    CouponBusy if the checkout needed the coupons more: what was done until then stays done.
    """
    now = now or timezone.now()
    with _alone():
        counts = {kind.name: _run(kind, now, dry_run=dry_run) for kind in KINDS}
        counts |= {f"coupons: {name}": count for name, count in _prune_coupons(now, dry_run=dry_run).items()}
        counts |= {f"lists: {name}": count for name, count in _prune_lists(now, dry_run=dry_run).items()}
    return counts


# What is past its time --------------------------------------------------------------------------------------------------


def _before(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)


def old_links(now: datetime) -> QuerySet[ConfirmationLink]:
    """Return links to confirm that expired KEEP_LINKS_DAYS ago."""
    return ConfirmationLink.objects.filter(expires_at__lt=_before(now, app_settings.keep_links_days))


def old_order_links(now: datetime) -> QuerySet[OrderLink]:
    """Return links to orders that expired KEEP_LINKS_DAYS ago."""
    return OrderLink.objects.filter(expires_at__lt=_before(now, app_settings.keep_links_days))


def unconfirmed(now: datetime) -> QuerySet[Subscription]:
    """Return sign-ups that nobody has asked for again in KEEP_UNCONFIRMED_DAYS, and no link can confirm any more."""
    before = _before(now, app_settings.keep_unconfirmed_days)
    of_it = {"subscription": OuterRef("pk")}
    asked = ConsentReceipt.objects.filter(**of_it, created_at__gte=before)
    works = ConfirmationLink.objects.filter(receipt__subscription=OuterRef("pk"), expires_at__gt=now)
    pending = Subscription.objects.filter(state=Subscription.State.PENDING, requested_at__lt=before).exclude(email="")
    return pending.filter(~Exists(asked), ~Exists(works))


def old_proofs(now: datetime) -> QuerySet[Subscription]:
    """Return sign-ups whose proof nobody needs any more: left, or never confirmed, KEEP_CONSENT_DAYS ago."""
    before = _before(now, app_settings.keep_consent_days)
    asked = ConsentReceipt.objects.filter(subscription=OuterRef("pk"), created_at__gte=before)
    left = Q(state=Subscription.State.LEFT, left_at__lt=before)
    never = Q(state=Subscription.State.PENDING, requested_at__lt=before)
    return Subscription.objects.filter(left | never).filter(~Exists(asked))


def inactive_subscriptions(now: datetime) -> QuerySet[Subscription]:
    """Return sign-ups of people who have done nothing of their own in KEEP_INACTIVE_DAYS. An open is no action."""
    before = _before(now, app_settings.keep_inactive_days)
    confirmed = Subscription.objects.filter(state=Subscription.State.CONFIRMED, confirmed_at__lt=before)
    acted = Contact.objects.filter(email_key=OuterRef("email_key"), last_action_at__gte=before)
    return confirmed.filter(~Exists(acted), ~Exists(_orders_since(before)))


def inactive_contacts(now: datetime) -> QuerySet[Contact]:
    """Return contacts who have done nothing of their own in KEEP_INACTIVE_DAYS."""
    before = _before(now, app_settings.keep_inactive_days)
    joined = Subscription.objects.filter(email_key=OuterRef("email_key"), confirmed_at__gte=before)
    idle = Contact.objects.filter(~Exists(_erasures()), last_action_at__lt=before)
    return idle.filter(~Exists(joined), ~Exists(_orders_since(before)))


def _orders_since(before: datetime) -> QuerySet[OrderRecord]:
    return OrderRecord.objects.filter(customer_key=OuterRef("email_key"), placed_at__gte=before)


def _erasures() -> QuerySet[Suppression]:
    marketing = Suppression.objects.filter(scope=Suppression.MARKETING, reason=Suppression.Reason.ERASED)
    return marketing.filter(email_key=OuterRef("email_key"))


def contacts_of_erased(now: datetime) -> QuerySet[Contact]:
    """Return contacts that came back after an erasure by no wish of the person's: from an import, or the shop's orders.

    A new sign-up that is confirmed ends the suppression.
    """
    return Contact.objects.filter(Exists(_erasures()))


def messages_to_erased(now: datetime) -> QuerySet[Message]:
    """Return mails that were planned after an erasure, and that the gate has stopped or would stop."""
    mails = Message.objects.marketing().filter(Exists(_erasures())).exclude(email="")
    return mails.exclude(state=Message.State.ATTEMPTING)


def old_texts(now: datetime) -> QuerySet[Message]:
    """Return messages whose text nobody looks up any more, also if of that only an address is left that is nobody's now:
    neither a contact's nor a subscriber's.
    """
    full = ~Q(**_EMPTY) | (~Q(email="") & _is_nobodys())
    old = _settled(now, app_settings.keep_mail_text_days).filter(full)
    return old.exclude(pk__in=messages_to_erased(now).values("pk"))


def _is_nobodys() -> Q:
    """Return the condition that a message went to somebody who is neither a contact nor on a list."""
    contacts = Contact.objects.filter(email_key=OuterRef("email_key"))
    on_a_list = Subscription.objects.filter(email_key=OuterRef("email_key"), state=Subscription.State.CONFIRMED)
    return ~Exists(contacts) & ~Exists(on_a_list)


def old_messages(now: datetime) -> QuerySet[Message]:
    """Return messages that were settled KEEP_MESSAGES_DAYS ago."""
    return _settled(now, app_settings.keep_messages_days)


def _settled(now: datetime, days: int) -> QuerySet[Message]:
    return Message.objects.filter(state__in=_SETTLED, settled_at__lt=_before(now, days))


def old_mail_events(now: datetime) -> QuerySet[MailEvent]:
    """Return reports of mail providers; what they said of a message stays in its row."""
    return MailEvent.objects.filter(received_at__lt=_before(now, app_settings.keep_mail_events_days))


def old_suppressions(now: datetime) -> QuerySet[Suppression]:
    """Return suppressions that are past their time, if the shop has set one."""
    days = app_settings.keep_suppressions_days
    return Suppression.objects.filter(at__lt=_before(now, days)) if days else Suppression.objects.none()


def old_allowances(now: datetime) -> QuerySet[ConfirmationAllowance]:
    """Return mailboxes that have got no confirmation mail for as long as the limit looks back (EM-3)."""
    rows = ConfirmationAllowance.objects.exclude(last_mail_at__gt=now - ConfirmationAllowance.WINDOW)
    return rows.exclude(last_mail_at=None)


# What becomes of it -----------------------------------------------------------------------------------------------------


def _forget_address(rows: QuerySet[Any], now: datetime) -> int:
    """Keep the keyed hash in place of the address, also in the mails that asked to confirm; delete the links."""
    from ..mail import outbox

    pks = list(rows.values_list("pk", flat=True))
    ConfirmationLink.objects.filter(receipt__subscription__in=pks).delete()
    mails = Message.objects.filter(reason=REASON, ref__in=[str(pk) for pk in pks])
    outbox.stop(messages=mails, why=WhyNot.TOO_LATE, now=now)
    mails.filter(state__in=_SETTLED).update(email="", provider_id="", **_EMPTY)
    return Subscription.objects.filter(pk__in=pks).update(email="")


def _leave_for(rows: QuerySet[Any], now: datetime) -> int:
    """Take inactive people off their lists; a receipt says that the shop did it."""
    found = list(rows.select_related("mailing_list"))
    left = Subscription.State.LEFT
    for row in found:
        Subscription.objects.filter(pk=row.pk).update(state=left, left_at=now, email="")
    _forget_old_addresses([row.email_key for row in found], now)
    ConsentReceipt.objects.bulk_create(
        ConsentReceipt(
            subscription=row,
            kind=ConsentReceipt.Kind.LEFT,
            method=ConsentReceipt.Method.ADMIN,
            purpose=row.mailing_list.purpose,
            language=row.language,
        )
        for row in found
    )
    for row in found:
        arguments = {"email_key": row.email_key, "scope": f"{Suppression.LIST_PREFIX}{row.mailing_list.slug}"}
        send = partial(contact_left.send_robust, sender=Suppression, message_key="", **arguments)
        transaction.on_commit(send, robust=True)
    return len(found)


def _forget_contact(rows: QuerySet[Any], now: datetime) -> int:
    """Delete contacts, and stop what was still planned for them."""
    from ..mail import outbox

    keys = list(rows.values_list("email_key", flat=True))
    planned = Message.objects.filter(email_key__in=keys).marketing().open()
    if planned.exists():
        outbox.stop(messages=planned, why=WhyNot.LEFT, now=now)
    deleted, _by_model = Contact.objects.filter(email_key__in=keys).delete()
    _forget_old_addresses(keys, now)
    return deleted


def _forget_old_addresses(keys: list[str], now: datetime) -> None:
    """Take the addresses of people who are nobody's contacts any more from their old mails; the keyed hash stays."""
    old = _settled(now, app_settings.keep_mail_text_days).filter(_is_nobodys(), email_key__in=keys)
    # Those to erased people lose more, in a moment.
    old.exclude(pk__in=messages_to_erased(now).values("pk")).update(email="", provider_id="")


def _forget_message(rows: QuerySet[Any], now: datetime) -> int:
    from ..mail import outbox

    pks = list(rows.values_list("pk", flat=True))
    outbox.stop(messages=Message.objects.filter(pk__in=pks), why=WhyNot.ERASED, now=now)
    rows = Message.objects.filter(pk__in=pks, state__in=_SETTLED)
    return rows.update(email="", email_key="", provider_id="", dedupe_key=Concat(Value("erased:"), F("key")), **_EMPTY)


def _forget_text(rows: QuerySet[Any], now: datetime) -> int:
    """Take what a mail said; and its address, where that is nobody's any more. The keyed hash stays."""
    pks = list(rows.values_list("pk", flat=True))
    found = Message.objects.filter(pk__in=pks)
    found.filter(_is_nobodys()).update(email="", provider_id="")
    return found.update(**_EMPTY)


KINDS: Final[tuple[Kind, ...]] = (
    Kind(name="links to confirm", rows=old_links),
    Kind(name="links to orders", rows=old_order_links),
    # Before those that take addresses: with these the texts go too.
    Kind(name="texts of mails", rows=old_texts, act=_forget_text),
    Kind(name="unconfirmed sign-ups", rows=unconfirmed, act=_forget_address),
    Kind(name="proofs of consent", rows=old_proofs),
    Kind(name="inactive sign-ups", rows=inactive_subscriptions, act=_leave_for),
    Kind(name="inactive contacts", rows=inactive_contacts, act=_forget_contact),
    Kind(name="contacts of erased people", rows=contacts_of_erased, act=_forget_contact),
    Kind(name="mails to erased people", rows=messages_to_erased, act=_forget_message),
    Kind(name="reports from mail providers", rows=old_mail_events),
    Kind(name="messages", rows=old_messages),
    Kind(name="suppressions", rows=old_suppressions),
    Kind(name="confirmation allowances", rows=old_allowances),
)


# How it is done ---------------------------------------------------------------------------------------------------------


def _run(kind: Kind, now: datetime, *, dry_run: bool) -> int:
    """Do it piece by piece: no transaction is long, and one that fails keeps the others."""
    rows = kind.rows(now)
    if dry_run:
        return rows.count()
    done, last = 0, 0
    while ids := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        done += _do(kind, rows, ids, now)
        # Onwards also from rows that somebody holds: the next run finds them again.
        last = ids[-1]
    return done


def _do(kind: Kind, rows: QuerySet[Any], ids: list[int], now: datetime) -> int:
    using = router.db_for_write(rows.model)
    skips = connections[using].features.has_select_for_update_skip_locked
    with transaction.atomic(using=using):
        # Behind the lock nobody changes these rows, and what was needed again meanwhile is not found again.
        held = rows.model._default_manager.using(using).filter(pk__in=ids).select_for_update(skip_locked=skips)
        found = rows.using(using).filter(pk__in=[row.pk for row in held.only("pk")]).order_by()
        if kind.act is not None:
            return kind.act(found, now)
        _total, by_model = found.delete()
        return by_model.get(rows.model._meta.label, 0)


def _prune_coupons(now: datetime, *, dry_run: bool) -> dict[str, int]:
    from coupons.pruning import prune

    return asdict(prune(dry_run=dry_run, now=now))


def _prune_lists(now: datetime, *, dry_run: bool) -> dict[str, int]:
    if not apps.is_installed("wishlists"):
        return {}
    from wishlists.pruning import prune

    return asdict(prune(dry_run=dry_run, now=now))


@contextmanager
def _alone() -> Iterator[None]:
    """Run alone, where the database can say so. The lock goes with the connection, also when the process is killed."""
    connection = connections[router.db_for_write(Coupon)]
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise PurgeRunning
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])

"""Erasing a person from all three apps (GDPR 17)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from coupons.ledger import uses
from coupons.models import Coupon

from ..models import Message, Suppression, WhyNot
from ..signals import contact_left
from .person import Person, find_person
from .registry import CHUNK, Erasure, PersonalModel, personal_models
from .signals import person_erased


def erase_person(*, email: str = "", user: Any = None, now: datetime | None = None) -> dict[str, int]:
    """Erase a person from all models of the registry, and return how many rows of each were deleted or changed, by label
    in small letters; those without any are left out.

    Planned messages are stopped first. What the registry says stays, stays without a name: uses of coupons and records
    of orders for the books, confirmed sign-ups as a proof without the address, and a keyed hash of the address, so that
    nobody writes to it again (EM-6). Coupons stay valid for whoever has the code. The shop's own orders and accounts are
    not touched: they are the shop's to erase or to keep; ``person_erased`` tells it. Found by the address, by the
    account, or both: see ``person.find_person``.

    One transaction, so that it is whole or not at all; idempotent. Announces ``contact_left`` and ``person_erased`` after
    commit. Raises ValueError if neither is given, CouponBusy if the database was too busy: then try again.
    """
    return erase_found(person=find_person(email=email, user=user), now=now)


def erase_found(*, person: Person, now: datetime | None = None) -> dict[str, int]:
    """Do the same for a person who was found before."""
    return uses.patiently(partial(_erase, person, now or timezone.now()))


def _erase(person: Person, now: datetime) -> dict[str, int]:
    with uses.settling():
        held = Q(holder_key__in=person.keys) | Q(redemptions__customer_key__in=person.keys)
        uses.lock(Coupon.objects.filter(held).values_list("pk", flat=True))
        _stop_messages(person, now)
        # Found before anything goes: many are found by what another entry erases.
        found = [(entry, list(entry.rows(person).values_list("pk", flat=True))) for entry in personal_models()]
        counts = {entry.model.lower(): _apply(entry, pks, person, now) for entry, pks in found}
        for key in person.email_keys:
            _suppress(key, now)
        transaction.on_commit(partial(person_erased.send_robust, sender=Person, person=person, now=now), robust=True)
    return {label: count for label, count in counts.items() if count}


def _stop_messages(person: Person, now: datetime) -> None:
    from ..mail import outbox

    messages = Message.objects.filter(email_key__in=person.keys)
    if messages.open().exists():
        outbox.stop(messages=messages, why=WhyNot.ERASED, now=now)


def _apply(entry: PersonalModel, pks: Sequence[Any], person: Person, now: datetime) -> int:
    changed = 0
    for start in range(0, len(pks), CHUNK):
        changed += _apply_chunk(entry, pks[start : start + CHUNK], person, now)
    return changed


def _apply_chunk(entry: PersonalModel, pks: Sequence[Any], person: Person, now: datetime) -> int:
    if entry.erase is not None:
        return entry.erase(pks, person, now)
    rows = entry.model_class._base_manager.filter(pk__in=pks)
    if entry.erasure is Erasure.DELETE:
        _total, by_model = rows.delete()
        return by_model.get(entry.model_class._meta.label, 0)
    return rows.update(**entry.blank) if entry.erasure is Erasure.BLANK else 0


def _suppress(email_key: str, now: datetime) -> None:
    """Note that nobody writes to this person again, and tell whoever keeps lists elsewhere."""
    from ..mail.suppression import suppress

    scope = Suppression.MARKETING
    if suppress(email_key=email_key, scope=scope, reason=Suppression.Reason.ERASED, now=now):
        send = partial(contact_left.send_robust, sender=Suppression, email_key=email_key, scope=scope, message_key="")
        transaction.on_commit(send, robust=True)

"""Finding and erasing where a condition on a column, or other values in columns, are not enough."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce, Concat
from django.utils.crypto import salted_hmac

from coupons import answering
from coupons.models import Answer, Coupon, CouponEvent, Redemption

from ..models import ConsentReceipt, Message, OrderRecord, Subscription, WhyNot
from .person import Person, written_as

#: What the keys of erased sign-ups begin with.
PROOF_PREFIX: Final = "x:"
#: Keys of ``CouponEvent.detail`` under which staff can write what they like.
_WRITTEN_BY_STAFF: Final = frozenset({"note", "reason"})


# Sign-ups -------------------------------------------------------------------------------------------------------------


def proof_key(email_key: str) -> str:
    """Return under what the proof of an erased sign-up is kept: a hash of the key for this one purpose, so that it
    matches nothing else in the database, and whoever has the address can still find it.
    """
    digest = salted_hmac("thankyou_flows.privacy.proof", email_key, algorithm="sha256").hexdigest()
    # Short enough for a primary key behind it: somebody may join the same list, and be erased, twice.
    return f"{PROOF_PREFIX}{digest[:56]}:"


def subscriptions_of(person: Person, path: str = "") -> Q:
    """Find the sign-ups of a person, also what is left of erased ones."""
    found = Q(**{f"{path}email_key__in": person.keys}) | written_as(f"{path}email", person)
    for key in person.email_keys:
        found |= Q(**{f"{path}email_key__startswith": proof_key(key)})
    return found


def _confirmed() -> Exists:
    return Exists(ConsentReceipt.objects.filter(subscription=OuterRef("pk"), kind=ConsentReceipt.Kind.CONFIRMED))


def erase_receipts(pks: Sequence[Any], person: Person, now: datetime) -> int:
    """Delete the receipts of sign-ups that were never confirmed; take the network address from the others."""
    # The plain manager: the other one refuses to change a proof.
    receipts = ConsentReceipt._base_manager.filter(pk__in=pks)
    unproved = Subscription.objects.exclude(_confirmed()).values("pk")
    _total, by_model = receipts.filter(subscription__in=unproved).delete()
    return by_model.get(ConsentReceipt._meta.label, 0) + receipts.exclude(ip="").update(ip="")


def erase_subscriptions(pks: Sequence[Any], person: Person, now: datetime) -> int:
    """Delete the sign-ups that were never confirmed; keep the others as a proof without the address."""
    # What an earlier erasure has left stays as it is.
    rows = Subscription.objects.filter(pk__in=pks).exclude(email_key__startswith=PROOF_PREFIX)
    changed = 0
    for row in rows.filter(_confirmed()).only("pk", "email_key"):
        changed += Subscription.objects.filter(pk=row.pk).update(
            email="",
            email_key=f"{proof_key(row.email_key)}{row.pk}",
            language="",
            state=Subscription.State.LEFT,
            left_at=Coalesce(F("left_at"), Value(now)),
        )
    _total, by_model = rows.exclude(_confirmed()).delete()
    return changed + by_model.get(Subscription._meta.label, 0)


# Messages -------------------------------------------------------------------------------------------------------------


def erase_messages(pks: Sequence[Any], person: Person, now: datetime) -> int:
    """Take from messages to whom they went and what they said.

    One that a worker is just handing over is taken away from it: it cannot plan the message again, nor write an error
    that quotes the address. If the mail server took it, the worker still notes that it was sent, which is true.
    """
    rows = Message.objects.filter(pk__in=pks)
    rows.filter(state__in=[Message.State.PLANNED, Message.State.CLAIMED, Message.State.ATTEMPTING]).update(
        state=Message.State.SKIPPED, why_not=WhyNot.ERASED, settled_at=now
    )
    changed = rows.update(
        email="",
        email_key="",
        context={},
        subject="",
        text="",
        html="",
        last_error="",
        provider_id="",
        worker="",
        lease_until=None,
    )
    # What a message is about stays where it names nobody: else the same message would be planned again.
    named = Q(dedupe_key__contains="@")
    for key in (*person.keys, *person.mailbox_keys):
        # Some say it with a piece of the key, from its begin or from its end.
        named |= Q(dedupe_key__contains=key[:18]) | Q(dedupe_key__contains=key[-16:])
    rows.filter(named).update(dedupe_key=Concat(Value("erased:"), F("key")))
    return changed


# Orders ---------------------------------------------------------------------------------------------------------------


def links_of(person: Person) -> Q:
    """Find the links to a person's orders."""
    return Q(number__in=OrderRecord.objects.filter(customer_key__in=person.keys).values("number"))


# Coupons --------------------------------------------------------------------------------------------------------------


def answers_of(person: Person) -> Q:
    """Find the answers of a person, also those that were given for a coupon without saying who one is."""
    found = Q(holder_key__in=person.keys)
    for email in person.emails[:1]:
        found |= Q(pk__in=answering.answers_of_customer(email=email).values("pk"))
    return found


def erase_answers(pks: Sequence[Any], person: Person, now: datetime) -> int:
    """Delete answers; the lives of their coupons say that, and not what they said."""
    return answering.erase(answers=Answer.objects.filter(pk__in=pks), actor="system", now=now) if pks else 0


def erase_coupon_events(pks: Sequence[Any], person: Person, now: datetime) -> int:
    """Take the notes of staff from the lives of a person's coupons."""
    changed = 0
    # The plain manager: the other one refuses to change what happened.
    events = CouponEvent._base_manager
    for event in events.filter(pk__in=pks).exclude(detail={}).iterator():
        kept = {name: value for name, value in event.detail.items() if not _is_free_text(event, name)}
        if kept != event.detail:
            changed += events.filter(pk=event.pk).update(detail=kept)
    return changed


def _is_free_text(event: CouponEvent, name: str) -> bool:
    typed = event.kind in {CouponEvent.Kind.CHANGED, CouponEvent.Kind.ISSUED, CouponEvent.Kind.REVOKED}
    return typed and name in _WRITTEN_BY_STAFF


def erase_uses(pks: Sequence[Any], person: Person, now: datetime) -> int:
    """Take the customer from uses. They are not counted for this customer any more: an empty key is the whole
    campaign's, and a use that is given back later must not be given back there twice.
    """
    return Redemption.objects.filter(customer_key__in=person.keys).update(customer_key="", counts_customer=False)


def erase_coupons(pks: Sequence[Any], person: Person, now: datetime) -> int:
    """Unbind coupons: they stay valid, for whoever has the code.

    That a mailbox had its coupon for a sign-up stays, as a keyed hash: who joins again later gets no second one.
    """
    from ..newsletter.incentives import ISSUE_PREFIX

    rows = Coupon.objects.filter(pk__in=pks)
    changed = rows.update(holder_key="")
    named = Q(pk__in=[])
    for key in (*person.keys, *person.mailbox_keys):
        named |= Q(issue_key__endswith=key) | Q(issue_key__contains=f"{key}:")
    rows.filter(named).exclude(issue_key__startswith=ISSUE_PREFIX).update(issue_key=None)
    return changed

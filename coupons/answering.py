"""What becomes of answers: shown and exported, erased when the customer asks, deleted when their time is over (CO-9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .events import CUSTOMER, record_all
from .holders import CUSTOMER_PREFIX, USER_PREFIX, customer_key, keys_of, normalised_email
from .models import Answer, Coupon, CouponEvent, Redemption
from .models.questions import AnswerQuerySet
from .moments import moment
from .spreadsheets import as_spreadsheet_text

#: Rows deleted by one statement.
CHUNK: Final = 1000
#: The head of an export.
COLUMNS: Final = (
    _("customer"),
    _("question"),
    _("answer"),
    _("purpose"),
    _("campaign"),
    _("answered"),
    _("kept until"),
)


def export_answers(queryset: AnswerQuerySet, *, now: datetime | None = None) -> Iterator[list[str]]:
    """Yield the answers as rows of a spreadsheet, the head first, in the order of the query set (CM-5).

    No cell is one that a spreadsheet would run. An answer whose time is over is left out, also before the nightly
    clean-up has come to it. Memory does not grow with the number of rows.
    """
    yield [str(column) for column in COLUMNS]
    rows = queryset.current(now=moment(now)).select_related("campaign")
    for answer in rows.iterator(chunk_size=2000):
        cells = [
            answer.holder_key,
            answer.label,
            answer.text,
            answer.purpose,
            answer.campaign.title if answer.campaign is not None else "",
            answer.answered_at.isoformat(timespec="seconds"),
            answer.delete_after.isoformat(timespec="seconds"),
        ]
        yield [as_spreadsheet_text(cell) for cell in cells]


def erase(
    *,
    holder_key: str = "",
    answers: AnswerQuerySet | None = None,
    actor: str = CUSTOMER,
    now: datetime | None = None,
) -> int:
    """Delete a customer's answers, all of ``holder_key`` or those of a query set, and return how many (GDPR art. 17).

    A coupon that was unlocked by them stays what it is: consent can be withdrawn without detriment (art. 7(3)). Each
    coupon's life gets a row that says that answers were erased, and not what they said. Raises ``ValueError``
    unless exactly one of the two is given.
    """
    if bool(holder_key) == (answers is not None):
        raise ValueError("give either holder_key or answers")
    found = Answer.objects.of(holder_key) if answers is None else answers
    now = moment(now)
    erased = 0
    with transaction.atomic():
        # By primary key: between two looks at a query set somebody may answer, and that would be lost unseen.
        rows = list(found.order_by("pk").values_list("pk", "coupon_id"))
        for start in range(0, len(rows), CHUNK):
            deleted, _by_model = Answer.objects.filter(pk__in=[pk for pk, _ in rows[start : start + CHUNK]]).delete()
            erased += deleted
        coupon_ids = sorted({coupon_id for _, coupon_id in rows if coupon_id is not None})
        record_all(CouponEvent.Kind.CHANGED, coupon_ids=coupon_ids, actor=actor, at=now, answers="erased")
    return erased


def answers_of_customer(*, email: str) -> AnswerQuerySet:
    """Return what a customer told the shop, as far as an e-mail address leads to it.

    Kept under the address; under an account of this address, if ``THANKYOU_COUPONS["VERIFIED_EMAIL"]`` vouches for it
    (anybody can open an account with somebody else's); and for a coupon that the customer holds or has used, unless the
    answers are another customer's, who has passed the coupon on.
    """
    key = customer_key(email)
    if not key:
        return Answer.objects.none()
    keys = {key}
    for user in _users_of(email):
        own = keys_of(user)
        if key in own:
            keys.update(own)
    used = Redemption.objects.filter(customer_key=key).values("coupon")
    coupons = Coupon.objects.filter(Q(holder_key__in=keys) | Q(pk__in=used), is_word=False)
    of_others = Q(holder_key__startswith=CUSTOMER_PREFIX) | Q(holder_key__startswith=USER_PREFIX)
    return Answer.objects.filter(Q(holder_key__in=keys) | Q(~of_others, coupon__in=coupons))


def erase_customer(*, email: str, actor: str = CUSTOMER, now: datetime | None = None) -> int:
    """Delete all of ``answers_of_customer``, and return how many (GDPR art. 17). Otherwise as ``erase``."""
    return erase(answers=answers_of_customer(email=email), actor=actor, now=now)


def _users_of(email: str) -> Iterable[Any]:
    """Return the accounts with this address, as it was typed or as it is normalised; proved or not."""
    model = get_user_model()
    if not getattr(model, "EMAIL_FIELD", ""):
        return ()
    column = model.get_email_field_name()
    spelled = Q(**{f"{column}__iexact": email.strip()}) | Q(**{f"{column}__iexact": normalised_email(email)})
    return model._default_manager.filter(spelled)


def delete_outdated(*, now: datetime | None = None) -> int:
    """Delete every answer whose time is over, as the customer was told, and return how many."""
    deleted, _by_model = Answer.objects.outdated(now=moment(now)).delete()
    return deleted

"""Everything that is known of a person, as one document (GDPR 15 and 20)."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from django.db.models import Model
from django.utils import timezone
from moneyed import Money

from .person import Person, find_person
from .registry import PersonalModel, personal_models
from .signals import person_export_requested

#: What reads the document can tell by this what it looks like.
FORMAT: Final = "thankyou-flows.person/1"


def export_person(*, email: str = "", user: Any = None, now: datetime | None = None) -> dict[str, Any]:
    """Return everything that is known of a person, as JSON can hold it.

    One section for each model of the registry with rows of this person, by its label: ``{"what": …, "rows": […]}``; what
    a shop adds by ``person_export_requested`` is under ``more``. Found by the address, by the account, or both: see
    ``person.find_person``. Costs the same number of queries whatever the number of rows. Orders themselves are the
    shop's: only our record of them is here. What only a browser knows (guests' lists, gifts that somebody has marked)
    cannot be here.

    Give an address only if it is proved to be the asking person's. Raises ValueError if neither is given.
    """
    return export_found(person=find_person(email=email, user=user), now=now)


def export_found(*, person: Person, now: datetime | None = None) -> dict[str, Any]:
    """Return the same for a person who was found before."""
    now = now or timezone.now()
    return {
        "format": FORMAT,
        "made_at": now.isoformat(),
        "asked_for": {"email": next(iter(person.emails), ""), "accounts": [_plain(pk) for pk in person.user_ids]},
        "data": {
            entry.model.lower(): section
            for entry in personal_models()
            if not entry.not_exported and (section := _section(entry, person))
        },
        "more": _more(person, now),
    }


def count_person(person: Person) -> dict[str, int]:
    """Return how many rows of each model are this person's, by label in small letters; those with none are left out."""
    counted = {entry.model.lower(): entry.rows(person).order_by().count() for entry in personal_models()}
    return {label: count for label, count in counted.items() if count}


def _section(entry: PersonalModel, person: Person) -> dict[str, Any] | None:
    rows = entry.rows(person)
    if entry.related:
        rows = rows.select_related(*entry.related)
    plain = [_row(entry, row) for row in rows]
    return {"what": entry.plural, "rows": plain} if plain else None


def _row(entry: PersonalModel, row: Model) -> dict[str, Any]:
    fields = [field for field in row._meta.concrete_fields if field.name not in entry.left_out]
    # A relation by its key: the row that it points to has a section of its own, or is the shop's.
    found = {field.name: _plain(getattr(row, field.attname)) for field in fields}
    return found | {name: _plain(value) for name, value in (entry.more(row) if entry.more else {}).items()}


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | dict() | list():
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case Money():
            # With the digits that its currency has, and more only if the amount has them.
            digits = len(str(value.currency.sub_unit)) - 1
            exponent = value.amount.normalize().as_tuple().exponent
            places = max(digits, -exponent if isinstance(exponent, int) else 0)
            return {"amount": f"{value.amount:.{places}f}", "currency": str(value.currency.code)}
        case Decimal():
            return str(value)
        case _:
            return str(value)


def _more(person: Person, now: datetime) -> dict[str, Any]:
    answers = person_export_requested.send(sender=Person, person=person, now=now)
    return {f"{receiver.__module__}.{receiver.__qualname__}": answer for receiver, answer in answers if answer}

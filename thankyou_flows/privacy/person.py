"""Who a request about personal data is about: an address, accounts, and the keys that both are known by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from coupons.holders import CUSTOMER_PREFIX, USER_PREFIX, customer_key, normalised_email, verified_email_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Everything by which rows of one person are found. Empty parts find nothing."""

    #: The address as it was given, and as it is normalised.
    emails: tuple[str, ...] = ()
    #: Customer keys and keys of accounts: holders of coupons, customers of orders, contacts.
    keys: tuple[str, ...] = ()
    #: Keys of the mailbox, under which confirmation mails are counted (EM-3).
    mailbox_keys: tuple[str, ...] = ()
    #: Primary keys of the accounts.
    user_ids: tuple[Any, ...] = ()

    @property
    def email_keys(self) -> tuple[str, ...]:
        """The keys that stand for an address."""
        return tuple(key for key in self.keys if key.startswith(CUSTOMER_PREFIX))


def find_person(*, email: str = "", user: Any = None, users: Iterable[Any] = ()) -> Person:
    """Return who is meant by an address, an account (or several), or both; the queries do not grow with what is known.

    By an address alone are also found the accounts that have *proved* it (``THANKYOU_COUPONS["VERIFIED_EMAIL"]``), and by
    an account alone its proved address: anybody can open an account with somebody else's. Who has checked in another way
    that both are one person gives both. Raises ValueError if neither is given.
    """
    email = email.strip()
    accounts = [each for each in (user, *users) if getattr(each, "pk", None) is not None]
    if not email and not accounts:
        raise ValueError("give email or user")
    if email:
        accounts += [each for each in accounts_with(email) if has_proved(each, email) and each not in accounts]
    else:
        email = verified_email_of(accounts[0]).strip()
    return Person(
        emails=tuple(dict.fromkeys(filter(None, (email, normalised_email(email))))),
        keys=tuple(filter(None, [customer_key(email), *(f"{USER_PREFIX}{each.pk}" for each in accounts)])),
        mailbox_keys=_mailbox_keys(email),
        user_ids=tuple(each.pk for each in accounts),
    )


def accounts_with(email: str) -> list[Any]:
    """Return the accounts with this address, as it was typed or as it is normalised; proved or not."""
    model = get_user_model()
    email = email.strip()
    # NUL can be in no address, and PostgreSQL refuses to look for it.
    if not email or not email.isprintable() or not getattr(model, "EMAIL_FIELD", ""):
        return []
    column = model.get_email_field_name()
    spelled = _spelled(column, (email, normalised_email(email)))
    return list(model._default_manager.filter(spelled).order_by("pk"))


def has_proved(user: Any, email: str) -> bool:
    """Say whether this account has proved that the address is its own."""
    return customer_key(verified_email_of(user)) == customer_key(email) != ""


def written_as(column: str, person: Person) -> Q:
    """Return the condition that a column is this person's address, however it is written."""
    return _spelled(column, person.emails)


def _spelled(column: str, emails: Iterable[str]) -> Q:
    found = Q(pk__in=[])
    for email in emails:
        found |= Q(**{f"{column}__iexact": email})
    return found


def _mailbox_keys(email: str) -> tuple[str, ...]:
    from ..newsletter import mailbox_key

    return (mailbox_key(email),) if email else ()

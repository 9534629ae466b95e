"""Who holds a coupon: a key that recognises a customer by e-mail address without storing the address (CO-10)."""

from __future__ import annotations

import unicodedata
from importlib import import_module
from typing import Any, Final

from django.apps import apps
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from .conf import app_settings

#: What every customer key begins with. A personal coupon whose ``holder_key`` begins so is refused to any *other*
#: customer.
CUSTOMER_PREFIX: Final = "c:"
#: What the keys of accounts begin with, for coupons that were given to an account whose address nobody verified.
USER_PREFIX: Final = "u:"
_GMAIL: Final = frozenset({"gmail.com", "googlemail.com"})


def normalised_email(email: str) -> str:
    """Return the address as one customer's: NFKC, trimmed, lower case; Gmail's dots and ``+tags`` dropped if
    ``GMAIL_ALIASES``.
    """
    email = unicodedata.normalize("NFKC", email).strip().lower()
    local, at, domain = email.rpartition("@")
    if at and domain in _GMAIL and app_settings.gmail_aliases:
        local, domain = local.partition("+")[0].replace(".", ""), "gmail.com"
    return f"{local}{at}{domain}"


def customer_key(email: str) -> str:
    """Return ``"c:"`` and a keyed hash (HMAC-SHA256 with ``SECRET_KEY``) of the normalised address; ``""`` for no
    address.
    """
    address = normalised_email(email)
    if not address:
        return ""
    return CUSTOMER_PREFIX + salted_hmac("thankyou_coupons.customer", address, algorithm="sha256").hexdigest()


def user_key(user: Any) -> str:
    """Return the holder key of an account, whatever its address; ``""`` for somebody who is not signed in."""
    return f"{USER_PREFIX}{user.pk}" if getattr(user, "is_authenticated", False) else ""


def keys_of(user: Any) -> tuple[str, ...]:
    """Return all holder keys whose coupons this account may see and use, the one by address first. Nobody has none.

    The address counts only if ``THANKYOU_COUPONS["VERIFIED_EMAIL"]`` vouches for it: anybody can open an account with
    somebody else's (CO-6, CO-9).
    """
    if not getattr(user, "is_authenticated", False):
        return ()
    return tuple(key for key in (customer_key(verified_email_of(user)), user_key(user)) if key)


def verified_email_of(user: Any) -> str:
    """Return the address that this account has proved, as ``THANKYOU_COUPONS["VERIFIED_EMAIL"]`` says; ``""`` for none
    and for somebody who is not signed in.
    """
    if not getattr(user, "is_authenticated", False):
        return ""
    return str(import_string(app_settings.verified_email)(user) or "")


def verified_email(user: Any) -> str:
    """Return the account's address that django-allauth has verified, the primary one first; ``""`` where allauth is not
    installed: then nobody knows whose address it is. The default of ``VERIFIED_EMAIL``.
    """
    if not apps.is_installed("allauth.account"):
        return ""
    addresses = import_module("allauth.account.models").EmailAddress.objects
    found = addresses.filter(user_id=user.pk, verified=True).order_by("-primary", "pk").first()
    return str(found.email) if found is not None else ""


def is_bound(holder_key: str) -> bool:
    """Return whether this key is a customer's or an account's. A coupon with no holder, or with a holder of another
    kind, works for whoever has its code.
    """
    return holder_key.startswith((CUSTOMER_PREFIX, USER_PREFIX))


def is_foreign(*, holder_key: str, customer_key: str, account_key: str = "", final: bool = False) -> bool:
    """Return whether a coupon belongs to somebody else than the customer at hand (CO-10).

    An address is compared with the address, an account with the account. As long as that is unknown (a guest's basket
    before the address form) nobody is refused, unless the answer is ``final``: then it will not become known any more.
    """
    if not is_bound(holder_key):
        return False
    known = customer_key if holder_key.startswith(CUSTOMER_PREFIX) else account_key
    return holder_key != known if known else final

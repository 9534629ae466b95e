"""Who holds a coupon: a key that recognises a customer by e-mail address without storing the address (CO-10)."""

from __future__ import annotations

import unicodedata
from typing import Final

from django.utils.crypto import salted_hmac

from .conf import app_settings

#: What every customer key begins with. A coupon whose ``holder_key`` begins so is refused to any *other* known
#: customer.
CUSTOMER_PREFIX: Final = "c:"
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


def is_foreign(*, holder_key: str, customer_key: str) -> bool:
    """Return whether a coupon belongs to another customer than the one at hand.

    Only customer keys are compared: a coupon with no holder, or with a holder of another kind, works for whoever has
    its code; and as long as the customer is unknown (a guest's basket before the address form) nobody is refused.
    """
    return holder_key.startswith(CUSTOMER_PREFIX) and customer_key != "" and holder_key != customer_key

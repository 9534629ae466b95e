"""Links that prove whose coupon it is: for mails, and for pages that only the customer sees (CO-6, CO-9)."""

from __future__ import annotations

from typing import Final

from django.core import signing
from django.urls import reverse

from .models import Coupon

#: A signature made for this purpose is worthless for any other (ASVS 9.2.2).
SALT: Final = "thankyou_coupons.unlock"
#: Longest token that is looked at at all.
MAX_TOKEN: Final = 200


def make_token(coupon: Coupon) -> str:
    """Return the token of a coupon's link: its number under an HMAC-SHA256 (256 bits) with ``SECRET_KEY``.

    The same coupon has always the same token, so that a page that is loaded twice shows the same link.
    """
    return _signer().sign(str(coupon.pk))


def unlock_path(coupon: Coupon) -> str:
    """Return the path of a coupon's link, without scheme and host. Whoever opens it counts as the coupon's holder: put
    it nowhere but in a mail to the customer, or on a page that only the customer sees.
    """
    return reverse("thankyou_coupons:unlock_link", args=[make_token(coupon)])


def find_coupon(*, token: str) -> Coupon | None:
    """Return the coupon of a link, or ``None`` for a token that is not ours. ``SECRET_KEY_FALLBACKS`` are honoured."""
    if len(token) > MAX_TOKEN:
        return None
    try:
        pk = int(_signer().unsign(token))
    except (signing.BadSignature, ValueError):
        return None
    return Coupon.objects.select_related("campaign").filter(pk=pk).first()


def _signer() -> signing.Signer:
    # "." stands in no base64 and, other than ":", is not taken for something else where mail programs find links.
    return signing.Signer(salt=SALT, sep=".")

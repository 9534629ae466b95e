"""Rate limits of the thank-you pages (TY-9): the counting is ``coupons.ratelimit``'s, the proxies are those of
``THANKYOU_FLOWS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coupons import ratelimit
from coupons.ratelimit import hit

from .conf import app_settings

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["client_ip", "hit"]


def client_ip(request: HttpRequest) -> str:
    """Return whose attempts these are, behind ``THANKYOU_FLOWS["TRUSTED_PROXIES"]`` proxies: see
    ``coupons.ratelimit.client_ip``.
    """
    return ratelimit.client_ip(request, trusted_proxies=app_settings.trusted_proxies)

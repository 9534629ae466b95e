"""The proofs of consent: what is kept of a visitor's network address, and what one person has agreed to (EM-4)."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.utils.crypto import salted_hmac

from coupons.holders import customer_key

from ..conf import app_settings
from ..models import ConsentReceipt


def kept_ip(ip_key: str) -> str:
    """Return what a receipt keeps of a network address, as ``CONSENT_IP`` says: nothing, its network (/24, IPv6 /48), or
    a keyed hash. Never the whole address; nothing of one that is not known.
    """
    mode = app_settings.consent_ip
    if mode == "hashed" and ip_key:
        return "h:" + salted_hmac("thankyou_flows.consent_ip", ip_key, algorithm="sha256").hexdigest()
    if mode != "truncated":
        return ""
    try:
        network = ipaddress.ip_network(ip_key, strict=False)
    except ValueError:
        return ""
    prefix = 24 if network.version == 4 else 48
    return str(network.supernet(new_prefix=prefix)) if network.prefixlen > prefix else str(network)


def export_receipts(*, email: str = "", email_key: str = "") -> list[dict[str, Any]]:
    """Return all that one person has agreed to and taken back, of all lists, oldest first, as plain data for JSON. Two
    spellings of one address are one person (``customer_key``); ``email_key`` is that key, where the address is unknown.

    The proofs of somebody who was erased are not here: they stand under a key of their own, by which
    ``privacy.exporting.export_person`` finds them for whoever comes with the address.
    """
    key = email_key or customer_key(email)
    if not key:
        return []
    receipts = ConsentReceipt.objects.filter(subscription__email_key=key).select_related("subscription__mailing_list")
    return [
        {
            "list": receipt.subscription.mailing_list.slug,
            "email": receipt.subscription.email,
            "state": receipt.subscription.state,
            "kind": receipt.kind,
            "method": receipt.method,
            "at": receipt.created_at.isoformat(),
            "purpose": receipt.purpose,
            "wording": receipt.wording,
            "source": receipt.source,
            "path": receipt.path,
            "language": receipt.language,
            "ip": receipt.ip,
        }
        for receipt in receipts.order_by("pk")
    ]

"""Our coupons in the discount engine of a shop that has one of its own: kept there as they are here.

Connected for every store with ``has_own_discounts``. Codes that were made in bulk have no news of their own; the command
``publish_coupons`` brings them over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coupons.signals import coupon_issued, coupon_revoked, coupon_unlocked, deadline_extended

if TYPE_CHECKING:
    from coupons.models import Coupon


def connect() -> None:
    """Listen to the life of coupons. Connecting twice does nothing more than connecting once."""
    for name, signal in (("issued", coupon_issued), ("unlocked", coupon_unlocked), ("extended", deadline_extended)):
        signal.connect(on_coupon_changed, dispatch_uid=f"thankyou_flows.publish_{name}")
    coupon_revoked.connect(on_coupon_revoked, dispatch_uid="thankyou_flows.withdraw_revoked")


def on_coupon_changed(*, coupon: Coupon, **_: Any) -> None:
    """Publish a coupon that was given out, unlocked, or got more time. A locked one waits."""
    from . import get_store

    store = get_store()
    if store.has_own_discounts and coupon.state == coupon.State.AVAILABLE:
        store.publish_coupon(coupon=coupon)


def on_coupon_revoked(*, coupon: Coupon, **_: Any) -> None:
    """Withdraw a coupon that the shop took back."""
    from . import get_store

    store = get_store()
    if store.has_own_discounts:
        store.withdraw_coupon(coupon=coupon)

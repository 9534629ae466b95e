"""News of ``coupons``, sent after the transaction that made it true has been committed.

Every signal has ``sender=Coupon``, and all but ``guessing_suspected``, which is about no coupon, have the arguments
``coupon`` (a ``Coupon``) and ``redemption`` (a ``Redemption``, or ``None`` where it is about no use: see each). A
receiver that raises is logged and disturbs nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.dispatch import Signal

if TYPE_CHECKING:
    from .models import Coupon, Redemption

#: A coupon was made. Arguments: coupon, redemption=None.
coupon_issued = Signal()
#: A checkout took a use before payment. Arguments: coupon, redemption.
coupon_reserved = Signal()
#: An order used the coupon for good. Arguments: coupon, redemption.
coupon_redeemed = Signal()
#: A use was given back, by the shop or because its time ran out. Arguments: coupon, redemption.
coupon_released = Signal()
#: A locked coupon was unlocked by answers. Arguments: coupon, redemption=None.
coupon_unlocked = Signal()
#: The customer ticked the campaign's box for the newsletter while answering; what follows (a double opt-in) is the
#: receiver's. Arguments: coupon, redemption=None, email (a text, empty if the view did not know it), text (what the
#: box said), request (or None).
marketing_agreed = Signal()
#: The shop took a coupon back for good. Arguments: coupon, redemption=None.
coupon_revoked = Signal()
#: A redeemed use was given back, because its order was cancelled or refunded. Arguments: coupon, redemption.
coupon_restored = Signal()
#: Many wrong codes across the whole site: somebody is guessing (CO-7). Arguments: failures, seconds. No coupon.
guessing_suspected = Signal()
#: A visitor has put a code on the next checkout through the pages of ``coupons``, or taken it off again. For shops with
#: a basket of their own that should know at once. Arguments: request, code (as it is stored). No coupon; sent at once.
code_staged = Signal()
code_unstaged = Signal()
#: The holder asked for more time and got it. Arguments: coupon, redemption=None.
deadline_extended = Signal()


def announce(signal: Signal, *, coupon: Coupon, redemption: Redemption | None = None, **more: Any) -> None:
    """Send ``signal`` as soon as the running transaction is committed (at once if there is none)."""
    if not signal.receivers:
        return
    transaction.on_commit(
        lambda: signal.send_robust(sender=type(coupon), coupon=coupon, redemption=redemption, **more), robust=True
    )

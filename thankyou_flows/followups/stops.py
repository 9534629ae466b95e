"""Whether a planned mail still makes sense: asked again just before it is sent (EM-12)."""

from __future__ import annotations

from datetime import datetime

from ..models import Message


def reconsider(message: Message, *, now: datetime) -> None:
    """Do nothing if the message still makes sense. Raises DoNotSend with the reason if it does not: its follow-up is off
    or deleted, its rules do not hold, the order was cancelled or refunded, the customer ordered again, the coupon was
    used, revoked or is over, the list changed, the price rose again; SendLater if what it counts back from has moved.
    """
    raise NotImplementedError

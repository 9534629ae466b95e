"""Newsletter sign-up with double opt-in: ask by mail, confirm by a button, keep the proof (EM-1 to EM-4).

:func:`subscribe` is the only way to a confirmation mail, whichever form, checkout or API wants one; whoever has a request
calls :func:`subscribe_visitor`, which reads from it what is needed and calls ``subscribe``.
"""

from __future__ import annotations

from .checkout import checkout_wording, sign_up_at_checkout
from .confirming import confirm, find_confirmation
from .errors import ChallengeFailed, LinkOver, ListClosed, NewsletterError, TooManySignUps
from .limits import mailbox_key
from .lists import DEFAULT_LIST, find_list, is_subscribed
from .receipts import export_receipts
from .signing_up import subscribe
from .visitors import subscribe_visitor

__all__ = [
    "DEFAULT_LIST",
    "ChallengeFailed",
    "LinkOver",
    "ListClosed",
    "NewsletterError",
    "TooManySignUps",
    "checkout_wording",
    "confirm",
    "export_receipts",
    "find_confirmation",
    "find_list",
    "is_subscribed",
    "mailbox_key",
    "sign_up_at_checkout",
    "subscribe",
    "subscribe_visitor",
]

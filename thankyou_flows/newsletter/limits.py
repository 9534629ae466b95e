"""How many confirmation mails go out: to one mailbox, from one place in the network, and from the whole site (EM-3).

The mailbox and the site are counted in the database, so these two limits hold whatever becomes of the cache. The place in
the network is counted in the cache; while that is broken, nobody can say who has asked how often, and the whole site gets
a small budget instead: a tenth of the usual one. So a customer still gets through, and a bomber does not get far (OP-4).
"""

from __future__ import annotations

import logging
import unicodedata
from datetime import datetime, timedelta
from typing import Final

from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from ..conf import app_settings
from ..models import ConfirmationAllowance, Message
from ..ratelimit import hit
from ..signals import sign_ups_suspected
from .errors import TooManySignUps

logger = logging.getLogger(__name__)

#: Of one address in the network, whatever it types.
IP_LIMITS: Final = ("20/minute",)
#: Why a confirmation mail is in the outbox; what the site's budget counts.
REASON: Final = "sign_up"
WINDOW: Final = timedelta(hours=1)
#: What is left of the site's budget while the cache is broken: one in so many.
SHARE_IF_BROKEN: Final = 10


def count_visitor(ip_key: str) -> int:
    """Count one sign-up of this place in the network; return how many confirmation mails the whole site may send in an
    hour: all of its budget, or a tenth while the cache is broken.

    An empty ``ip_key`` is no visitor's and not counted. Raises TooManySignUps above the limit.
    """
    budget = app_settings.confirmations_per_hour
    if not ip_key or hit(name="newsletter", key=ip_key, limits=IP_LIMITS):
        return budget
    if _cache_works():
        raise TooManySignUps
    return max(1, budget // SHARE_IF_BROKEN)


def has_budget(*, budget: int, now: datetime) -> bool:
    """Return whether the site may send one confirmation mail more in this hour. If not, that is logged, and announced as
    ``sign_ups_suspected`` once an hour.

    A look, not a guard: of sign-ups at the same instant a few too many may get through.
    """
    recent = Message.objects.filter(reason=REASON, created_at__gt=now - WINDOW)
    count = recent.order_by()[:budget].count() if budget > 0 else 0
    if count < budget:
        return True
    logger.warning("sign_ups_suspected: %d confirmation mails in an hour, so no more are sent for now.", count)
    # If the cache is broken, the line above has to do.
    if hit(name="sign-ups-suspected", key="site", limits=("1/hour",)):
        transaction.on_commit(
            lambda: sign_ups_suspected.send_robust(sender=Message, count=count, seconds=int(WINDOW.total_seconds())),
            robust=True,
        )
    return False


def take_allowance(address: str, *, now: datetime) -> bool:
    """Note one mail more for the mailbox; return False if it has had enough. One guarded UPDATE decides."""
    allowance, _created = ConfirmationAllowance.objects.get_or_create(mailbox_key=mailbox_key(address))
    return bool(
        ConfirmationAllowance.objects.filter(pk=allowance.pk)
        .may_get_mail(now)
        .update(
            third_last_mail_at=F("second_last_mail_at"),
            second_last_mail_at=F("last_mail_at"),
            last_mail_at=now,
        )
    )


def mailbox_key(email: str) -> str:
    """Return a keyed hash of the mailbox that an address most likely leads to.

    Coarser than ``customer_key``, because here it is a limit that is keyed (EM-3): many providers drop what follows a
    plus, Gmail drops dots, and ``"ann"@`` is ``ann@``. At worst two people share three mails in a month.
    """
    local, _at, domain = unicodedata.normalize("NFKC", email).strip().lower().rpartition("@")
    local = local.strip('"').partition("+")[0]
    domain = domain.rstrip(".")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        logger.debug("A domain has no ASCII form.")
    if domain in {"gmail.com", "googlemail.com"}:
        local, domain = local.replace(".", ""), "gmail.com"
    return "m:" + salted_hmac("thankyou_flows.mailbox", f"{local}@{domain}", algorithm="sha256").hexdigest()


def _cache_works() -> bool:
    """Write into the cache and read it back: asked when a limit said no, which it also does when it cannot count."""
    try:
        cache.set("thankyou_flows:works", 1, timeout=60)
        return cache.get("thankyou_flows:works") == 1
    except Exception:
        # Every cache has exceptions of its own.
        logger.warning("The cache is broken: sign-ups are counted in the database, with a smaller budget.")
        return False

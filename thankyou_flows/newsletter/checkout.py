"""A box for a newsletter on a shop's own forms: at the checkout, on the account's page. Never ticked beforehand."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ..models import ConsentReceipt, MailingList
from .errors import NewsletterError
from .lists import DEFAULT_LIST, find_list, privacy_line
from .visitors import subscribe_visitor

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)


def checkout_sentence(mailing_list: MailingList) -> str:
    """Return what stands beside a box at the checkout or on the account's page."""
    return _("Yes, write to me by e-mail: %(list)s I can leave at any time.") % {
        "list": f"“{mailing_list.title}”. {mailing_list.purpose} {mailing_list.promise}".strip()
    }


def checkout_wording(slug: str = DEFAULT_LIST) -> str:
    """Return all that a box for this list says, word by word, to be kept with the consent (EM-4); empty if nobody can
    sign up for it: then show no box.
    """
    mailing_list = find_list(slug)
    if mailing_list is None:
        return ""
    return "\n".join(line for line in (checkout_sentence(mailing_list), privacy_line()) if line)


def sign_up_at_checkout(
    *,
    request: HttpRequest,
    email: str,
    wording: str,
    list_slug: str = DEFAULT_LIST,
    method: ConsentReceipt.Method = ConsentReceipt.Method.CHECKOUT,
    source: str = "checkout",
) -> bool:
    """Sign up who ticked the box of a shop's own form, and return whether the request was taken. Never raises: an order
    does not fail for a newsletter's sake. What went wrong is logged, without the address.

    ``wording`` is what stood beside the box (``checkout_wording``, or better the one that ``NewsletterBox`` has signed when
    it was shown); an empty one is no consent, and nothing happens.
    """
    if not email or not wording:
        return False
    try:
        # A failed statement must not spoil the transaction of the order.
        with transaction.atomic():
            subscribe_visitor(
                request=request, email=email, wording=wording, list_slug=list_slug, method=method, source=source
            )
    except (NewsletterError, ValidationError) as error:
        logger.info("A sign-up from the %s was not accepted: %s.", source, type(error).__name__)
    except Exception:
        logger.exception("A sign-up from the %s failed.", source)
    else:
        return True
    return False

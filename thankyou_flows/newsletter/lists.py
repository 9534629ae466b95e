"""Which list a sign-up is for, and what it is called in a consent."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from coupons.holders import customer_key

from ..conf import app_settings
from ..models import MailingList, Subscription
from .errors import ListClosed

#: The list of shops that have one. It is there when somebody first signs up for it.
DEFAULT_LIST: Final = "newsletter"


def find_list(slug: str) -> MailingList | None:
    """Return the list with this slug if people can sign up for it, else None. Writes nothing, one query: the default
    list, as long as nobody has made it, is returned as it will be, unsaved.
    """
    found = MailingList.objects.select_related("incentive").filter(slug=slug).first()
    if found is None and slug == DEFAULT_LIST:
        return _new_list(slug)
    return found if found is not None and found.is_open else None


def list_to_join(slug: str) -> MailingList:
    """Return the list with this slug, made with sensible texts if it is not there yet. Raises ListClosed."""
    found = MailingList.objects.filter(slug=slug).first()
    if found is None:
        new = _new_list(slug)
        found, _created = MailingList.objects.get_or_create(
            slug=slug, defaults={"title": new.title, "purpose": new.purpose, "promise": new.promise}
        )
    if not found.is_open:
        raise ListClosed
    return found


def describe(mailing_list: MailingList) -> str:
    """Return a list in one line, as receipts keep it: its name, its purpose and its promise (EM-4)."""
    return f"{mailing_list.title}: {mailing_list.purpose} {mailing_list.promise}".strip()


def privacy_line() -> str:
    """Return the line that leads to the page about data, empty without one; it is part of a wording."""
    url = app_settings.privacy_url
    return f"{_('How we treat your data')}: {url}" if url else ""


def is_subscribed(*, email: str, list_slug: str = DEFAULT_LIST) -> bool:
    """Return whether this address is on the list. For pages of somebody who has proved to own the address, and for
    nobody else (EM-2).
    """
    rows = Subscription.objects.filter(mailing_list__slug=list_slug, email_key=customer_key(email))
    return rows.filter(state=Subscription.State.CONFIRMED).exists()


def _new_list(slug: str) -> MailingList:
    # In the shop's language, not in that of whoever comes first.
    with translation.override(settings.LANGUAGE_CODE):
        return MailingList(
            slug=slug,
            title=_("Letters from the shop") if slug == DEFAULT_LIST else slug.replace("-", " ").capitalize()[:80],
            purpose=_("What is new, and how to get the most out of what you have."),
            promise=_("At most twice a month."),
        )

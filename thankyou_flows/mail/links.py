"""Links in mails to unsubscribe and to the preferences: signed, and complete in themselves (EM-5)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from django.core import signing
from django.urls import reverse

from coupons.holders import CUSTOMER_PREFIX, customer_key

from ..conf import app_settings
from ..models import Ground, MailingList, Message, MessageKind

SALT: Final = "thankyou_flows.mail.v1"
#: Longer than any of ours: what is longer is not looked at.
MAX_LENGTH: Final = 300
_PARTS: Final = re.compile(r"([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{0,22})\.([A-Za-z0-9_-]{0,50})(\.f)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whom a link belongs to, and which message brought it. Holds no address, so it also works for an erased person."""

    email_key: str
    #: Key of the message; empty for a link that no mail brought (the account's page).
    message_key: str = ""
    #: Slug of the list that the one-click button leaves; empty: the follow-ups.
    list_slug: str = ""
    #: Whether that button leaves the follow-ups together with the list.
    and_follow_ups: bool = False


def make_token(holder: Holder) -> str:
    """Return the signed token of a person's links. Does not expire: an old mail must still be able to unsubscribe.

    Short enough for one line of a mail, and of characters that nothing on the way changes. Raises ValueError if the
    holder is nobody's.
    """
    person = _pack(holder.email_key)
    value = f"{person}.{holder.message_key}.{holder.list_slug}{'.f' if holder.and_follow_ups else ''}"
    if not _PARTS.fullmatch(value):
        raise ValueError("A link in a mail needs a customer key, and a message and list as we name them.")
    return _signer().sign(value)


def read_token(token: str) -> Holder | None:
    """Return whose token this is; None if it is not one of ours. Asks no database."""
    if len(token) > MAX_LENGTH or not token.isascii():
        return None
    try:
        value = _signer().unsign(token)
    except signing.BadSignature:
        return None
    parts = _PARTS.fullmatch(value)
    if parts is None:
        return None
    person, message_key, list_slug, both = parts.groups()
    return Holder(
        email_key=_unpack(person), message_key=message_key, list_slug=list_slug, and_follow_ups=both is not None
    )


def base_url() -> str:
    """Return what links in mails begin with: ``BASE_URL``, else the default site's address, without a slash at the end.
    Raises ValueError if neither is there.
    """
    from wagtail.models import Site

    configured = app_settings.base_url.strip().rstrip("/")
    if configured:
        return configured
    site = Site.objects.filter(is_default_site=True).first()
    if site is None:
        raise ValueError('Links in mails need THANKYOU_FLOWS["BASE_URL"] or a default site.')
    return str(site.root_url).rstrip("/")


def holder_of(message: Message) -> Holder:
    """Return whose links a message carries, and what its one-click button leaves: see :func:`list_left_by`."""
    mailing_list = list_left_by(message)
    return Holder(
        email_key=message.email_key,
        message_key=message.key,
        list_slug=mailing_list.slug if mailing_list is not None else "",
        and_follow_ups=mailing_list is not None and message.kind == MessageKind.FOLLOW_UP,
    )


def list_left_by(message: Message) -> MailingList | None:
    """Return the list that "unsubscribe" in this message leaves. A newsletter's is its own. Whoever presses it in a
    follow-up does not want follow-ups, nor the list whose consent brought this one; that is known once the gate was asked
    (``message.ground``).
    """
    if message.kind == MessageKind.NEWSLETTER:
        return message.mailing_list
    if message.kind == MessageKind.FOLLOW_UP and message.ground == Ground.CONSENT:
        return list_behind(message)
    return None


def list_behind(message: Message) -> MailingList | None:
    """Return the list that a message belongs to: its own, else its follow-up's."""
    if message.mailing_list is not None or message.follow_up is None:
        return message.mailing_list
    return message.follow_up.mailing_list


def preferences_url(message: Message) -> str:
    """Return the address of the preference page of this message's person; it also holds "unsubscribe"."""
    return base_url() + reverse("thankyou_flows:preferences", args=[make_token(holder_of(message))])


def unsubscribe_url(message: Message) -> str:
    """Return the address for ``List-Unsubscribe``: GET shows a page with a button, POST unsubscribes (RFC 8058)."""
    return base_url() + reverse("thankyou_flows:unsubscribe", args=[make_token(holder_of(message))])


def preferences_path_for(email: str) -> str:
    """Return the path of a person's preference page, for the account's page. Give it only an address that the account
    has proved (``coupons.holders.verified_email_of``): whoever has the link may read and change the preferences.

    Raises ValueError for no address.
    """
    return reverse("thankyou_flows:preferences", args=[make_token(Holder(email_key=customer_key(email)))])


def unsubscribe_headers(message: Message) -> dict[str, str]:
    """Return ``List-Unsubscribe`` and ``List-Unsubscribe-Post``; nothing for transactional mail, which nobody can leave
    (EM-5). UNSUBSCRIBE_MAILTO comes second: mail programs that know one-click take the first.
    """
    if message.kind == MessageKind.TRANSACTIONAL:
        return {}
    ways = [f"<{unsubscribe_url(message)}>"]
    mailto = "".join(app_settings.unsubscribe_mailto.split()).strip("<>").removeprefix("mailto:")
    if mailto:
        ways.append(f"<mailto:{mailto}{'&' if '?' in mailto else '?'}subject=unsubscribe>")
    return {"List-Unsubscribe": ", ".join(ways), "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _signer() -> signing.Signer:
    # Not Django's ":": some mail programs take it for the end of an address.
    return signing.Signer(sep=".", salt=SALT)


def _pack(email_key: str) -> str:
    try:
        digest = bytes.fromhex(email_key.removeprefix(CUSTOMER_PREFIX))
    except ValueError:
        return ""
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def _unpack(person: str) -> str:
    try:
        return CUSTOMER_PREFIX + base64.urlsafe_b64decode(f"{person}=").hex()
    except binascii.Error:  # 43 characters are always 32 bytes
        return ""

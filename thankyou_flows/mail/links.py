"""Links in mails to unsubscribe and to the preferences: signed, and complete in themselves (EM-5)."""

from __future__ import annotations

from dataclasses import dataclass

from ..models import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whom a link belongs to, and which message brought it. Holds no address, so it also works for an erased person."""

    email_key: str
    #: Key of the message; empty for a link that no mail brought (the account's page).
    message_key: str = ""
    #: Slug of the list that the one-click button leaves; empty: the follow-ups.
    list_slug: str = ""


def make_token(holder: Holder) -> str:
    """Return the signed token of a person's links. Does not expire: an old mail must still be able to unsubscribe."""
    raise NotImplementedError


def read_token(token: str) -> Holder | None:
    """Return whose token this is; None if it is not one of ours."""
    raise NotImplementedError


def base_url() -> str:
    """Return what links in mails begin with: ``BASE_URL``, else the default site's address, without a slash at the end.
    Raises ValueError if neither is there.
    """
    raise NotImplementedError


def preferences_url(message: Message) -> str:
    """Return the address of the preference page of this message's person; it also holds "unsubscribe"."""
    raise NotImplementedError


def unsubscribe_url(message: Message) -> str:
    """Return the address for ``List-Unsubscribe``: GET shows a page with a button, POST unsubscribes (RFC 8058)."""
    raise NotImplementedError


def unsubscribe_headers(message: Message) -> dict[str, str]:
    """Return ``List-Unsubscribe`` and ``List-Unsubscribe-Post``; nothing for transactional mail."""
    raise NotImplementedError

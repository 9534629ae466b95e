"""Whom not to write to any more, and how that begins and ends (EM-6)."""

from __future__ import annotations

from datetime import datetime

from ..models import ConsentReceipt, Contact, MailingList, Message, Suppression


def suppress(
    *, email_key: str, scope: str, reason: Suppression.Reason, message_key: str = "", now: datetime | None = None
) -> bool:
    """Note that this person must not get mail of this scope (``Suppression.MARKETING``, ``FOLLOW_UPS`` or
    ``list_scope(list)``) and stop what is planned; return whether that is new. Idempotent, and effective at once: what a
    worker has claimed but not handed over is stopped too.
    """
    raise NotImplementedError


def list_scope(mailing_list: MailingList) -> str:
    """Return the scope of one list."""
    return f"{Suppression.LIST_PREFIX}{mailing_list.slug}"


def leave(
    *,
    email_key: str,
    mailing_list: MailingList | None = None,
    everything: bool = False,
    method: ConsentReceipt.Method = ConsentReceipt.Method.LINK,
    message: Message | None = None,
    now: datetime | None = None,
) -> None:
    """Take this person off one list; without a list off the follow-ups (an objection); with ``everything`` off all of it.

    Works for an erased person too, by the key. Keeps a receipt for each list that was left, marks ``message`` as what led
    to it, and announces ``contact_left`` after commit, once. Idempotent.
    """
    raise NotImplementedError


def lift(*, email_key: str, mailing_list: MailingList) -> None:
    """End the suppressions that this person has just overruled by confirming a sign-up: the list's own and "everything",
    if it was the person's own wish (left, objected, erased). Bounces and complaints stay.
    """
    raise NotImplementedError


def meet(
    *, email: str, language: str = "", time_zone: str = "", acted: bool = False, now: datetime | None = None
) -> Contact:
    """Return the contact of an address, made if need be; newer language and zone win, empty ones change nothing.

    ``acted`` notes that the person did something of their own (EM-13).
    """
    raise NotImplementedError

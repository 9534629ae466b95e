"""The connection to the mail server: one for a batch, given up when it breaks."""

from __future__ import annotations

import logging
from contextlib import suppress
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused
from typing import Any, Final

import django
from django.core import mail
from django.core.mail.backends.smtp import EmailBackend

from .errors import NotTaken, RecipientRejected, for_logs, has_hung_up

logger = logging.getLogger(__name__)

#: For backends that would wait for ever (EMAIL_TIMEOUT is not set): one silent server would hold up everything.
TIMEOUT: Final = 30
#: While a customer waits for the answer to a request.
SHORT_TIMEOUT: Final = 3
#: What Anymail says of an address that the provider does not send to.
_REJECTED: Final = frozenset({"rejected", "invalid"})


def get_connection() -> Any:
    """Return a new connection of the project's default mail backend: ``MAILERS`` on Django 6.1 and later, if the project
    has it, else ``EMAIL_BACKEND``.
    """
    if django.VERSION >= (6, 1):
        return mail.mailers.default
    return mail.get_connection()


class Line:
    """A connection that is opened when it is needed, kept for the next mail, and given up after an error. ``timeout`` is
    how many seconds it waits for a word at most, where the backend knows of such a thing.
    """

    def __init__(self, *, timeout: float | None = None) -> None:
        self._backend: Any = None
        self._timeout = timeout

    def send(self, email: Any) -> str:
        """Hand one mail over; return the provider's id for it, or ``""``. Raises whatever the backend raises."""
        is_used = self._backend is not None
        try:
            sent = self._hand_over(email)
        except Exception as error:
            if not (is_used and has_hung_up(error)):
                raise
            sent = self._hand_over(email)
        if sent == 0:
            raise NotTaken("The mail backend sent nothing.")
        return _provider_id(email)

    def close(self) -> None:
        """Close politely."""
        backend, self._backend = self._backend, None
        if backend is None:
            return
        try:
            backend.close()
        except Exception as error:
            logger.info("The connection to the mail server was not closed well: %s", for_logs(error))

    def give_up(self) -> None:
        """Close without a word: a server that is silent would not answer QUIT either."""
        backend, self._backend = self._backend, None
        if isinstance(backend, EmailBackend):
            for name in ("connection", "_partial_connection"):
                with suppress(Exception):
                    smtp = getattr(backend, name, None)
                    setattr(backend, name, None)
                    if smtp is not None:
                        smtp.close()
        elif backend is not None:
            with suppress(Exception):
                backend.close()

    def _hand_over(self, email: Any) -> Any:
        try:
            return self._open().send_messages([email])
        except Exception as error:
            # A backend that says no to one mail is fine for the next.
            if not _is_about_the_mail(error):
                self.give_up()
            raise

    def _open(self) -> Any:
        if self._backend is None:
            self._backend = get_connection()
            self._limit(self._backend)
            self._backend.open()
        return self._backend

    def _limit(self, backend: Any) -> None:
        if not hasattr(backend, "timeout"):
            return
        if backend.timeout is None:
            backend.timeout = TIMEOUT
        # Anymail's may be a pair, for connecting and for reading.
        longest = max(backend.timeout) if isinstance(backend.timeout, tuple) else backend.timeout
        if self._timeout is not None and longest > self._timeout:
            backend.timeout = self._timeout


def _is_about_the_mail(error: Exception) -> bool:
    """Whether the connection is as good as before: smtplib has said RSET after a refusal."""
    if isinstance(error, (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError)):
        return getattr(error, "smtp_code", None) != 421
    return isinstance(error, (ValueError, TypeError, LookupError)) and not isinstance(error, OSError)


def _provider_id(email: Any) -> str:
    """Return what Anymail's status says, which it leaves at the mail. Raises RecipientRejected."""
    status = getattr(email, "anymail_status", None)
    if status is None:
        return ""
    statuses = set(status.status or ())
    if statuses and statuses <= _REJECTED:
        raise RecipientRejected(f"The mail provider says: {', '.join(sorted(statuses))}.")
    if statuses == {"failed"}:
        raise NotTaken("The mail provider says: failed.")
    return status.message_id if isinstance(status.message_id, str) else ""

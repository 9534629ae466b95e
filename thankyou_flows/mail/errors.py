"""What an exception of the mail backend means for the message: late, refused, or perhaps sent (EM-9, EM-10).

A shop's own fault (a wrong password, a sender or a relay that is refused, a server on a blocklist) must cost no customer
anything: the mail waits, and no address is suppressed. Only an answer about the address itself says that it does not exist.
"""

from __future__ import annotations

import random
import re
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import FrameType
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from ..conf import app_settings

#: All retries of a soft failure together, as mail servers do among each other.
RETRY_SPAN: Final = timedelta(days=3)
#: Each wait is so many times as long as the one before.
_GROWTH: Final = 3
_SHORTEST: Final = timedelta(minutes=1)

#: Replies to a recipient that are about our server, the order of commands or a full mailbox, not about the address.
_NOT_THE_ADDRESS: Final = frozenset({500, 501, 502, 503, 504, 521, 530, 534, 535, 538, 552})
#: RFC 3463: x.1.7 and x.1.8 are about the sender, x.2.2 is a full mailbox.
_BAD_ADDRESS: Final = re.compile(rb"^\s*5\.(1\.(?![78]\b)|2\.[01]\b)")
_ENHANCED: Final = re.compile(rb"^\s*5\.(\d{1,3})\.\d{1,3}\b")
#: RFC 3463: security and policy, which is about whom the mail comes from.
_POLICY: Final = b"7"


class Meaning(StrEnum):
    """What a failure means."""

    #: Not sent, and worth another attempt.
    SOFT = "soft"
    #: The address does not exist.
    HARD = "hard"
    #: This mail was refused for good; the address may be fine.
    REFUSED = "refused"
    #: It may have been sent.
    UNCERTAIN = "uncertain"
    #: Nobody could send this mail: it is not well-formed.
    UNSENDABLE = "unsendable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The meaning of one failure, and what is kept of it."""

    meaning: Meaning
    error: str
    #: There is no mail server to talk to, so the next message need not be tried at once.
    is_away: bool = False


class NotTaken(Exception):
    """The backend said that it sent nothing, and not why (``fail_silently``, or a signal that cancelled it)."""


class RecipientRejected(Exception):
    """The provider took the call, and said that it does not send to this address."""


def wait_before(attempt: int) -> timedelta | None:
    """Return how long to wait before the attempt after ``attempt`` (1, 2, …), a little more or less each time so that
    not all come back at once; None if that was the last of ``MAIL_ATTEMPTS``.

    With 8 attempts about 4 and 12 minutes, then half an hour, 2, 5 and 16 hours, and two days.
    """
    waits = app_settings.mail_attempts - 1
    if attempt > waits:
        return None
    share = _GROWTH ** (attempt - 1) / sum(_GROWTH**number for number in range(waits))
    return max(_SHORTEST, RETRY_SPAN * share * random.uniform(0.85, 1.15))


def judge_sending(error: Exception) -> Verdict:
    """Say what an exception of the mail backend means. Never raises."""
    meaning, is_away = _judge_smtp(error) or _judge_anymail(error) or _judge_rest(error)
    return Verdict(meaning=meaning, error=in_words(error), is_away=is_away)


def has_hung_up(error: Exception) -> bool:
    """Whether the server ended the conversation before this mail was sent, as some do after a while or a number of
    mails: on a new connection the same mail may go well.
    """
    if getattr(error, "smtp_code", None) == 421:
        return True
    is_broken = isinstance(error, (smtplib.SMTPServerDisconnected, ConnectionError))
    return is_broken and judge_sending(error).meaning is Meaning.SOFT


def judge_composing(error: Exception) -> Verdict:
    """Say what an exception of a composer means: a mail that cannot be written stays so (EM-9), unless the database or
    another server was away.
    """
    is_passing = isinstance(error, (DatabaseError, OSError)) and not isinstance(error, _LASTING)
    return Verdict(meaning=Meaning.SOFT if is_passing else Meaning.UNSENDABLE, error=in_words(error))


#: OSErrors that do not go away by themselves: a template or a picture that is not there.
_LASTING: Final = (FileNotFoundError, IsADirectoryError, NotADirectoryError)


def in_words(error: BaseException) -> str:
    """Return class and text of an exception, as a developer wants it in the admin."""
    return f"{type(error).__name__}: {error}".rstrip(": ")


def for_logs(error: BaseException) -> str:
    """Return what an exception is and where it came from, without its text: that may hold an address (OP-6)."""
    frames = list(_frames(error))
    code = getattr(error, "smtp_code", None) or getattr(error, "status_code", None) or ""
    where = f" in {frames[-1].f_code.co_filename}:{frames[-1].f_lineno}" if frames else ""
    return f"{type(error).__name__} {code}".rstrip() + where


def _judge_smtp(error: Exception) -> tuple[Meaning, bool] | None:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        # One recipient a mail.
        code, reply = next(iter(error.recipients.values()), (450, b""))
        return _judge_reply(int(code), _bytes(reply)), False
    if isinstance(error, smtplib.SMTPDataError):
        code, reply = error.smtp_code, _bytes(error.smtp_error)
        if code < 500 or _is_policy(reply):
            return Meaning.SOFT, False
        # After the text: it may be about the text, so only an outspoken reply is about the address.
        return Meaning.HARD if _BAD_ADDRESS.match(reply) else Meaning.REFUSED, False
    if isinstance(error, smtplib.SMTPSenderRefused):
        return Meaning.SOFT, error.smtp_code == 421
    if isinstance(error, (smtplib.SMTPResponseException, smtplib.SMTPNotSupportedError)):
        # The greeting, the login, STARTTLS.
        return Meaning.SOFT, True
    if isinstance(error, (smtplib.SMTPException, OSError)) and _was_in_smtplib(error):
        if _text_was_sent(error):
            return Meaning.UNCERTAIN, False
        return Meaning.SOFT, not _was_greeted(error)
    if isinstance(error, smtplib.SMTPException):
        return Meaning.SOFT, True
    return None


def _judge_reply(code: int, reply: bytes) -> Meaning:
    """Judge what a server said to RCPT."""
    if code < 500 or code in _NOT_THE_ADDRESS:
        return Meaning.SOFT
    if _ENHANCED.match(reply):
        return Meaning.HARD if _BAD_ADDRESS.match(reply) else Meaning.SOFT
    return Meaning.HARD


def _judge_anymail(error: Exception) -> tuple[Meaning, bool] | None:
    """Judge by what Anymail's exceptions carry, whether or not it is installed."""
    if isinstance(error, RecipientRejected):
        return Meaning.HARD, False
    names = {each.__name__ for each in type(error).__mro__}
    if "AnymailRecipientsRefused" in names:
        return Meaning.HARD, False
    if "AnymailConfigurationError" in names:
        return Meaning.SOFT, True
    if "AnymailError" not in names:
        return None
    if names & {"AnymailInvalidAddress", "AnymailUnsupportedFeature", "AnymailSerializationError"}:
        return Meaning.UNSENDABLE, False
    status = getattr(error, "status_code", None)
    if status is None:
        return _judge_request(error, names)
    if status in (401, 403, 408, 429) or status >= 500:
        # A wrong key is the shop's fault, and no customer's.
        return Meaning.SOFT, status in (401, 403, 429)
    return (Meaning.UNSENDABLE, False) if status >= 400 else (Meaning.UNCERTAIN, False)


def _judge_request(error: Exception, names: set[str]) -> tuple[Meaning, bool]:
    """Judge a call that got no answer, by the names of the exceptions of ``requests`` and, inside of them, urllib3."""
    inside = getattr(error.__cause__, "args", ())
    broke_off = any(type(each).__name__ == "ProtocolError" for each in inside)
    if broke_off or names & {"ReadTimeout", "ChunkedEncodingError"}:
        return Meaning.UNCERTAIN, False
    return Meaning.SOFT, True


def _judge_rest(error: Exception) -> tuple[Meaning, bool]:
    if isinstance(error, (NotTaken, ConnectionRefusedError, ssl.SSLError, ImproperlyConfigured, ImportError)):
        return Meaning.SOFT, not isinstance(error, NotTaken)
    if isinstance(error, (ValueError, TypeError, LookupError)):
        # A header with two lines (EM-8), an address that cannot be encoded.
        return Meaning.UNSENDABLE, False
    if isinstance(error, TimeoutError):
        return Meaning.UNCERTAIN, False
    if isinstance(error, OSError):
        return Meaning.SOFT, True
    # A backend that we do not know: perhaps it fell over after the mail was out.
    return Meaning.UNCERTAIN, False


def _is_policy(reply: bytes) -> bool:
    found = _ENHANCED.match(reply)
    return found is not None and found[1] == _POLICY


def _bytes(reply: Any) -> bytes:
    return reply if isinstance(reply, bytes) else str(reply).encode(errors="replace")


def _frames(error: BaseException) -> Iterator[FrameType]:
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


def _smtp_frames(error: BaseException) -> Iterator[FrameType]:
    return (frame for frame in _frames(error) if frame.f_globals.get("__name__") == "smtplib")


def _was_in_smtplib(error: BaseException) -> bool:
    return next(_smtp_frames(error), None) is not None


def _was_greeted(error: BaseException) -> bool:
    return any(frame.f_code.co_name == "sendmail" for frame in _smtp_frames(error))


def _text_was_sent(error: BaseException) -> bool:
    """Whether smtplib had begun to send the text: in ``SMTP.data`` it makes ``q`` of it just before."""
    return any(frame.f_code.co_name == "data" and "q" in frame.f_locals for frame in _smtp_frames(error))

"""Questions of visitors to the shop: asked without an account, answered by mail, and what becomes of them.

A question is a mail to nobody: the shop's people read it in the admin. With INQUIRY_NOTIFY they hear that there is one.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from . import mails
from .clients import is_within
from .exceptions import ListError
from .lists import TURNING
from .models import Inquiry
from .signals import inquiry_answered, inquiry_received

logger = logging.getLogger(__name__)

#: Questions in an hour: of one e-mail address, and of the whole site (ASVS 2.4.1).
MOST_OF_ONE: Final = 3
MOST_OF_ALL: Final = 600
WINDOW: Final = timedelta(hours=1)
#: Questions of one client, whatever addresses it gives, in so many seconds.
CLIENT_LIMITS: Final = ((5, 60 * 60), (20, 24 * 60 * 60))
#: How long an answer may be on its way before ``send_waiting`` takes care of it.
PATIENCE: Final = timedelta(minutes=5)

#: Letters of a question, of a name, of an answer; products that one question is about.
LONGEST: Final = 3000
LONGEST_NAME: Final = 80
LONGEST_ANSWER: Final = 5000
MOST_PRODUCTS: Final = 100

#: What ``Inquiry.products`` has of each; ``url`` is a whole address, because it also stands in the mail.
NO_PRODUCT: Final[Mapping[str, Any]] = {
    "product_ref": "",
    "options": "",
    "option_title": "",
    "title": "",
    "quantity": 1,
    "url": "",
}

State = Inquiry.State


class TooManyQuestions(ListError):
    """A limit is reached: of one e-mail address (``code`` ``address``), one client (``client``) or the site (``site``)."""

    def __init__(self, code: str) -> None:
        texts = {
            "address": _(
                "Several questions have come from this e-mail address in the last hour. Please send this one a little "
                "later; we have the others."
            ),
            "client": _(
                "Several questions have come from your connection already. Please send this one a little later."
            ),
            "site": _("We are getting a lot of questions at the moment. Please send yours again in an hour."),
        }
        super().__init__(code, texts[code])


class Overtaken(ListError):
    """Somebody else was quicker: the question is not in the state any more that this step begins with.

    ``inquiry`` is as it is now; None if it was deleted.
    """

    def __init__(self, inquiry: Inquiry | None) -> None:
        super().__init__("overtaken", _("Somebody else was quicker: this question has changed in the meantime."))
        self.inquiry = inquiry


def plain_text(text: str, *, is_line: bool = False) -> str:
    """Return a text as it can be kept and mailed: no control characters, no lone surrogates, no marks that turn
    around what follows; one line if asked for.

    Line ends become one character each, as a browser counts them.
    """
    text = "".join(letter for letter in text if letter not in TURNING)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if is_line:
        text = " ".join(text.split())
    kept = (letter for letter in text if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs"))
    return "".join(kept).strip()


def ask(
    *,
    email: str,
    text: str,
    name: str = "",
    products: Iterable[Mapping[str, Any]] = (),
    language: str = "",
    client: str = "",
    now: datetime | None = None,
) -> Inquiry:
    """Keep a question to the shop and return it; safe to repeat: the same words about the same products within an hour
    are one question.

    ``products`` are rows like NO_PRODUCT, with what is known, of which the first MOST_PRODUCTS are kept; ``language`` is
    the one of the answer's mail (default: the active one); ``client`` is who asks (``clients.client_of``), and without it
    nobody counts that. Three statements.

    Raises ValueError for an address, a question or a name that cannot be one, TooManyQuestions above three in an hour of
    an address, CLIENT_LIMITS of a client, or 600 in an hour of the site. After commit, INQUIRY_NOTIFY hears of it, and
    ``inquiry_received`` is sent.
    """
    now = now or timezone.now()
    text, name, email = plain_text(text), plain_text(name, is_line=True), email.strip()
    try:
        validate_email(email)
    except ValidationError:
        raise ValueError("not an e-mail address") from None
    if not text or len(text) > LONGEST or len(name) > LONGEST_NAME or plain_text(email) != email:
        raise ValueError("not a question")
    about = [{**NO_PRODUCT, **row} for row in products][:MOST_PRODUCTS]
    recent = Inquiry.objects.filter(created_at__gt=now - WINDOW)
    own = list(recent.filter(email__iexact=email).order_by("-pk")[:MOST_OF_ONE])
    for before in own:
        if (before.text, before.products) == (text, about):
            return before
    if len(own) >= MOST_OF_ONE:
        raise TooManyQuestions("address")
    if client and not is_within(name="questions", client=client, limits=CLIENT_LIMITS):
        raise TooManyQuestions("client")
    if recent.count() >= MOST_OF_ALL:
        raise TooManyQuestions("site")
    with transaction.atomic():
        inquiry = Inquiry.objects.create(
            email=email,
            name=name,
            text=text,
            products=about,
            language=(language or get_language() or "")[:12],
            created_at=now,
        )
        transaction.on_commit(lambda: _received(inquiry), robust=True)
    return inquiry


def answer(*, inquiry: Inquiry, text: str, by: Any, now: datetime | None = None) -> None:
    """Answer an open question; the answer goes by mail after commit, and ``inquiry_answered`` is sent.

    Of two people only the first answers: for the second it raises Overtaken, and nothing is mailed. Raises ValueError for
    an answer that is empty or too long. If the mail server is away, the answer stays, ``mailed_at`` is empty, and
    ``send_answer`` and ``send_waiting`` try again.
    """
    text = plain_text(text)
    if not text or len(text) > LONGEST_ANSWER:
        raise ValueError("not an answer")
    changes = {"answer": text, "answered_at": now or timezone.now(), "answered_by": by, "mailed_at": None}
    with transaction.atomic():
        _move(inquiry, (State.OPEN,), State.ANSWERED, **changes)
        transaction.on_commit(lambda: _answered(inquiry), robust=True)


def close(*, inquiry: Inquiry, now: datetime | None = None) -> None:
    """Close an open question without an answer (advertising, an abuse); nobody is told. Raises Overtaken."""
    _move(inquiry, (State.OPEN,), State.CLOSED, answered_at=now or timezone.now())


def reopen(*, inquiry: Inquiry) -> None:
    """Open a question again, to answer it (once more). An earlier answer stays until the next one. Raises Overtaken."""
    _move(inquiry, (State.ANSWERED, State.CLOSED), State.OPEN)


def send_answer(*, inquiry: Inquiry, now: datetime | None = None) -> bool:
    """Mail the answer if that has not been done; return whether the customer has it now.

    At least once: a mail that was taken while this process died goes twice, because none must be lost.
    """
    current = Inquiry.objects.filter(pk=inquiry.pk).first()
    if current is None or current.state != State.ANSWERED:
        return False
    if current.mailed_at is None and mails.send_answer(current):
        # Only for this answer: it may have been answered anew meanwhile.
        same = Inquiry.objects.filter(pk=current.pk, answered_at=current.answered_at, mailed_at=None)
        same.update(mailed_at=now or timezone.now())
        current.refresh_from_db(fields=["mailed_at"])
    inquiry.mailed_at = current.mailed_at
    return current.mailed_at is not None


def send_waiting(*, now: datetime | None = None) -> int:
    """Mail the answers that have waited for five minutes or more, each once; return how many went.

    One that fails is logged and stops nobody. Safe at any time: of two at once each mail is sent by one.
    """
    before = (now or timezone.now()) - PATIENCE
    sent = 0
    for inquiry in Inquiry.objects.filter(state=State.ANSWERED, mailed_at=None, answered_at__lt=before).order_by("pk"):
        try:
            with transaction.atomic():
                if _claim(inquiry):
                    sent += send_answer(inquiry=inquiry, now=now)
        except Exception:
            logger.exception("The answer to question %s could not be sent.", inquiry.pk)
    return sent


def count_open() -> int:
    """Return how many questions wait for an answer: one statement, by an index."""
    return Inquiry.objects.filter(state=State.OPEN).count()


def _move(inquiry: Inquiry, states: tuple[State, ...], to: State, **changes: Any) -> None:
    """Change the state in one statement that holds only for whoever comes first; ``inquiry`` is then as the row is."""
    moved = Inquiry.objects.filter(pk=inquiry.pk, state__in=states).update(state=to, **changes)
    if not moved:
        raise Overtaken(Inquiry.objects.select_related("answered_by").filter(pk=inquiry.pk).first())
    for name, value in {"state": to, **changes}.items():
        setattr(inquiry, name, value)


def _claim(inquiry: Inquiry) -> bool:
    """Hold an answer that waits until the transaction ends; False if somebody has sent or changed it meanwhile.

    An UPDATE that changes nothing: whoever comes second waits for the first, and then finds it done.
    """
    waiting = Inquiry.objects.filter(
        pk=inquiry.pk, state=State.ANSWERED, answered_at=inquiry.answered_at, mailed_at=None
    )
    return bool(waiting.update(mailed_at=None))


def _received(inquiry: Inquiry) -> None:
    mails.send_notice(inquiry)
    inquiry_received.send_robust(sender=Inquiry, inquiry=inquiry)


def _answered(inquiry: Inquiry) -> None:
    send_answer(inquiry=inquiry)
    inquiry_answered.send_robust(sender=Inquiry, inquiry=inquiry)

"""The mails of this app: a shop's answer to a question, and the word to the shop that a question has come."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.module_loading import import_string
from django.utils.translation import gettext

from .conf import app_settings
from .models import Inquiry

logger = logging.getLogger(__name__)

#: Never a reply to a reply (RFC 3834).
AUTOMATIC = {"Auto-Submitted": "auto-generated"}

#: What the keys begin with that ``SEND_MAIL`` gets: then comes the question's primary key, and for an answer which it is.
NOTICE: Final = "inquiry-notice"
ANSWER: Final = "inquiry-answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as it will look."""

    subject: str
    text: str
    html: str


def site_name() -> str:
    """Return what the shop is called in mails; empty if nobody has said it (WAGTAIL_SITE_NAME)."""
    return " ".join(str(getattr(settings, "WAGTAIL_SITE_NAME", "") or "").split())


def language_of(inquiry: Inquiry) -> str:
    """Return the language of the asker, or the site's if it is not one of the site's any more."""
    known = inquiry.language and translation.check_for_language(inquiry.language)
    return inquiry.language if known else settings.LANGUAGE_CODE


def greeting_for(inquiry: Inquiry) -> str:
    """Return how an answer begins and ends, in the asker's language, for the answer to be written in between."""
    with translation.override(language_of(inquiry)):
        hello = gettext("Hello %(name)s,") % {"name": inquiry.name} if inquiry.name else gettext("Hello,")
        bye = "\n".join(filter(None, [gettext("Kind regards"), site_name()]))
        return f"{hello}\n\n\n\n{bye}"


def render_answer(inquiry: Inquiry, *, answer: str) -> Mail:
    """Return the mail with an answer, in the asker's language. Changes nothing; also for the preview."""
    with translation.override(language_of(inquiry)):
        context = {
            "inquiry": inquiry,
            "answer": answer,
            "site_name": site_name(),
            "days": app_settings.inquiry_days,
        }
        folder = "thankyou_wishlists/email"
        subject = _subject(f"{folder}/answer_subject.txt", context)
        return Mail(
            subject=subject,
            text=render_to_string(f"{folder}/answer_message.txt", context).strip() + "\n",
            html=render_to_string(f"{folder}/answer_message.html", {**context, "subject": subject}),
        )


def render_notice(inquiry: Inquiry) -> Mail:
    """Return the mail that tells the shop's people of a question, in the site's language, without HTML."""
    with translation.override(settings.LANGUAGE_CODE):
        context = {"inquiry": inquiry, "site_name": site_name(), "url": _admin_url(inquiry)}
        return Mail(
            subject=_subject("thankyou_wishlists/email/notice_subject.txt", context),
            text=render_to_string("thankyou_wishlists/email/notice_message.txt", context).strip() + "\n",
            html="",
        )


def version_of(inquiry: Inquiry) -> str:
    """Return what tells one answer to a question from a later one; empty if there is none."""
    return f"{inquiry.answered_at:%Y%m%d%H%M%S%f}" if inquiry.answered_at else ""


def send_answer(inquiry: Inquiry) -> bool:
    """Mail the answer to the asker; return whether SEND_MAIL took it. What goes wrong is logged.

    The key names this answer: a question that is answered anew gets a new mail, the same answer goes once.
    """
    try:
        mail = render_answer(inquiry, answer=inquiry.answer)
        message = EmailMultiAlternatives(mail.subject, mail.text, to=[inquiry.email])
        message.attach_alternative(mail.html, "text/html")
        return _send(message, key=f"{ANSWER}:{inquiry.pk}:{version_of(inquiry)}", language=language_of(inquiry))
    except Exception:
        logger.exception("The answer to question %s could not be mailed.", inquiry.pk)
        return False


def send_notice(inquiry: Inquiry) -> bool:
    """Tell INQUIRY_NOTIFY that a question has come: what was asked and where to answer, without the asker's address."""
    if not app_settings.inquiry_notify:
        return False
    try:
        mail = render_notice(inquiry)
        to = list(app_settings.inquiry_notify)
        message = EmailMultiAlternatives(mail.subject, mail.text, to=to, headers=AUTOMATIC)
        return _send(message, key=f"{NOTICE}:{inquiry.pk}", language=settings.LANGUAGE_CODE)
    except Exception:
        logger.exception("Nobody could be told by mail of question %s.", inquiry.pk)
        return False


def send_directly(*, message: EmailMultiAlternatives, key: str, language: str = "") -> bool:
    """Hand a mail to the mail server now; return whether it took it. The default of ``SEND_MAIL``.

    A callable of a shop's own, which may keep the mail and send it later, gets the same: ``key`` names what the mail is
    about, and comes again if the mail is to be tried again; ``language`` is the one it is written in. A question is
    somebody's own words: whoever keeps the mail rather keeps the key, and writes it again when it goes (``render_answer``,
    ``render_notice``), so that what is erased here is gone.
    """
    return bool(message.send())


def _send(message: EmailMultiAlternatives, *, key: str, language: str) -> bool:
    return bool(import_string(app_settings.send_mail)(message=message, key=key, language=language))


def _subject(template: str, context: dict[str, Any]) -> str:
    """Return a subject of one line, whatever a product is called (no header can be slipped in)."""
    return " ".join(render_to_string(template, context).split())


def _admin_url(inquiry: Inquiry) -> str:
    try:
        path = reverse("thankyou_wishlists_inquiry:inspect", args=[inquiry.pk])
    except NoReverseMatch:  # a shop without Wagtail's admin
        return ""
    return str(getattr(settings, "WAGTAILADMIN_BASE_URL", "") or "").rstrip("/") + path

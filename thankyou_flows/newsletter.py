"""Newsletter sign-up with double opt-in: ask by mail, confirm by a button, keep the proof (EM-1 to EM-4).

:func:`subscribe` is the only way to a confirmation mail, whichever form, checkout or API wants one.
"""

from __future__ import annotations

import logging
import unicodedata
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from coupons.holders import customer_key

from .conf import app_settings
from .models import ConfirmationAllowance, ConfirmationLink, ConsentReceipt, MailingList, Subscription
from .ratelimit import hit
from .signals import subscription_confirmed
from .tokens import hash_token, make_token

logger = logging.getLogger(__name__)

PURPOSE = "newsletter"
#: Of one address in the network, whatever it types (EM-3).
IP_LIMITS = ("20/minute",)


class NewsletterError(Exception):
    """What a visitor can be told; ``message`` is translatable. Never depends on the typed address (EM-2)."""

    message = _("This did not work. Please try again.")

    def __str__(self) -> str:
        return str(self.message)


class TooManySignUps(NewsletterError):
    """Raised when one place sends sign-ups faster than a person could."""

    message = _("That were many sign-ups in a short time. Please try again in a few minutes.")


class LinkOver(NewsletterError):
    """Raised for a confirmation link that is unknown, mangled, or out of date: the three look the same (TY-2)."""

    message = _("This link does not work any more.")


def subscribe(
    *,
    email: str,
    wording: str,
    list_slug: str = "newsletter",
    source: str = "",
    path: str = "",
    language: str = "",
    ip_key: str = "",
    base_url: str = "",
    site_name: str = "",
    now: datetime | None = None,
) -> None:
    """Ask an address whether it wants to be on a list. The answer is the same for every address (EM-2).

    ``wording`` is the exact text that was shown, ``source`` what showed it (page and revision), ``path`` where; they
    are kept with the request (EM-4) and never mailed. ``ip_key`` is whose attempts these are (``ratelimit.client_ip``);
    empty for callers that are no visitors. ``base_url`` ("https://shop.example") begins the mailed link; without it,
    Wagtail's default site does. ``site_name`` is who asks; without it ``WAGTAIL_SITE_NAME``.

    No mail goes to an address that is on the list already, nor to one that got a mail in the last 3 minutes or three in
    the last 30 days (EM-3). The mail is sent after commit; if that fails, it is logged. Raises ValidationError if this
    is no e-mail address, TooManySignUps if ``ip_key`` has tried too often.
    """
    now = now or timezone.now()
    if ip_key and not hit(name="newsletter", key=ip_key, limits=IP_LIMITS):
        raise TooManySignUps
    # Normalised first: what is checked, keyed, kept and mailed is one and the same address.
    address = unicodedata.normalize("NFKC", email).strip()
    validate_email(address)
    base_url = (base_url or _default_base_url()).rstrip("/")
    with transaction.atomic():
        subscription, _created = Subscription.objects.get_or_create(
            mailing_list=MailingList.objects.get_or_create(slug=list_slug, defaults={"title": list_slug.capitalize()})[
                0
            ],
            email_key=customer_key(address),
            defaults={"email": address, "language": language[:16]},
        )
        if subscription.state == Subscription.State.CONFIRMED or not _take_allowance(address, now=now):
            return
        receipt = ConsentReceipt.objects.create(
            subscription=subscription,
            kind=ConsentReceipt.Kind.REQUESTED,
            wording=wording,
            source=source[:200],
            path=path[:500],
            language=language[:16],
        )
        token, token_hash = make_token(purpose=PURPOSE)
        ConfirmationLink.objects.create(
            receipt=receipt,
            email=address,
            token_hash=token_hash,
            expires_at=now + timedelta(hours=app_settings.confirm_hours),
        )
        send = partial(
            send_confirmation,
            email=address,
            url=base_url + reverse("thankyou_flows:confirm", args=[token]),
            site_name=site_name or getattr(django_settings, "WAGTAIL_SITE_NAME", "") or urlsplit(base_url).netloc,
            language=language,
        )
        transaction.on_commit(lambda: _send_safely(send), robust=True)


def send_confirmation(*, email: str, url: str, site_name: str, language: str = "") -> None:
    """Mail the confirmation link. Only :func:`subscribe` calls this: it keeps the limits (EM-3).

    Nothing in the mail was typed by whoever asked for it, but the address it goes to. Raises what the mail backend
    raises.
    """
    known = language if language and translation.check_for_language(language) else django_settings.LANGUAGE_CODE
    with translation.override(known):
        context = {
            "url": url,
            "site_name": " ".join(site_name.split()),  # it stands in a header
            "hours": app_settings.confirm_hours,
        }
        subject = render_to_string("thankyou_flows/email/newsletter_confirm_subject.txt", context)
        message = EmailMultiAlternatives(
            subject=" ".join(subject.split()),
            body=render_to_string("thankyou_flows/email/newsletter_confirm_message.txt", context).strip() + "\n",
            to=[email],
            # Keeps out-of-office answers away (RFC 3834).
            headers={"Auto-Submitted": "auto-generated"},
        )
        html = render_to_string("thankyou_flows/email/newsletter_confirm_message.html", context)
        message.attach_alternative(html, "text/html")
        message.send()


def find_confirmation(*, token: str, now: datetime | None = None) -> ConfirmationLink | None:
    """Return the link with this token, to show what it confirms; None if there is nothing to show.

    Changes nothing (EM-1). ``used_at`` of the link tells whether it is done already. Always one hash and one query,
    whatever the token is.
    """
    now = now or timezone.now()
    links = ConfirmationLink.objects.select_related("receipt__subscription")
    link = links.filter(token_hash=hash_token(token, purpose=PURPOSE)).first()
    if link is None:
        return None
    if link.used_at is not None:
        # Of somebody who has left since, an old link says nothing any more.
        return link if link.receipt.subscription.state == Subscription.State.CONFIRMED else None
    return link if link.expires_at > now else None


def confirm(*, token: str, path: str = "", language: str = "", now: datetime | None = None) -> Subscription:
    """Put the address on the list, because its owner pressed the button behind the link. Idempotent.

    Keeps a receipt with the wording that was asked for, and announces ``subscription_confirmed`` after commit, once.
    Raises LinkOver if the link is unknown, mangled or out of date, or if the owner has left the list since it was used.
    """
    now = now or timezone.now()
    with transaction.atomic():
        link = find_confirmation(token=token, now=now)
        if link is None:
            raise LinkOver
        request = link.receipt
        subscription = request.subscription
        # The WHERE makes one of two presses the one that confirms; the other finds it done.
        taken = ConfirmationLink.objects.filter(pk=link.pk, used_at=None).update(used_at=now)
        moved = taken and (
            Subscription.objects.filter(pk=subscription.pk)
            .exclude(state=Subscription.State.CONFIRMED)
            .update(state=Subscription.State.CONFIRMED, email=link.email, language=request.language, confirmed_at=now)
        )
        if moved:
            ConsentReceipt.objects.create(
                subscription=subscription,
                kind=ConsentReceipt.Kind.CONFIRMED,
                wording=request.wording,
                source=request.source,
                path=path[:500],
                language=(language or request.language)[:16],
            )
            # Other mails of the same request are done too: after leaving the list, none of them leads back.
            ConfirmationLink.objects.filter(receipt__subscription=subscription, used_at=None).update(used_at=now)
        subscription.refresh_from_db()
        if moved:
            transaction.on_commit(
                lambda: subscription_confirmed.send_robust(sender=Subscription, subscription=subscription), robust=True
            )
    return subscription


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


def _take_allowance(address: str, *, now: datetime) -> bool:
    """Note one mail more for the mailbox; return False if it has had enough. One guarded UPDATE decides (EM-3)."""
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


def _send_safely(send: partial[None]) -> None:
    try:
        send()
    except Exception:
        # Whatever the mail server says, the page goes on; the visitor can ask again in three minutes.
        logger.exception("A newsletter confirmation mail could not be sent.")


def _default_base_url() -> str:
    from wagtail.models import Site

    site = Site.objects.filter(is_default_site=True).first()
    if site is None:
        raise ValueError("There is no default site, so the link in the mail needs a base_url.")
    return str(site.root_url)

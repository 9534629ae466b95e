"""What the entry of codes reads from a request: who tries, whether it is a person, and what is in the basket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.module_loading import import_string

from .conf import app_settings
from .guessing import Visitor, needs_challenge
from .holders import keys_of
from .ratelimit import client_ip
from .staging import begun

if TYPE_CHECKING:
    from django.http import HttpRequest

    from .facts import BasketFacts


def visitor_of(request: HttpRequest) -> Visitor:
    """Return who tries. Makes no session; the address is behind ``TRUSTED_PROXIES`` proxies. Of somebody who is signed
    in the holder keys are told, too.
    """
    session = getattr(request, "session", None)
    # Looking into the session comes first: one that was made up by the visitor has lost its key then.
    name = begun(session) if session is not None else ""
    return Visitor(
        session_key=name or getattr(session, "session_key", None) or "",
        ip=client_ip(request, trusted_proxies=app_settings.trusted_proxies),
        holder_keys=keys_of(getattr(request, "user", None)),
    )


def has_passed_challenge(request: HttpRequest) -> bool:
    """Return what the callable of ``CHALLENGE`` says of this visitor; false without one, and it is only asked while it
    matters (CO-7).
    """
    return needs_challenge() and bool(_load(app_settings.challenge)(request))


def basket_of(request: HttpRequest) -> BasketFacts | None:
    """Return the visitor's basket, from the callable of ``BASKET``; ``None`` without one, or if it knows of none."""
    if not app_settings.basket:
        return None
    facts: BasketFacts | None = _load(app_settings.basket)(request)
    return facts


def _load(path: str) -> Any:
    return import_string(path)

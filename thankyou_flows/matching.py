"""Which page an order's customer gets: the live page of this site and locale with the highest priority whose rules
hold.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.utils.translation import get_language
from wagtail.coreutils import get_supported_content_language_variant
from wagtail.models import Site

from .rules import Facts, rules_hold

if TYPE_CHECKING:
    from django.http import HttpRequest

    from .page import ThankYouPageMixin

logger = logging.getLogger(__name__)


def page_models() -> list[type[Any]]:
    """Return the installed page types that are thank-you pages (usually one)."""
    from .page import ThankYouPageMixin

    return [model for model in apps.get_models() if issubclass(model, ThankYouPageMixin) and not model._meta.abstract]


def candidate_pages(*, request: HttpRequest) -> list[ThankYouPageMixin]:
    """Return the live thank-you pages of the request's site, best first: the visitor's language, then priority.

    One query for each thank-you page type, plus Wagtail's own for the site.
    """
    site = Site.find_for_request(request)
    if site is None:
        return []
    active, default = _languages()
    pages: list[Any] = []
    for model in page_models():
        pages += (
            model.objects.live()
            .descendant_of(site.root_page, inclusive=True)
            .filter(locale__language_code__in={active, default})
            .select_related("locale")
            .order_by()
        )
    return sorted(pages, key=lambda page: (page.locale.language_code != active, -page.priority, page.path))


def choose_page(*, request: HttpRequest, facts: Facts | None) -> ThankYouPageMixin | None:
    """Return the page to show, or None if the site has none that fits.

    Without facts (a visitor whose order is unknown) only pages without rules fit: the fallback. A page whose rules
    can't be evaluated is passed over, and that is logged.
    """
    for page in candidate_pages(request=request):
        try:
            if (rules_hold(page.rules, facts)) if facts is not None else not page.rules:
                return page
        except Exception:
            logger.exception("The rules of thank-you page %s could not be evaluated.", page.pk)
    return None


def _languages() -> tuple[str, str]:
    """Return the content languages to look for: the visitor's, and the site's own."""
    default = get_supported_content_language_variant(settings.LANGUAGE_CODE)
    try:
        active = get_supported_content_language_variant(get_language() or default)
    except LookupError:
        active = default
    return active, default

"""Whether a product can be had now, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .catalog import Card, accepts_options, pieces_left
from .conf import app_settings
from .pricing import is_buyable


def is_available(card: Card | None, options: str = "") -> bool:
    """Say whether somebody could order it. Where the customer has not chosen options yet, one that can be chosen counts."""
    return is_buyable(card) and (not options or accepts_options(card, options))


def availability_text(card: Card | None, options: str = "") -> str:
    """Return it in words; how many pieces are left only where the shop says so and they are few (CD-5)."""
    if card is None:
        return _("No longer sold")
    if not is_available(card, options):
        return _("Not available at the moment")
    left = pieces_left(card)
    if left is not None and 0 < left <= app_settings.low_stock:
        return ngettext("Available, only %(count)s left", "Available, only %(count)s left", left) % {"count": left}
    return _("Available")

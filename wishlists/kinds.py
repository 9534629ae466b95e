"""The kinds of lists as data: who may have each, what goes into it, how long it lives, and how two of it become one.

All that differs between a cart and a wish list stands here, once; the rest of the app asks. A shop changes single values
with ``THANKYOU_WISHLISTS = {"KINDS": {"recent": {"is_on": True}, "saved": {"max_items": 40}}}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .conf import app_settings


class Merge(StrEnum):
    """How the things of a guest come to those of an account, once the customer has asked for it (SL-1)."""

    UNION = "union"  # both; the larger quantity; what does not fit stays where it was
    NEWEST = "newest"  # both, and of those only the newest


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The policy of one kind of list."""

    name: str
    label: Any
    #: The shop has it.
    is_on: bool = True
    #: A guest may have one, in a cookie on the device.
    guests: bool = True
    #: An account may have it, in the database. With ``max_lists`` above 1 they have names.
    max_lists: int = 1
    #: Different products (with their options) in one list.
    max_items: int
    #: An item says how many pieces.
    quantities: bool = False
    #: Can be shown to others by a link.
    shareable: bool = False
    #: "Keep on this device" lets the guest's cookie outlive the browser's session (CK-6).
    keepable: bool = False
    #: Days after which an account's items go; None: they stay until the customer removes them.
    days: int | None = None
    #: When it is full, the oldest item makes room. Otherwise the customer is told, and nothing changes (CK-2).
    drops_oldest: bool = False
    merge: Merge = Merge.UNION
    #: Name and value of the guest's cookie together, in bytes. Browsers promise 4,096 for each; servers often take
    #: 8,190 for all cookies of a request, which those of all kinds stay below.
    max_bytes: int = 0


CART: Final = "cart"
SAVED: Final = "saved"
WISH: Final = "wish"
COMPARE: Final = "compare"
RECENT: Final = "recent"

#: Every kind with its policy, in the order in which customers are shown them.
KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            name=CART,
            label=pgettext_lazy("list of products", "Cart"),
            max_items=50,
            quantities=True,
            keepable=True,
            max_bytes=3800,
        ),
        Kind(
            name=SAVED,
            label=_("Saved for later"),
            max_items=100,
            quantities=True,
            keepable=True,
            max_bytes=2400,
        ),
        # Sharing, notes and several names need the server, so a wish list needs an account; saving does not.
        Kind(
            name=WISH,
            label=_("Wish list"),
            guests=False,
            max_lists=20,
            max_items=200,
            quantities=True,
            shareable=True,
        ),
        Kind(name=COMPARE, label=_("Comparison"), max_items=4, days=30, max_bytes=500),
        Kind(
            name=RECENT,
            label=_("Recently viewed"),
            is_on=False,
            max_items=12,
            days=30,
            drops_oldest=True,
            merge=Merge.NEWEST,
            max_bytes=500,
        ),
    )
}

#: What a shop may change of a kind. The rest is how the app works.
CHANGEABLE: Final = ("is_on", "max_lists", "max_items", "keepable", "days", "max_bytes")


def get_kind(name: str) -> Kind:
    """Return the policy of a kind with the shop's changes (``KINDS`` in the settings). Raises KeyError for none."""
    changes = app_settings.kinds.get(name)
    return replace(KINDS[name], **changes) if changes else KINDS[name]


def on_device() -> list[Kind]:
    """Return the kinds that a guest of this shop may have."""
    return [kind for kind in map(get_kind, KINDS) if kind.is_on and kind.guests]


def single() -> list[Kind]:
    """Return the kinds of which everybody has one at most."""
    return [kind for kind in map(get_kind, KINDS) if kind.is_on and kind.name != WISH]

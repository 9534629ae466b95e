"""One status message carried over a redirect, without a session: a signed cookie that lives two minutes at most."""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from . import encryption
from .catalog import Card
from .conf import app_settings
from .jar import cookies_of
from .lines import is_ref

#: Own purpose: a note is not a cart and a cart is not a note (CK-1).
SALT = "thankyou_wishlists.note.v1"
MAX_AGE = 120  # seconds; enough for the redirect, too short for the next person at this computer
#: Bytes of the value. Longer references stay at home, and the message says "the product": together with the cookies of
#: the lists it stays below what servers take (7,600 bytes for all of ours).
LONGEST = 220

TEXTS = {
    "added": _("Added: %(title)s"),
    "changed": _("%(title)s: quantity changed to %(quantity)s."),
    "limited": _("Only %(quantity)s of “%(title)s” left, so that is what your cart holds now."),
    "removed": _("Removed: %(title)s"),
    "gone": _("Sorry, this product cannot be bought at the moment, so it was not added."),
    "missing": _("“%(title)s” was no longer in your cart, so nothing was changed."),
    "saved": _("Saved for later: %(title)s"),
    "saved_many": _("Saved for later: %(quantity)s products"),
    "unsaved": _("No longer saved: %(title)s"),
    "not_here": _(
        "“%(title)s” was not on your list here. If you were logged in before, log in again to see your account's list."
    ),
    "put": _("In your cart: %(title)s"),
    "put_many": _("In your cart: %(quantity)s products"),
    "in_basket": _("In your basket: %(title)s"),
    "in_basket_many": _("In your basket: %(quantity)s products"),
    "listed": _("On your wish list: %(title)s"),
    "listed_many": _("On your wish list: %(quantity)s products"),
    "missed": _("“%(title)s” was no longer on your list, so nothing was changed."),
    "compared": _("In your comparison: %(title)s"),
    "compare_cleared": _("Your comparison is empty now."),
    "unknown": _("Sorry, this product is not in the shop any more, so nothing was changed."),
    "recent_forgotten": _("What you looked at is forgotten, and nothing more is remembered."),
    # Wish lists; some are about so many products at once.
    "list_made": _("Your new wish list. Nobody but you sees it."),
    "list_renamed": _("The list has its new name."),
    "list_deleted": _("The list is deleted."),
    "wish_added": _("On your wish list: %(title)s"),
    "wish_changed": _("Changed: %(title)s"),
    "wish_removed": _("Removed from this list: %(title)s"),
    "wishes_removed": _("Products removed from this list: %(quantity)s"),
    "wishes_restored": _("Products put back: %(quantity)s"),
    "wishes_moved": _("Products moved to this list: %(quantity)s"),
    "wishes_stayed": _("Nothing was moved: their notes together would be too long for one product."),
    "wish_missing": _("“%(title)s” was no longer on this list, so nothing was changed."),
    "wish_carted": _("In your cart: %(title)s"),
    "wishes_carted": _("Products put into your cart: %(quantity)s"),
    "wish_not_carted": _(
        "“%(title)s” could not be put into your cart: it cannot be bought now, or all there is is in it."
    ),
    "wishes_carted_in_part": _("Products put into your cart: %(quantity)s. The others cannot be bought now."),
    "wish_choice": _("“%(title)s” comes in several kinds: choose one on its page first."),
    "wishes_choice": _(
        "Products put into your cart: %(quantity)s. Some come in several kinds: choose one on their pages first."
    ),
    "list_shared": _("Whoever has this link can see the list now."),
    "share_changed": _("What the link shows is changed."),
    "share_renewed": _("This is the new link. The old one shows nothing any more."),
    "share_revoked": _("The link is revoked: it shows nothing any more."),
    "gifts_freed": _("All marks are removed. Everything is free to be chosen again."),
    "gift_marked": _("You are getting %(quantity)s × %(title)s. Others who have the link see that it is taken."),
    "gift_unmarked": _("You are not getting this any more: %(title)s. It is free for others again."),
    # What is kept on this device, and what an earlier visit left there.
    "device_kept": _("Kept on this device for %(quantity)s days after your last change."),
    "device_session": _("Kept until you close the browser."),
    "device_forgotten": _("Forgotten: nothing of yours is left on this device."),
    "device_empty": _("Nothing is on this device that could be kept, so nothing was changed."),
    "left_opened": _("Products put back: %(quantity)s"),
    "left_opened_in_part": _("Products put back: %(quantity)s. There was no room for the others; they stay here."),
    "left_saved": _("Products kept for later: %(quantity)s"),
    "left_saved_in_part": _("Products kept for later: %(quantity)s. There was no room for the others; they stay here."),
    "left_forgotten": _("What was left on this device is forgotten."),
    "left_nothing": _("Nothing is left here from an earlier visit, so nothing was changed."),
    "left_hushed": _("You will not be asked again until you close the browser."),
    "gift_own": _("This is your own list, and what others are getting is to be a surprise."),
    # After a login: what became of the things on this device.
    "merged": _("They are in your account now."),
    "merge_apart": _("The things on this device stay apart from your account."),
    "merge_forgotten": _("The things on this device are forgotten. Your account is as it was."),
    "merge_nothing": _("There was nothing on this device to add."),
    "merge_undone": _("Your account is as it was before, and the things are back on this device."),
    "merge_late": _("It is too late to undo this. You can still change each list by hand."),
    "merge_again": _("This was undone already."),
}

#: What needs attention.
BAD_NEWS = frozenset(
    {
        "limited",
        "gone",
        "missing",
        "missed",
        "not_here",
        "unknown",
        "wish_missing",
        "wish_not_carted",
        "wishes_carted_in_part",
        "wish_choice",
        "wishes_choice",
        "wishes_stayed",
        "gift_own",
        "device_empty",
        "left_opened_in_part",
        "left_saved_in_part",
        "left_nothing",
        "merge_late",
        "merge_again",
    }
)


@dataclass(frozen=True, slots=True)
class Note:
    """What happened: a code and references, so that the words come in the reader's language and no title is kept."""

    code: str
    product_ref: str = ""
    options: str = ""
    quantity: int = 0

    @property
    def is_bad_news(self) -> bool:
        return self.code in BAD_NEWS

    def text(self, card: Card | None, *, title: str = "") -> str:
        """Return the message for the customer. ``card`` is the product, if the catalogue still knows it.

        ``title`` is what an account's list has kept of one that left the shop.
        """
        title = card.title if card is not None else title or str(_("the product"))
        return str(TEXTS[self.code]) % {"title": title, "quantity": self.quantity}


def leave(response: HttpResponseBase, note: Note) -> None:
    """Send a note along with a redirect."""
    value = signing.dumps([note.code, note.product_ref, note.options, note.quantity], salt=SALT)
    if len(value) > LONGEST:
        value = signing.dumps([note.code, "", "", note.quantity], salt=SALT)
    if app_settings.encrypt_lists:
        value = encryption.encrypt(value)
    response.set_cookie(
        app_settings.note_cookie_name,
        value,
        max_age=MAX_AGE,
        path="/",
        secure=app_settings.cookie_secure,
        httponly=True,
        samesite="Lax",
    )


def read(request: HttpRequest) -> Note | None:
    """Return the note that came with this request; None if there is none, or none of ours (CK-3)."""
    text = cookies_of(request).get(app_settings.note_cookie_name, "")
    if not text or len(text) > 4096:
        return None
    try:
        text = encryption.decrypt(text) if app_settings.encrypt_lists else text
        payload = signing.loads(text, salt=SALT, max_age=MAX_AGE)
    except (signing.BadSignature, ValueError):
        return None
    match payload:
        case [str(code), str(ref), str(options), int(quantity)] if code in TEXTS and is_ref(ref, empty=True):
            return Note(code, ref, options, quantity)
    return None


def drop(request: HttpRequest, response: HttpResponseBase) -> None:
    """Delete the note that came with this request, good or bad: it is shown once."""
    if app_settings.note_cookie_name in cookies_of(request):
        response.delete_cookie(app_settings.note_cookie_name, path="/", samesite="Lax")

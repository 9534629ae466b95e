"""Every model of the three apps: whose its rows are, what of it is personal, and what erasure does to it (EM-13).

In the order of erasure: what points at other rows comes before them. A test holds this table against the models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from . import steps
from .person import Person, written_as
from .registry import Entry, Erasure, NotPersonal, PersonalModel


def _by(column: str, part: str = "keys") -> Callable[[Person], Q]:
    """Find rows whose column is one of a person's keys (or another part of ``Person``)."""
    return lambda person: Q(**{f"{column}__in": getattr(person, part)})


def _by_address(path: str = "") -> Callable[[Person], Q]:
    """Find rows by the address key, or by the address itself."""
    return lambda person: Q(**{f"{path}email_key__in": person.keys}) | written_as(f"{path}email", person)


_KEY: Final = "a keyed hash of the address: of use to nobody but us"
_SHOPS_WORDS: Final = "words of the shop"
_REFERENCE: Final = "a reference of ours or of the shop"
_CODE: Final = "one of a few words of the program"
_TOKEN: Final = "a secret of a link, kept as a hash"
_TECHNICAL: Final = "of use to the program only"
_PRODUCT: Final = "names a product of the shop"

_LOG_APPS: Final = ("thankyou_flows", "thankyou_coupons", "thankyou_wishlists")


def _log_entries(person: Person) -> Q:
    return written_as("label", person) & Q(content_type__app_label__in=_LOG_APPS)


def _receipt_facts(row: Any) -> Mapping[str, Any]:
    return {"list": row.subscription.mailing_list.title}


def _coupon_facts(row: Any) -> Mapping[str, Any]:
    until = row.valid_until
    return {
        "code": row.display_code,
        "worth": row.campaign.headline,
        "valid_until": until.isoformat() if until is not None else None,
    }


KNOWN: Final[tuple[Entry, ...]] = (
    # Mail ------------------------------------------------------------------------------------------------------------
    PersonalModel(
        model="thankyou_flows.MailEvent",
        find=lambda person: Q(message__email_key__in=person.keys) | written_as("message__email", person),
        personal=("message",),
        erasure=Erasure.DELETE,
        why=_("What the mail provider reported of mails to this person."),
        other={"provider": "name of the mail provider", "event_id": "the provider's number, with no address"},
    ),
    PersonalModel(
        model="thankyou_flows.Message",
        find=_by_address(),
        personal=(
            "email",
            "email_key",
            "context",
            "subject",
            "text",
            "html",
            "last_error",
            "provider_id",
            "dedupe_key",
        ),
        erasure=Erasure.BLANK,
        erase=steps.erase_messages,
        # Mails about questions, also those to the shop's people, hold a reference to the question, and none of its words.
        why=_("That a mail was planned or sent stays as a number. To whom, and what it said, goes."),
        other={
            "composer": _TECHNICAL,
            "language": "the language of a mail says nothing without its address",
            "reason": _CODE,
            "ref": _REFERENCE,
            "worker": _TECHNICAL,
            "key": _REFERENCE,
            "converted_order": _REFERENCE,
        },
        left_out={"email_key": _KEY, "worker": _TECHNICAL, "lease_until": _TECHNICAL, "composer": _TECHNICAL},
    ),
    PersonalModel(
        model="thankyou_flows.Contact",
        find=_by_address(),
        personal=("email", "email_key", "language", "time_zone"),
        erasure=Erasure.DELETE,
        why=_("The address, and how often and when this person wants mail."),
        other={"last_marketing_key": _REFERENCE},
        left_out={"email_key": _KEY, "last_marketing_key": _TECHNICAL},
    ),
    PersonalModel(
        model="thankyou_flows.ConfirmationLink",
        find=lambda person: (
            Q(receipt__subscription__email_key__in=person.keys)
            | written_as("email", person)
            | written_as("receipt__subscription__email", person)
        ),
        personal=("email",),
        erasure=Erasure.DELETE,
        why=_("Links in mails that asked this person to confirm; they stop working."),
        left_out={"token_hash": _TOKEN},
        other={"token_hash": _TOKEN},
    ),
    PersonalModel(
        model="thankyou_flows.ConsentReceipt",
        find=lambda person: steps.subscriptions_of(person, "subscription__"),
        personal=("ip",),
        erasure=Erasure.KEEP,
        erase=steps.erase_receipts,
        why=_(
            "Proof of what this person agreed to, where a sign-up was confirmed: the shop must be able to show it later. "
            "Kept without the address, which only whoever has the address can match with it. Requests that were never "
            "confirmed are deleted."
        ),
        other={
            "purpose": _SHOPS_WORDS,
            "wording": _SHOPS_WORDS,
            "source": _REFERENCE,
            "path": "a page of the shop",
            "language": "part of the proof: in which language it was asked",
        },
        related=("subscription__mailing_list",),
        more=_receipt_facts,
    ),
    PersonalModel(
        model="thankyou_flows.Subscription",
        find=steps.subscriptions_of,
        personal=("email", "email_key", "language"),
        erasure=Erasure.KEEP,
        erase=steps.erase_subscriptions,
        why=_(
            "This person leaves all lists. Where a sign-up was confirmed, an entry without the address keeps the proof "
            "together; one that was never confirmed is deleted."
        ),
        left_out={"email_key": _KEY},
        related=("mailing_list",),
        more=lambda row: {"mailing_list": row.mailing_list.title, "purpose": row.mailing_list.purpose},
    ),
    PersonalModel(
        model="thankyou_flows.ConfirmationAllowance",
        find=_by("mailbox_key", "mailbox_keys"),
        personal=("mailbox_key",),
        erasure=Erasure.KEEP,
        why=_(
            "When the latest confirmation mails went out, under a keyed hash: so that nobody can flood this address with "
            "them. It is deleted by itself after 30 days."
        ),
        left_out={"mailbox_key": _KEY},
    ),
    PersonalModel(
        model="thankyou_flows.Suppression",
        find=_by("email_key"),
        personal=("email_key",),
        erasure=Erasure.KEEP,
        why=_("A keyed hash of the address, so that this person is not written to again, also after an import."),
        other={"scope": _CODE, "message_key": _REFERENCE},
        left_out={"email_key": _KEY},
    ),
    # Orders ----------------------------------------------------------------------------------------------------------
    PersonalModel(
        model="thankyou_flows.OrderLink",
        find=steps.links_of,
        personal=("number",),
        erasure=Erasure.DELETE,
        why=_("Links in mails that show an order; they stop working."),
        other={"token_hash": _TOKEN},
        left_out={"token_hash": _TOKEN},
    ),
    PersonalModel(
        model="thankyou_flows.OrderRecordLine",
        find=_by("order__customer_key"),
        personal=("order",),
        erasure=Erasure.KEEP,
        why=_("What was sold, for the shop’s figures. The order that it belongs to no longer leads to the person."),
        other={"product_ref": _PRODUCT, "title": _PRODUCT},
    ),
    PersonalModel(
        model="thankyou_flows.OrderRecord",
        find=_by("customer_key"),
        personal=("customer_key",),
        erasure=Erasure.BLANK,
        blank={"customer_key": ""},
        why=_("Number, amount and date stay for the shop’s figures; whose order it was goes."),
        other={"number": _REFERENCE, "language": "the language of an order says nothing without its customer"},
        left_out={"customer_key": _KEY},
    ),
    # Coupons ---------------------------------------------------------------------------------------------------------
    PersonalModel(
        model="thankyou_coupons.Answer",
        find=steps.answers_of,
        personal=("holder_key", "value"),
        erasure=Erasure.DELETE,
        erase=steps.erase_answers,
        why=_("What this person answered to unlock coupons."),
        other={"question_name": _SHOPS_WORDS, "label": _SHOPS_WORDS, "purpose": _SHOPS_WORDS},
        left_out={"holder_key": _KEY},
    ),
    PersonalModel(
        model="thankyou_coupons.CouponEvent",
        find=_by("coupon__holder_key"),
        personal=("detail",),
        erasure=Erasure.KEEP,
        erase=steps.erase_coupon_events,
        why=_("When a coupon was given out and used, for the books. What staff noted beside it goes."),
        other={"actor": "names the shop, a customer in general, or staff by number", "order_ref": _REFERENCE},
        left_out={"actor": "who of the staff it was is about the staff"},
    ),
    PersonalModel(
        model="thankyou_coupons.Redemption",
        find=_by("customer_key"),
        personal=("customer_key",),
        erasure=Erasure.BLANK,
        erase=steps.erase_uses,
        why=_("That an order used a coupon, and what it took off, stays for the books; who it was goes."),
        other={"order_ref": _REFERENCE},
        left_out={"customer_key": _KEY},
    ),
    PersonalModel(
        model="thankyou_coupons.UsageCounter",
        find=_by("customer_key"),
        personal=("customer_key",),
        erasure=Erasure.DELETE,
        why=_("How often this person used coupons of a campaign that sets a limit for each customer."),
        left_out={"customer_key": _KEY},
    ),
    PersonalModel(
        model="thankyou_coupons.Coupon",
        find=_by("holder_key"),
        personal=("holder_key", "issue_key"),
        erasure=Erasure.BLANK,
        erase=steps.erase_coupons,
        why=_(
            "Coupons that are out stay valid, for whoever has the code; that they are this person’s goes. Of a coupon for "
            "a sign-up a keyed hash of the mailbox stays, so that nobody gets it twice."
        ),
        other={"code": "drawn at random"},
        left_out={"holder_key": _KEY, "issue_key": _TECHNICAL},
        related=("campaign",),
        more=_coupon_facts,
    ),
    # Lists -----------------------------------------------------------------------------------------------------------
    PersonalModel(
        model="thankyou_wishlists.ItemNews",
        find=_by("item__list__owner_id", "user_ids"),
        personal=("item",),
        erasure=Erasure.DELETE,
        why=_("Which news of saved products this person was told."),
    ),
    PersonalModel(
        model="thankyou_wishlists.GiftMark",
        find=_by("list__owner_id", "user_ids"),
        personal=("list",),
        erasure=Erasure.DELETE,
        why=_("What others marked as gifts on this person’s wish lists. Who they are is not known."),
        not_exported="what others marked is theirs, and may be a surprise",
        other={"key": _REFERENCE, "product_ref": _PRODUCT, "options": _PRODUCT, "title": _PRODUCT},
    ),
    PersonalModel(
        model="thankyou_wishlists.ListItem",
        find=_by("list__owner_id", "user_ids"),
        personal=("list", "note"),
        erasure=Erasure.DELETE,
        why=_("What is on the lists, with notes."),
        other={"product_ref": _PRODUCT, "options": _PRODUCT, "title": _PRODUCT},
    ),
    PersonalModel(
        model="thankyou_wishlists.ProductList",
        find=_by("owner_id", "user_ids"),
        personal=("owner", "name", "shown_name", "last_removed"),
        erasure=Erasure.DELETE,
        why=_("Cart, wish lists and other lists of the account; links to them stop working."),
        other={"key": _REFERENCE, "share_key": _REFERENCE},
    ),
    PersonalModel(
        model="thankyou_wishlists.MergeReceipt",
        find=_by("owner_id", "user_ids"),
        personal=("owner", "changes", "guest", "cookies", "left_out"),
        erasure=Erasure.DELETE,
        why=_("What was added to the account from a device."),
        other={"key": _REFERENCE},
        left_out={"cookies": "the same as “guest”, as the browser keeps it"},
    ),
    PersonalModel(
        model="thankyou_wishlists.Save",
        find=_by("owner_id", "user_ids"),
        personal=("owner",),
        erasure=Erasure.DELETE,
        why=_("Which products the account saved and bought, for the shop’s report."),
        other={"product_ref": _PRODUCT, "title": _PRODUCT},
    ),
    PersonalModel(
        model="thankyou_wishlists.Inquiry",
        find=lambda person: written_as("email", person),
        personal=("email", "name", "text", "products", "answer"),
        erasure=Erasure.DELETE,
        why=_("Questions to the shop, with their answers."),
        other={
            "key": _REFERENCE,
            "language": "goes with the question",
            "answered_by": "who of the staff it was is about the staff",
        },
        left_out={"answered_by": "who of the staff it was is about the staff"},
    ),
    # The admin's own history -----------------------------------------------------------------------------------------
    PersonalModel(
        model="wagtailcore.ModelLogEntry",
        title=_("entries of the site history"),
        find=_log_entries,
        personal=("label",),
        erasure=Erasure.BLANK,
        blank={"label": "–"},
        why=_("That staff did something stays in the site history; the address that it was about goes."),
        other={
            "data": "our entries hold counts and names of filters only",
            "action": _CODE,
            "user": "who of the staff it was is about the staff",
            "object_id": _REFERENCE,
        },
        not_exported="what staff did is about the staff",
    ),
    # Nobody's --------------------------------------------------------------------------------------------------------
    NotPersonal(model="thankyou_flows.MailingList", why="what the shop writes about a list"),
    NotPersonal(model="thankyou_flows.FollowUp", why="what the shop wants to write"),
    NotPersonal(model="thankyou_flows.FollowUpStep", why="what the shop wants to write"),
    NotPersonal(
        model="thankyou_flows.LastLook",
        why="when something was looked for; its cursor is the key of a row",
        other={"name": _CODE},
    ),
    NotPersonal(model="thankyou_coupons.Campaign", why="what the shop offers"),
    NotPersonal(model="thankyou_coupons.Question", why="what the shop asks"),
    NotPersonal(
        model="thankyou_coupons.CouponBatch",
        why="an order for many codes",
        other={
            "note": "what staff call the batch: “Flyer at the spring fair”",
            "created_by": "who of the staff ordered money's worth; goes with the account",
            "rejected": "numbers of rows and reasons, none of their cells",
        },
    ),
    NotPersonal(model="thankyou_wishlists.ProductWatch", why="what the catalogue says of a product"),
    NotPersonal(model="thankyou_wishlists.CatalogEvent", why="what happened to a product"),
    NotPersonal(model="thankyou_flows_pages.ThankYouPage", why="what the shop writes on a page"),
)

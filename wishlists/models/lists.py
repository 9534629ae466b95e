"""The lists of an account and what is on them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..fields import PriceField
from ..kinds import WISH
from ..lines import MAX_REF_LENGTH, Line
from .keys import KEY_LENGTH, make_key


class ProductListQuerySet(models.QuerySet["ProductList"]):
    """Adjectives of lists."""

    def of(self, user: Any) -> ProductListQuerySet:
        """Lists of this account; nobody has none (SL-3)."""
        return self.filter(owner_id=user.pk) if getattr(user, "is_authenticated", False) else self.none()

    def wish_lists(self) -> ProductListQuerySet:
        """Lists that their owners named."""
        return self.filter(kind=WISH)

    def shared(self) -> ProductListQuerySet:
        """Lists that can be seen by a link."""
        return self.exclude(share_key=None)


class ProductList(models.Model):
    """One list of one account. Of each kind but wish lists an account has one at most."""

    class Kind(models.TextChoices):
        CART = "cart", pgettext_lazy("list of products", "Cart")
        SAVED = "saved", _("Saved for later")
        WISH = "wish", _("Wish list")
        COMPARE = "compare", _("Comparison")
        RECENT = "recent", _("Recently viewed")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="product_lists", verbose_name=_("owner")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    key = models.CharField(_("key"), max_length=KEY_LENGTH, unique=True, default=make_key, editable=False)
    name = models.CharField(_("name"), max_length=80, blank=True)
    created_at = models.DateTimeField(_("begun"), default=timezone.now)
    changed_at = models.DateTimeField(_("last changed"), default=timezone.now)

    # Private by default; a link of its own, which another can replace (SL-4). Null is needed: NULLs do not collide.
    share_key = models.CharField(_("key of the link"), max_length=KEY_LENGTH, unique=True, null=True, blank=True)  # noqa: DJ001
    shared_at = models.DateTimeField(_("shared"), null=True, blank=True)
    #: Who looks at the link also sees what was added after it was made.
    shares_additions = models.BooleanField(_("also show what I add later"), default=False)
    #: What those who have the link may call the owner; empty: nothing about who it is.
    shown_name = models.CharField(_("name shown with the list"), max_length=80, blank=True)
    #: The owner does not want to see who is getting what.
    hides_gifts = models.BooleanField(_("keep it a surprise"), default=True)

    #: What was taken off a wish list last, whole, so that it can be put back as it was (``lists.put_back``).
    last_removed = models.JSONField(_("removed last"), default=list, blank=True, editable=False)

    objects = ProductListQuerySet.as_manager()

    class Meta:
        verbose_name = _("list")
        verbose_name_plural = _("lists")
        ordering: ClassVar = ["pk"]
        # Nobody works on customers' lists in the admin.
        default_permissions: ClassVar = []
        # Follow-ups look for the ones that nobody has touched for a while.
        indexes: ClassVar = [models.Index(fields=["changed_at"], name="thankyou_wishlists_untouched")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "kind"], condition=~Q(kind="wish"), name="thankyou_wishlists_one_of_a_kind"
            ),
            models.CheckConstraint(
                condition=Q(kind="wish") | Q(share_key=None), name="thankyou_wishlists_only_wish_lists_are_shared"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.get_kind_display()

    @property
    def is_shared(self) -> bool:
        """Whether somebody may look at it by a link."""
        return self.share_key is not None


class ListItemQuerySet(models.QuerySet["ListItem"]):
    """Adjectives of items."""

    def of(self, user: Any) -> ListItemQuerySet:
        """Items on lists of this account (SL-3)."""
        return self.filter(list__owner_id=user.pk) if getattr(user, "is_authenticated", False) else self.none()


class ListItem(models.Model):
    """So many pieces of one product on a list. The title stays when the product goes."""

    class Priority(models.IntegerChoices):
        HIGH = 1, pgettext_lazy("priority", "Most wanted")
        NORMAL = 2, pgettext_lazy("priority", "Normal")
        LOW = 3, pgettext_lazy("priority", "Would be nice")

    list = models.ForeignKey(ProductList, models.CASCADE, related_name="items", verbose_name=_("list"))
    product_ref = models.CharField(_("product"), max_length=MAX_REF_LENGTH, db_index=True)
    options = models.CharField(_("options"), max_length=MAX_REF_LENGTH, blank=True)
    title = models.CharField(_("title"), max_length=200, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    note = models.CharField(_("note"), max_length=300, blank=True)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority, default=Priority.NORMAL)
    #: Moved out of the cart because it could not be bought.
    parked = models.BooleanField(_("waits until it is available"), default=False)
    #: What it cost when it was saved, for "the price is lower now".
    price = PriceField(_("price when saved"))
    added_at = models.DateTimeField(_("saved"), default=timezone.now)

    objects = ListItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        ordering: ClassVar = ["pk"]
        default_permissions: ClassVar = []
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["list", "product_ref", "options"], name="thankyou_wishlists_item_once_on_a_list"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="thankyou_wishlists_item_quantity"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title or self.product_ref}"

    @property
    def key(self) -> tuple[str, str]:
        """What makes an item the same item: the product and its options."""
        return self.product_ref, self.options

    @property
    def line(self) -> Line:
        """The item as a value."""
        return Line(self.product_ref, self.quantity, self.options, self.parked)

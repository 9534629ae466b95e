"""Rules: when a thank-you page is shown. All rules of a page must hold; a page without rules is the fallback.

A rule is a StreamField block with a ``matches`` method, so that a site adds one by subclassing :class:`Rule`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final

from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from moneyed import CURRENCIES
from wagtail import blocks

from .flow import unknown
from .values import Order

#: How many products the page editor offers.
PRODUCT_LIMIT: Final = 2000
#: No shop's reference is longer.
LONGEST_REF: Final = 200


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a rule may look at."""

    #: None in a follow-up's mail to somebody who has not ordered: rules that need an order do not hold then.
    order: Order | None
    now: datetime
    #: Finds out whether this is the customer's first order; asked through ``is_first_order``.
    find_first_order: Callable[[], bool | None] = unknown
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_first_order(self) -> bool | None:
        """Whether this is the customer's first order; None if that is not known. Costs a query when it is asked."""
        return self.find_first_order()

    @property
    def known_order(self) -> Order:
        """The order, for a rule that needs one: ``rules_hold`` asks it only if there is. Raises ValueError without."""
        if self.order is None:
            raise ValueError("There is no order to look at.")
        return self.order


class Rule(blocks.StructBlock):
    """One condition. Subclass it and add it to the page's rules."""

    #: Whether it looks at the order. A rule that does not (only at the date, say) also decides where there is none.
    needs_order: ClassVar[bool] = True

    def matches(self, value: Mapping[str, Any], facts: Facts) -> bool:
        """Tell whether the condition holds."""
        raise NotImplementedError(f"{type(self).__name__} has no matches() method.")


class CustomerRule(Rule):
    """A first order, or a returning customer."""

    kind = blocks.ChoiceBlock(
        choices=[("first", _("It is their first order")), ("returning", _("They ordered before"))],
        label=_("The customer"),
        default="first",
    )

    class Meta:
        icon = "user"
        label = _("First order or returning")
        label_format = "{label}: {kind}"

    def matches(self, value: Mapping[str, Any], facts: Facts) -> bool:
        return facts.is_first_order is (value["kind"] == "first")


class TotalRule(Rule):
    """How much the order came to."""

    at_least = blocks.DecimalBlock(label=_("At least"), required=False, min_value=0, help_text=_("Example: 50"))
    less_than = blocks.DecimalBlock(label=_("Less than"), required=False, min_value=0, help_text=_("Example: 100"))
    currency = blocks.CharBlock(
        label=_("Currency"), required=False, max_length=3, help_text=_("Only if you sell in several. Example: EUR")
    )

    class Meta:
        icon = "decimal"
        label = _("Order total")

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        low, high = cleaned["at_least"], cleaned["less_than"]
        cleaned["currency"] = (cleaned["currency"] or "").strip().upper()
        errors: dict[str, ValidationError] = {}
        if low is None and high is None:
            errors["at_least"] = ValidationError(_("Give one of the two amounts, or both."))
        if low is not None and high is not None and low >= high:
            errors["less_than"] = ValidationError(_("This must be more than the amount above."))
        if cleaned["currency"] and cleaned["currency"] not in CURRENCIES:
            errors["currency"] = ValidationError(_("This is no currency. Enter its three letters, for example EUR."))
        if errors:
            raise blocks.StructBlockValidationError(block_errors=errors)
        return cleaned

    def matches(self, value: Mapping[str, Any], facts: Facts) -> bool:
        total = facts.known_order.total
        currency = (value.get("currency") or "").strip().upper()
        if currency and currency != str(total.currency):
            return False
        low, high = value.get("at_least"), value.get("less_than")
        return (low is None or total.amount >= low) and (high is None or total.amount < high)


def product_choices() -> list[tuple[str, str]]:
    """Return the shop's products for a select box, and those that rules name though they are no longer listed. Called
    when a form is shown, never at import.
    """
    from .stores import get_store

    store = get_store()
    listed = list(store.search_products(limit=PRODUCT_LIMIT))
    unlisted = _refs_in_rules("products") - {ref for ref, _title in listed}
    found = store.get_products(refs=sorted(unlisted)) if unlisted else {}
    extra = []
    for ref in sorted(unlisted):
        product = found.get(ref)
        title = product.title if product else ref
        # One that is for sale is missing only because the list is too long.
        for_sale = product is not None and product.available
        extra.append((ref, title if for_sale else gettext("%(title)s (not for sale now)") % {"title": title}))
    return [*listed, *extra]


def category_choices() -> list[tuple[str, str]]:
    """Return the shop's categories for a select box, and those that rules name though the shop has them no longer.
    Called when a form is shown, never at import.
    """
    from .stores import get_store

    listed = list(get_store().get_categories())
    unlisted = _refs_in_rules("categories") - {ref for ref, _title in listed}
    return [
        *listed,
        *((ref, gettext("%(title)s (no longer in the shop)") % {"title": ref}) for ref in sorted(unlisted)),
    ]


def _refs_in_rules(key: str) -> set[str]:
    """Return what the rules of all thank-you pages, as they are live and as they were last drafted, name under a key.

    Wagtail renders the options of a block once for all its values, so that it cannot be asked for those of one page.
    Costs one query for each page type.
    """
    from .page import ThankYouPageMixin

    refs: set[str] = set()
    for model in apps.get_models():
        if not issubclass(model, ThankYouPageMixin):
            continue
        # The mixin alone has no revisions; what it is mixed into has.
        pages: Any = model._default_manager
        for live, draft in pages.values_list("rules", "latest_revision__content"):
            refs.update(_find_refs(list(live.raw_data), key))
            drafted = (draft or {}).get("rules") or []
            refs.update(_find_refs(json.loads(drafted) if isinstance(drafted, str) else drafted, key))
    return refs


def _find_refs(data: Any, key: str) -> Iterator[str]:
    """Walk through stored rules, whatever a site's own rules are called."""
    if isinstance(data, dict):
        for name, value in data.items():
            if name == key and isinstance(value, list):
                yield from (ref for ref in value if isinstance(ref, str))
            else:
                yield from _find_refs(value, key)
    elif isinstance(data, list):
        for value in data:
            yield from _find_refs(value, key)


class StoredChoicesField(forms.MultipleChoiceField):
    """A choice of references that stays valid when the shop no longer lists one of them."""

    def valid_value(self, value: str) -> bool:
        """Accept what looks like a reference: one that was chosen once is kept until its owner takes it out."""
        return 0 < len(value) <= LONGEST_REF and value.isprintable()


class StoredChoicesBlock(blocks.MultipleChoiceBlock):
    """A choice of references to the shop's things. The shop is asked when a form is shown, not when a page is."""

    def get_field(self, **kwargs: Any) -> forms.Field:
        return StoredChoicesField(**kwargs)

    def normalize_choice(self, value: Any) -> str | None:
        """References are text already; Wagtail would look each up in the whole list."""
        return None if value is None else str(value)


class ProductRule(Rule):
    """The order contains one of these products."""

    products = StoredChoicesBlock(
        choices=product_choices,
        label=_("One of these products"),
        help_text=_("To choose several, hold Ctrl (on a Mac ⌘) while you click."),
    )

    class Meta:
        icon = "tag"
        label = _("Contains a product")

    def matches(self, value: Mapping[str, Any], facts: Facts) -> bool:
        return not {line.product_ref for line in facts.known_order.lines}.isdisjoint(value["products"])


class CategoryRule(Rule):
    """The order contains something of one of these categories."""

    categories = StoredChoicesBlock(
        choices=category_choices, label=_("One of these categories"), widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        icon = "folder-open-inverse"
        label = _("Contains a category")

    def matches(self, value: Mapping[str, Any], facts: Facts) -> bool:
        wanted = set(value["categories"])
        return any(not wanted.isdisjoint(line.category_refs) for line in facts.known_order.lines)


class DateRule(Rule):
    """Orders placed in a span of time."""

    starts = blocks.DateTimeBlock(label=_("Ordered from"), required=False)
    ends = blocks.DateTimeBlock(label=_("Ordered before"), required=False)

    class Meta:
        icon = "date"
        label = _("Dates")

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        starts, ends = cleaned["starts"], cleaned["ends"]
        if starts is None and ends is None:
            raise blocks.StructBlockValidationError(
                block_errors={"starts": ValidationError(_("Give one of the two dates, or both."))}
            )
        if starts is not None and ends is not None and starts >= ends:
            raise blocks.StructBlockValidationError(
                block_errors={"ends": ValidationError(_("This must be later than the date above."))}
            )
        return cleaned

    def matches(self, value: Mapping[str, Any], facts: Facts) -> bool:
        placed = facts.known_order.placed_at
        starts, ends = value.get("starts"), value.get("ends")
        return (starts is None or placed >= starts) and (ends is None or placed < ends)


class RuleStreamBlock(blocks.StreamBlock):
    """The rules of this package. A site with rules of its own subclasses it."""

    customer = CustomerRule()
    total = TotalRule()
    product = ProductRule()
    category = CategoryRule()
    dates = DateRule()

    class Meta:
        label = _("Rules")


def rules_hold(rules: Any, facts: Facts) -> bool:
    """Tell whether all rules of a page or follow-up hold; one without rules always fits. Without an order a rule that
    needs one does not hold.
    """
    return all(
        (facts.order is not None or not getattr(child.block, "needs_order", True))
        and child.block.matches(child.value, facts)
        for child in rules
    )


__all__ = [
    "CategoryRule",
    "CustomerRule",
    "DateRule",
    "Facts",
    "ProductRule",
    "Rule",
    "RuleStreamBlock",
    "StoredChoicesBlock",
    "TotalRule",
    "rules_hold",
]

"""An Oscar basket as the plain facts on which coupons are decided, and whose checkout it is.

Prices are those that Oscar works its offers out on: with tax if ``OSCAR_OFFERS_INCL_TAX``, else without. What the
shop's own offers have taken off a line is off its price here. Of the customer only what the checkout has asked for by
now is known, so that a guest who has just begun is nobody yet, and nobody is refused for that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Lower
from djmoney.money import Money
from oscar.core.loading import get_class, get_model

from coupons.arithmetic import minor_unit
from coupons.facts import BasketFacts, BasketLine
from coupons.holders import customer_key, user_key
from coupons.models import Campaign

from ...models import OrderRecord
from ...values import OrderState
from .. import get_store

if TYPE_CHECKING:
    from django.http import HttpRequest

Category = get_model("catalogue", "Category")
ProductCategory = get_model("catalogue", "ProductCategory")
OscarOrder = get_model("order", "Order")
UserAddress = get_model("address", "UserAddress")
CheckoutSessionData = get_class("checkout.utils", "CheckoutSessionData")
Repository = get_class("shipping.repository", "Repository")

#: What the slugs of our offers begin with. Names are for people, who may change them; the slug stays.
SLUG: Final = "thankyou-campaign-"
#: A line whose rest cannot be divided by its quantity is two lines for the arithmetic: their prices differ by a cent.
REST: Final = ":rest"


@dataclass(frozen=True, slots=True)
class Needs:
    """What the campaigns at hand ask of a basket. The rest is not read."""

    categories: bool = True
    country: bool = True
    history: bool = True

    @classmethod
    def of(cls, campaigns: Iterable[Campaign]) -> Needs:
        """Return what these campaigns ask for."""
        campaigns = list(campaigns)
        return cls(
            categories=any(each.categories_in or each.categories_out for each in campaigns),
            country=any(each.countries for each in campaigns),
            history=any(each.audience != Campaign.Audience.EVERYBODY for each in campaigns),
        )


@dataclass(frozen=True, slots=True)
class Rest:
    """What coupons may work on of one line: ``amount`` is left of its price by the shop's own offers."""

    line: Any
    amount: Decimal
    discountable: bool


def basket_facts(request: HttpRequest) -> BasketFacts | None:
    """Return the visitor's basket with its shipping; for ``THANKYOU_COUPONS["BASKET"]``. ``None`` without a basket.

    The number of queries does not grow with the lines.
    """
    basket = getattr(request, "basket", None)
    return None if basket is None else read_facts(basket, request=request, shipping=read_shipping(basket, request))


def read_facts(
    basket: Any, *, request: HttpRequest | None, needs: Needs | None = None, shipping: Decimal = Decimal(0)
) -> BasketFacts:
    """Return the facts of a basket to which Oscar may have applied offers. ``request`` knows the customer."""
    needs = needs or Needs()
    currency = basket.currency or settings.OSCAR_DEFAULT_CURRENCY
    rests = list(read_rests(basket))
    categories = _categories(rests) if needs.categories else {}
    email = email_of(request)
    return BasketFacts(
        lines=tuple(line for rest in rests for line in _lines(rest, currency, categories)),
        shipping=Money(max(shipping, Decimal(0)), currency),
        currency=currency,
        customer_key=customer_key(email),
        account_key=user_key(getattr(request, "user", None)),
        country=_country(request) if needs.country else "",
        previous_orders=count_orders(email=email, user=getattr(request, "user", None)) if needs.history else None,
    )


def read_rests(basket: Any) -> Iterator[Rest]:
    """Yield what the shop's own offers have left of each line that has a price. No query."""
    for line in basket.all_lines():
        price = line.unit_effective_price
        if price is None or line.quantity <= 0:
            continue
        theirs = sum((taken.amount for taken in line.discounts if not is_ours(taken.offer)), Decimal(0))
        yield Rest(
            line=line,
            amount=max(price * line.quantity - theirs, Decimal(0)),
            # An exclusive offer of the shop's shares its goods with nobody.
            discountable=bool(line.stockrecord_id and line.product.is_discountable)
            and not any(offer.exclusive for offer in line.discounts.consumers if not is_ours(offer)),
        )


def is_ours(offer: Any) -> bool:
    """Tell whether an offer of Oscar's stands for a campaign of ours."""
    return offer is not None and str(offer.slug).startswith(SLUG)


def line_of(ref: str) -> str:
    """Return the primary key of the basket line that a line of the facts stands for."""
    return ref.removesuffix(REST)


def request_of(basket: Any) -> HttpRequest | None:
    """Return the request in which Oscar has loaded the basket, if its price strategy knows."""
    return getattr(basket.strategy, "request", None) if basket.has_strategy else None


def checkout_of(request: HttpRequest | None) -> Any:
    """Return what this visitor's checkout knows, or ``None`` if it has not begun. Looking begins none."""
    session = getattr(request, "session", None)
    if session is None or CheckoutSessionData.SESSION_KEY not in session:
        return None
    return CheckoutSessionData(request)


def email_of(request: HttpRequest | None) -> str:
    """Return the address under which the order will be placed, or an empty text as long as nobody knows it."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return str(user.email or "")
    checkout = checkout_of(request)
    return str(checkout.get_guest_email() or "") if checkout is not None else ""


def order_ref_of(request: HttpRequest | None) -> str:
    """Return the number that the order got when its payment was tried before, or an empty text."""
    checkout = checkout_of(request)
    return str(checkout.get_order_number() or "") if checkout is not None else ""


def count_orders(*, email: str, user: Any) -> int | None:
    """Return how many orders this customer has placed, without those that came to nothing; ``None`` if unknown.

    Oscar knows the orders from before this package was installed, our own record knows two spellings of one address.
    """
    if not email:
        return None
    owner = Q(guest_email__iexact=email) | Q(user__email__iexact=email)
    if user is not None and user.is_authenticated:
        owner |= Q(user=user)
    state_map = getattr(get_store(), "state_map", {})
    lost = [text for text, state in state_map.items() if state in (OrderState.CANCELLED, OrderState.REFUNDED)]
    orders = OscarOrder.objects.annotate(thankyou_status=Lower("status")).exclude(thankyou_status__in=lost)
    recorded = OrderRecord.objects.of_customer(customer_key(email)).counting()
    return max(orders.filter(owner).count(), recorded.count())


def read_shipping(basket: Any, request: HttpRequest | None, *, address: Any = None) -> Decimal:
    """Return what shipping costs before offers: by the method that was chosen, else by the shop's first one."""
    if request is None or basket.is_empty:
        return Decimal(0)
    methods = Repository().get_shipping_methods(
        basket=basket, user=request.user, shipping_addr=address, request=request
    )
    checkout = checkout_of(request)
    chosen = checkout.shipping_method_code(basket) if checkout is not None else None
    method = next((each for each in methods if each.code == chosen), next(iter(methods), None))
    while method is not None and getattr(method, "is_discounted", False) and hasattr(method, "method"):
        method = method.method
    if method is None:
        return Decimal(0)
    charge = method.calculate(basket)
    return Decimal(charge.incl_tax if charge.is_tax_known else charge.excl_tax)


def _country(request: HttpRequest | None) -> str:
    checkout = checkout_of(request)
    if checkout is None:
        return ""
    # Where nothing is shipped, the bill says where the customer is.
    for fields, key in (
        (checkout.new_shipping_address_fields(), checkout.shipping_user_address_id()),
        (checkout.new_billing_address_fields(), checkout.billing_user_address_id()),
    ):
        if fields:
            return str(fields.get("country_id") or "").upper()
        if key:
            # Country's primary key is its ISO code.
            found = UserAddress.objects.filter(pk=key).values_list("country_id", flat=True).first()
            return str(found or "").upper()
    return ""


def _lines(rest: Rest, currency: str, categories: dict[int, tuple[str, ...]]) -> Iterator[BasketLine]:
    unit, quantity = minor_unit(currency), rest.line.quantity
    same: dict[str, Any] = {
        "product_ref": str(rest.line.product_id),
        "category_refs": categories.get(rest.line.product_id, ()),
        "discountable": rest.discountable,
    }
    price, over = divmod(int(rest.amount / unit), quantity)
    ref = str(rest.line.pk)
    yield BasketLine(ref=ref, quantity=quantity - over, unit_price=Money(price * unit, currency), **same)
    if over:
        yield BasketLine(ref=f"{ref}{REST}", quantity=over, unit_price=Money((price + 1) * unit, currency), **same)


def _categories(rests: list[Rest]) -> dict[int, tuple[str, ...]]:
    """Return for each product its categories and all above them: who is for "Tea" is for "Tea > Green". Two queries."""
    owners = {rest.line.product_id: rest.line.product.parent_id or rest.line.product_id for rest in rests}
    paths: dict[int, list[str]] = defaultdict(list)
    rows = ProductCategory.objects.filter(product_id__in=set(owners.values()))
    for product_id, path in rows.values_list("product_id", "category__path"):
        paths[product_id].append(path)
    step = Category.steplen
    chains = {
        owner: {path[:end] for path in own for end in range(step, len(path) + 1, step)} for owner, own in paths.items()
    }
    known = Category.objects.filter(path__in=set().union(*chains.values())) if chains else Category.objects.none()
    refs = {path: str(pk) for path, pk in known.values_list("path", "pk")}
    return {
        product_id: tuple(sorted(refs[path] for path in chains.get(owner, ()) if path in refs))
        for product_id, owner in owners.items()
    }

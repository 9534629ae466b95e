"""The ways to take a use of a coupon that are compared: ours, the floor in raw SQL, and the peers'."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from djmoney.money import Money
from oscar.core.loading import get_model

from coupons.batches.minting import mint
from coupons.exceptions import InvalidCode
from coupons.facts import BasketFacts, BasketLine
from coupons.issuing import issue
from coupons.models import Campaign, Coupon, Redemption
from coupons.redemption import reserve

from .clients import Rival
from .measuring import statements

LINES: Final = tuple(
    BasketLine(ref=str(number), product_ref=f"p{number}", quantity=1, unit_price=Money("20.00", "EUR"))
    for number in range(3)
)
FACTS: Final = BasketFacts(lines=LINES, shipping=Money("4.90", "EUR"), currency="EUR", customer_key="c:somebody")

#: The floor: a guarded UPDATE, and an INSERT.
TAKE: Final = "UPDATE raw_coupon SET used = used + 1 WHERE code = %s AND used < usage_limit RETURNING id"
RECORD: Final = "INSERT INTO raw_use (coupon_id, order_ref) VALUES (%s, %s)"


def make_rivals() -> list[Rival]:
    """Return ours first, then the floor, then the peers that are installed; each with its statements counted."""
    rivals: list[Any] = [Ours(), Raw(), RawInDjango(), Orm(), OscarVouchers()]
    if apps.is_installed("flexcommerce_discounts"):
        rivals += [Flexcommerce(), FlexcommerceWithoutCustomer()]
    for rival in rivals:
        if not rival.queries:
            # Once before: what is cached is cached.
            first, second = rival.prepare(coupons=2, limit=1)
            assert rival.attempt(first, "counted 1")
            with statements() as sent:
                assert rival.attempt(second, "counted 2")
            own = [sql for sql in sent if not sql.startswith(("SAVEPOINT", "RELEASE"))]
            rival.queries, rival.writes = len(own), sum("INSERT" in sql or 'UPDATE "' in sql for sql in own)
    return rivals


class Ours:
    """``redemption.reserve``: all conditions of the campaign, the discount of three lines, the audit row."""

    name, queries, writes = "ours", 0, 0

    def prepare(self, *, coupons: int, limit: int) -> list[str]:
        running = Campaign.Status.RUNNING
        self.campaign = Campaign.objects.create(title="Hot", status=running, benefit="percent", percent=10)
        return [issue(campaign=self.campaign, usage_limit=limit).code for _ in range(coupons)]

    def attempt(self, coupon: str, order_ref: str) -> bool:
        try:
            reserve(code=coupon, order_ref=order_ref, facts=FACTS)
        except InvalidCode:
            return False
        return True

    def count(self) -> int:
        return Redemption.objects.live().filter(coupon__campaign=self.campaign).count()


class Raw:
    """The floor: a guarded UPDATE and an INSERT in one transaction, on two bare tables, statements prepared."""

    name, queries, writes = "raw SQL", 2, 2

    def __init__(self) -> None:
        self._connection: Any = None
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE IF NOT EXISTS raw_coupon (id bigserial PRIMARY KEY, code text UNIQUE, "
                "used integer NOT NULL DEFAULT 0, usage_limit integer NOT NULL, CHECK (used <= usage_limit));"
                "CREATE TABLE IF NOT EXISTS raw_use (id bigserial PRIMARY KEY, "
                "coupon_id bigint NOT NULL REFERENCES raw_coupon, order_ref text NOT NULL, "
                "UNIQUE (coupon_id, order_ref))"
            )

    def prepare(self, *, coupons: int, limit: int) -> list[str]:
        self.codes = mint(coupons)
        sql = "INSERT INTO raw_coupon (code, usage_limit) VALUES (%s, %s)"
        with connection.cursor() as cursor:
            cursor.executemany(sql, [(code, limit) for code in self.codes])
        return self.codes

    def attempt(self, coupon: str, order_ref: str) -> bool:
        if self._connection is None:
            self._connection = _connect()
        with self._connection.transaction():
            row = self._connection.execute(TAKE, [coupon]).fetchone()
            if row is None:
                return False
            self._connection.execute(RECORD, [row[0], order_ref])
        return True

    def count(self) -> int:
        with connection.cursor() as cursor:
            uses = "SELECT count(*) FROM raw_use JOIN raw_coupon ON raw_coupon.id = coupon_id WHERE code = ANY(%s)"
            cursor.execute(uses, [self.codes])
            return int(cursor.fetchone()[0])


class RawInDjango(Raw):
    """The same through Django's connection, as any Django app would send it: nothing is prepared."""

    name = "raw SQL through Django's connection"

    def attempt(self, coupon: str, order_ref: str) -> bool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(TAKE, [coupon])
            row = cursor.fetchone()
            if row is None:
                return False
            cursor.execute(RECORD, [row[0], order_ref])
        return True


class Orm(Ours):
    """The floor's two statements through Django's ORM, on our tables: no conditions, no discount, no audit row."""

    name = "the floor through the ORM"

    def attempt(self, coupon: str, order_ref: str) -> bool:
        now = timezone.now()
        free = Coupon.objects.filter(code=coupon, used__lt=F("usage_limit"))
        with transaction.atomic():
            if not free.update(used=F("used") + 1):
                return False
            coupon_id = Coupon.objects.values_list("pk", flat=True).get(code=coupon)
            Redemption.objects.create(coupon_id=coupon_id, order_ref=order_ref, reserved_at=now, expires_at=now)
        return True


class OscarVouchers:
    """What Oscar's ``place_order`` does about a voucher, and nothing else of it: lock, checks, the use, the discount.

    Oscar's only limit of many uses is the offer's; it is asked when offers are applied to the basket, with no lock.
    Here it is asked under the voucher's.
    """

    name, queries, writes = "Oscar's vouchers", 0, 0

    def __init__(self) -> None:
        self.order: Any = None

    def prepare(self, *, coupons: int, limit: int) -> list[str]:
        offer_model, voucher_model = get_model("offer", "ConditionalOffer"), get_model("voucher", "Voucher")
        condition = get_model("offer", "Condition").objects.create(type="Count", value=1)
        benefit = get_model("offer", "Benefit").objects.create(type="Percentage", value=10)
        now = timezone.now()
        period = {"start_datetime": now - timedelta(days=1), "end_datetime": now + timedelta(days=1)}
        codes = mint(coupons)
        for code in codes:
            offer = offer_model.objects.create(
                name=code, offer_type="Voucher", condition=condition, benefit=benefit, max_global_applications=limit
            )
            voucher = voucher_model.objects.create(name=code, code=code, usage=voucher_model.MULTI_USE, **period)
            voucher.offers.add(offer)
        self.codes = codes
        return codes

    def attempt(self, coupon: str, order_ref: str) -> bool:
        if self.order is None:
            self.order = get_model("order", "Order").objects.create(
                number=order_ref, currency="EUR", total_incl_tax=60, total_excl_tax=60
            )
        user = AnonymousUser()
        with transaction.atomic():
            voucher = get_model("voucher", "Voucher").objects.select_for_update().get(code=coupon)
            if not voucher.is_active() or not voucher.is_available_to_user(user=user)[0]:
                return False
            offer = voucher.offers.get()
            if not offer.is_available():
                return False
            discount = {"freq": 1, "discount": Decimal("6.00")}
            offer.record_usage(discount)
            voucher.record_discount(discount)
            voucher.record_usage(self.order, user)
        return True

    def count(self) -> int:
        return int(get_model("voucher", "VoucherApplication").objects.filter(voucher__code__in=self.codes).count())


class Flexcommerce:
    """``redeem`` of flexcommerce-discounts, as its checkout calls it: with the customer's address."""

    name, queries, writes = "flexcommerce-discounts", 0, 0

    def prepare(self, *, coupons: int, limit: int) -> list[str]:
        model = apps.get_model("flexcommerce_discounts", "Coupon")
        self.codes = mint(coupons)
        for code in self.codes:
            model.objects.create(code=code, name="Hot", value=10, usage_limit=limit)
        return self.codes

    def attempt(self, coupon: str, order_ref: str) -> bool:
        return self._redeem(coupon, order_ref, email=f"{order_ref.replace(' ', '-')}@example.com")

    def _redeem(self, coupon: str, order_ref: str, *, email: str) -> bool:
        from flexcommerce_core.exceptions import CouponUsageLimitError
        from flexcommerce_discounts.services import redeem

        try:
            redeem(coupon, order_ref=order_ref, amount=Decimal("6.00"), email=email)
        except CouponUsageLimitError:
            return False
        return True

    def count(self) -> int:
        return int(
            apps.get_model("flexcommerce_discounts", "CouponUsage").objects.filter(coupon__code__in=self.codes).count()
        )


class FlexcommerceWithoutCustomer(Flexcommerce):
    """The same without an address: nothing is counted for each customer."""

    name = "flexcommerce-discounts, no customer"

    def attempt(self, coupon: str, order_ref: str) -> bool:
        return self._redeem(coupon, order_ref, email="")


def _connect() -> Any:
    """Return a connection of psycopg's own, without Django."""
    import psycopg

    known = connection.settings_dict
    return psycopg.connect(
        dbname=known["NAME"],
        user=known["USER"],
        password=known["PASSWORD"],
        host=known["HOST"],
        port=known["PORT"],
        autocommit=True,
    )

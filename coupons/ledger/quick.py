"""One coupon for one order in one statement: what a hot coupon needs at the checkout, on PostgreSQL (CO-1).

Nothing here is decided otherwise than in ``holding``; it only takes one round trip, and holds the coupon's row no
longer than the database itself needs. Whatever is out of the ordinary comes out as ``False`` and is settled there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.db import IntegrityError, connection, connections
from django.db.models import Model

from ..conf import app_settings
from ..models import Campaign, Coupon, CouponEvent, Redemption, UsageCounter
from . import limits, uses

#: The door is shut while another request of the same order is being settled, or the owner's new limits are. Everything
#: that follows hangs on the UPDATE; it repeats the guard of ``uses.take``. The limits must be those that were read, since
#: the text of the statement depends on them. The order must hold nothing else, so that nothing has to fit.
_TAKE: Final = """
WITH door AS (
    SELECT set_config('lock_timeout', %(patience)s, true),
        pg_try_advisory_xact_lock(%(order_lock)s) AND pg_try_advisory_xact_lock_shared(%(limits_lock)s) AS is_open
), taken AS (
    UPDATE {coupon} AS coupon SET used = coupon.used + 1 FROM door
    WHERE door.is_open AND coupon.id = %(coupon_id)s AND coupon.state = 'available'
        AND {has_use}
        AND (coupon.ends_at IS NULL OR coupon.ends_at > %(now_with_grace)s)
        AND EXISTS (
            SELECT 1 FROM {campaign} AS campaign
            WHERE campaign.id = coupon.campaign_id AND campaign.status = 'running'
                AND (campaign.starts_at IS NULL OR campaign.starts_at <= %(now)s)
                AND (campaign.ends_at IS NULL OR campaign.ends_at > %(now_with_grace)s)
                AND campaign.total_limit IS NOT DISTINCT FROM %(total_limit)s::integer
                AND campaign.limit_per_customer IS NOT DISTINCT FROM %(limit_per_customer)s::integer
                AND (NOT coupon.is_word OR campaign.total_limit IS NULL OR coupon.used < campaign.total_limit)
        )
        AND NOT EXISTS (
            SELECT 1 FROM {redemption} AS own WHERE own.order_ref = %(order_ref)s AND own.state <> 'released'
        )
    RETURNING coupon.campaign_id
)"""

#: The guard on the coupon's own limit.
HAS_USE: Final = "(coupon.usage_limit IS NULL OR coupon.used < coupon.usage_limit)"

#: In the order of ``limits.Key``: all customers first (CO-3). A row that is full is not returned.
_COUNT: Final = """, counted AS (
    INSERT INTO {counter} AS counter (campaign_id, customer_key, used, allowed)
    SELECT taken.campaign_id, wanted.customer_key, 1, wanted.allowed
    FROM taken, (VALUES {wanted}) AS wanted (customer_key, allowed) ORDER BY wanted.customer_key
    ON CONFLICT (campaign_id, customer_key)
    DO UPDATE SET used = counter.used + 1, allowed = EXCLUDED.allowed WHERE {has_room}
    RETURNING customer_key
)"""

#: The guard on a counter.
HAS_ROOM: Final = "counter.used < EXCLUDED.allowed"

_RECORD: Final = """, made AS (
    INSERT INTO {redemption} ({columns}) SELECT {values} FROM taken RETURNING id
), told AS (
    INSERT INTO {event} (coupon_id, kind, at, actor, order_ref, detail)
    SELECT %(coupon_id)s, 'reserved', %(now)s, %(actor)s, %(order_ref)s, '{{}}'::jsonb FROM made
)
SELECT id FROM made"""

#: Where a counter refused there is nothing to select, and the NULL breaks the whole statement off.
_COUNTED: Final = {
    "counts_total": "(SELECT true FROM counted WHERE customer_key = '')",
    "counts_customer": "(SELECT true FROM counted WHERE customer_key <> '')",
}
_FIELDS: Final = tuple(field for field in Redemption._meta.concrete_fields if not field.primary_key)


def is_possible() -> bool:
    """Tell whether the database can do it now: PostgreSQL, and no transaction of the caller's, which an error would
    break and whose end would have to be waited for.
    """
    return connection.vendor == "postgresql" and not connection.in_atomic_block and connection.get_autocommit()


def fetch(code: str) -> Coupon | None:
    """Return the coupon of a stored code with its campaign, as ``select_related`` does: one query, whose text is made
    only once. Django takes longer to write it than PostgreSQL to answer it.
    """
    statement, converters = _selection(connection.alias)
    with connection.cursor() as cursor:
        cursor.execute(statement, [code])
        found = cursor.fetchone()
    if found is None:
        return None
    values = list(found)
    for position, column, convert in converters:
        values[position] = convert(values[position], column, connection)
    coupon = Coupon.from_db(connection.alias, _names(Coupon), values[: len(_names(Coupon))])
    coupon.campaign = Campaign.from_db(connection.alias, _names(Campaign), values[len(_names(Coupon)) :])
    return coupon


def is_hopeless(coupon: Coupon, *, order_ref: str, now: datetime) -> bool:
    """Tell whether all uses of a coupon are taken, none of them has run out, and the order holds nothing of its
    campaign that might be given back for it: what ``holding`` asks before it refuses, in one query. A coupon that
    everybody wants is refused more often than taken.
    """
    with connection.cursor() as cursor:
        cursor.execute(_hopeless(), {"pk": coupon.pk, "campaign": coupon.campaign_id, "order": order_ref, "now": now})
        return bool(cursor.fetchone()[0])


@cache
def _hopeless() -> str:
    coupon, redemption = (connection.ops.quote_name(model._meta.db_table) for model in (Coupon, Redemption))
    return f"""
        SELECT NOT EXISTS (
            SELECT 1 FROM {coupon} AS coupon WHERE coupon.id = %(pk)s AND {HAS_USE}
        ) AND NOT EXISTS (
            SELECT 1 FROM {redemption} WHERE coupon_id = %(pk)s AND state = 'reserved' AND expires_at <= %(now)s
        ) AND NOT EXISTS (
            SELECT 1 FROM {redemption} AS own JOIN {coupon} AS other ON other.id = own.coupon_id
            WHERE own.order_ref = %(order)s AND own.state <> 'released' AND other.campaign_id = %(campaign)s
        )"""


def is_alone(row: Redemption) -> bool:
    """Tell whether the order of this redemption holds nothing else by now."""
    table = connection.ops.quote_name(Redemption._meta.db_table)
    others = f"SELECT 1 FROM {table} WHERE order_ref = %s AND state <> 'released' AND id <> %s LIMIT 1"
    with connection.cursor() as cursor:
        cursor.execute(others, [row.order_ref, row.pk])
        return cursor.fetchone() is None


def reserve(row: Redemption, *, actor: str) -> bool:
    """Take a use for a new redemption and save it with its event, all or nothing; return whether it was done.

    ``row`` is unsaved, with its coupon and campaign as they were read; afterwards it is as saved.
    """
    counted = limits.limits_of(row.coupon, row.customer_key)
    parameters: dict[str, Any] = {
        field.attname: field.get_db_prep_save(getattr(row, field.attname), connection) for field in _FIELDS
    }
    parameters |= {f"{key.flag}_limit": limit for key, limit in counted.items()}
    parameters |= {
        "patience": uses.PATIENCE,
        "order_lock": uses.order_lock(row.order_ref),
        "limits_lock": uses.limits_lock(row.coupon.campaign_id),
        "total_limit": row.coupon.campaign.total_limit,
        "limit_per_customer": row.coupon.campaign.limit_per_customer,
        "now": row.reserved_at,
        "now_with_grace": row.reserved_at - app_settings.grace,
        "actor": actor,
    }
    statement = _statement(tuple(key.flag for key in sorted(counted)), HAS_USE, HAS_ROOM)
    try:
        pk = run(statement, parameters)
    except IntegrityError:
        # The order has had this coupon before, or a counter has no room.
        return False
    if pk is None:
        return False
    row.pk = pk
    row._state.adding, row._state.db = False, connection.alias
    for key in counted:
        setattr(row, key.flag, True)
    return True


def run(statement: str, parameters: dict[str, Any]) -> int | None:
    """Execute the statement, and return the primary key that it made, if any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        made = cursor.fetchone()
    return made[0] if made else None


@cache
def _names(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


@cache
def _selection(alias: str) -> tuple[str, list[tuple[int, Any, Callable[..., Any]]]]:
    """Return the query of ``fetch``, and which of its columns are converted how."""
    database, models = connections[alias], (Coupon, Campaign)
    columns = [field.get_col(model._meta.db_table) for model in models for field in model._meta.concrete_fields]
    converters = [
        (position, column, convert)
        for position, column in enumerate(columns)
        for convert in (*database.ops.get_db_converters(column), *column.get_db_converters(database))
    ]
    quoted = database.ops.quote_name
    coupon, campaign = (quoted(model._meta.db_table) for model in models)
    selected = ", ".join(f"{quoted(column.alias)}.{quoted(str(column.target.column))}" for column in columns)
    text = f"SELECT {selected} FROM {coupon} JOIN {campaign} ON {campaign}.id = {coupon}.campaign_id"
    return f"{text} WHERE {coupon}.code = %s", converters


@cache
def _statement(flags: tuple[str, ...], has_use: str, has_room: str) -> str:
    """Return the statement for a use that is counted under these flags of ``limits.Key``."""
    quoted = connection.ops.quote_name
    tables = {
        name: quoted(model._meta.db_table)
        for name, model in {
            "coupon": Coupon,
            "campaign": Campaign,
            "redemption": Redemption,
            "counter": UsageCounter,
            "event": CouponEvent,
        }.items()
    }
    keys = {"counts_total": "''", "counts_customer": "%(customer_key)s"}
    wanted = ", ".join(f"({keys[flag]}::text, %({flag}_limit)s::integer)" for flag in flags)
    values = ", ".join(_COUNTED[f.attname] if f.attname in flags else f"%({f.attname})s" for f in _FIELDS)
    columns = ", ".join(quoted(str(field.column)) for field in _FIELDS)
    text = _TAKE + (_COUNT if flags else "") + _RECORD
    return text.format(**tables, has_use=has_use, has_room=has_room, wanted=wanted, columns=columns, values=values)

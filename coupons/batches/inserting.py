"""Many rows of coupons with one statement: the values that differ travel as arrays, the others once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections, router, transaction
from django.db.models import Field
from django.utils.functional import partition

from ..models import Coupon


def insert_coupons(*, like: Coupon, columns: Mapping[str, Sequence[Any]]) -> int:
    """Insert a coupon for each place of ``columns`` (a sequence of values for each attribute, "code" among them), in
    everything else ``like`` the given one, and return how many were inserted. A code that is taken already is left
    out.

    PostgreSQL and SQLite get one ``INSERT … SELECT`` from arrays: nearly as quick as a ``COPY``, which cannot leave
    out a row that is there already. Other databases get Django's ``bulk_create``. There are no signals, and no rows in
    the audit trail: the batch says who made the codes, and when (CO-11).
    """
    count = len(columns["code"])
    if not count:
        return 0
    alias = router.db_for_write(Coupon)
    build = BUILDERS.get(connections[alias].vendor)
    if build is None:
        return _one_by_one(like, columns, alias)
    fields = [field for field in Coupon._meta.concrete_fields if not field.primary_key]
    fixed, varied = partition(lambda field: field.attname in columns, fields)
    sql, parameters = build(like, fixed, {field: columns[field.attname] for field in varied}, connections[alias])
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def _statement(
    fixed: Sequence[Field[Any, Any]], values: Sequence[str], varied: Any, source: str, connection: Any
) -> str:
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column) for field in [*fixed, *varied])
    # "WHERE true" keeps SQLite from reading ON as the beginning of a join.
    return (
        f"INSERT INTO {quote(Coupon._meta.db_table)} ({names}) SELECT {', '.join(values)} FROM {source} "
        f"WHERE true ON CONFLICT ({quote('code')}) DO NOTHING"
    )


def _from_arrays(like: Coupon, fixed: Any, varied: Any, connection: Any) -> tuple[str, list[Any]]:
    names = [f"c{number}" for number in range(len(varied))]
    arrays = ", ".join(f"%s::{field.db_type(connection)}[]" for field in varied)
    values = [*(f"%s::{field.db_type(connection)}" for field in fixed), *names]
    sql = _statement(fixed, values, varied, f"unnest({arrays}) AS made ({', '.join(names)})", connection)
    return sql, [*_prepared(like, fixed, connection), *_prepared_columns(varied, connection)]


def _from_json(like: Coupon, fixed: Any, varied: Any, connection: Any) -> tuple[str, list[Any]]:
    places = [f"json_extract(value, '$[{number}]')" for number in range(len(varied))]
    sql = _statement(fixed, [*["%s"] * len(fixed), *places], varied, "json_each(%s)", connection)
    rows = list(zip(*_prepared_columns(varied, connection), strict=True))
    return sql, [*_prepared(like, fixed, connection), json.dumps(rows)]


def _prepared(like: Coupon, fixed: Any, connection: Any) -> list[Any]:
    return [field.get_db_prep_save(getattr(like, field.attname), connection) for field in fixed]


def _prepared_columns(varied: Any, connection: Any) -> list[list[Any]]:
    return [[field.get_db_prep_save(value, connection) for value in values] for field, values in varied.items()]


#: How the statement is built, for each vendor that has one.
BUILDERS = {"postgresql": _from_arrays, "sqlite": _from_json}


def _one_by_one(like: Coupon, columns: Mapping[str, Sequence[Any]], alias: str) -> int:
    """Without a way to count what was left out, what is there already is looked up first."""
    shared = {field.attname: getattr(like, field.attname) for field in Coupon._meta.concrete_fields}
    del shared["id"]
    rows = [
        Coupon(**{**shared, **dict(zip(columns, values, strict=True))})
        for values in zip(*columns.values(), strict=True)
    ]
    with transaction.atomic(using=alias):
        taken = set(Coupon.objects.using(alias).filter(code__in=columns["code"]).values_list("code", flat=True))
        rows = [row for row in rows if row.code not in taken]
        Coupon.objects.using(alias).bulk_create(rows, batch_size=1000)
    return len(rows)

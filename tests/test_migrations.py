"""Migrations: complete, one per app until the first release (DESIGN D14), and reversible (OP-3)."""

from __future__ import annotations

from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

LABELS = ("thankyou_coupons", "thankyou_wishlists", "thankyou_flows", "thankyou_flows_pages")


@pytest.mark.django_db
def test_nothing_is_missing() -> None:
    """OP-3: the models and the migrations say the same."""
    output = StringIO()
    try:
        call_command("makemigrations", "--check", "--dry-run", "--no-input", stdout=output)
    except SystemExit:
        pytest.fail(output.getvalue())


@pytest.mark.parametrize("label", LABELS)
def test_one_migration_an_app(label: str) -> None:
    """D14: one 0001 until the first release; an app without tables has none."""
    names = [name for app, name in MigrationLoader(None).disk_migrations if app == label]
    expected = ["0001_initial"] if list(apps.get_app_config(label).get_models()) else []
    assert names == expected


@pytest.mark.django_db(transaction=True)
def test_back_to_zero_and_forward_again() -> None:
    """OP-3: our tables can be taken away and made again beside a database that stays in use."""
    ours = {model._meta.db_table for label in LABELS for model in apps.get_app_config(label).get_models()}
    before = set(connection.introspection.table_names())
    assert ours <= before
    try:
        for label in reversed(migrated_labels()):
            call_command("migrate", label, "zero", interactive=False, verbosity=0)
        assert not ours & set(connection.introspection.table_names())
    finally:
        call_command("migrate", interactive=False, verbosity=0)
    assert set(connection.introspection.table_names()) == before


def migrated_labels() -> list[str]:
    applied = {label for label, _ in MigrationRecorder(connection).applied_migrations()}
    return [label for label in LABELS if label in applied]

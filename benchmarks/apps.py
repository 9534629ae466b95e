"""App configuration of the benchmarks: it brings the static page they compare with."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.contrib.auth import get_user_model
from django.db.models.fields.related_descriptors import ReverseManyToOneDescriptor


class BenchmarksConfig(AppConfig):
    name = "benchmarks"
    label = "benchmarks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Oscar and flexcommerce both have ``user.addresses`` and ``user.wishlists``. Oscar reads them, flexcommerce not.
        account = get_user_model()
        for model in apps.get_models():
            for field in model._meta.concrete_fields if model.__module__.startswith("oscar.") else ():
                if field.many_to_one and field.related_model is account:
                    setattr(
                        account, field.remote_field.get_accessor_name(), ReverseManyToOneDescriptor(field.remote_field)
                    )

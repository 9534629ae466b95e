"""Emptying the demo, so that it can be loaded anew. Deletes every order, page, campaign, account and mail."""

from __future__ import annotations

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Model, ProtectedError, RestrictedError
from wagtail.images import get_image_model

from example_site.shop.models import HomePage

from .mailbox import mail_folder

LABELS = ("shop", "thankyou_flows", "thankyou_flows_pages", "thankyou_wishlists", "thankyou_coupons")


def reset() -> None:
    """Delete what the demo and its visitors have made; Wagtail's own basic data stay."""
    with transaction.atomic():
        # One by one: the page tree has to be kept in order.
        for page in HomePage.objects.all():
            page.delete()
        _delete_all([model for label in LABELS for model in apps.get_app_config(label).get_models()])
        for image in get_image_model().objects.all():
            image.delete()
        Session.objects.all().delete()
        get_user_model().objects.all().delete()
    for path in mail_folder().glob("*.eml"):
        path.unlink()


def _delete_all(models: list[type[Model]]) -> None:
    """Delete every row of these models, whatever protects what: those that are protected wait for the next round."""
    while models:
        waiting = []
        for model in models:
            try:
                model._base_manager.all().delete()
            except (ProtectedError, RestrictedError):
                waiting.append(model)
        if len(waiting) == len(models):
            raise RuntimeError(f"These tables protect each other: {waiting}")
        models = waiting

"""Adapters to shops, and the one that this project has chosen."""

from __future__ import annotations

from django.utils.module_loading import import_string

from ..conf import app_settings
from .base import Store

__all__ = ["Store", "get_store"]


def get_store() -> Store:
    """Return the store adapter named by ``THANKYOU_FLOWS["STORE"]``, imported on every call so that tests can change
    it.

    Raises ImportError or TypeError for a wrong setting; a system check (``thankyou_flows.E003``) says so at start-up.
    """
    store_class = import_string(app_settings.store)
    store = store_class()
    if not isinstance(store, Store):
        raise TypeError(
            f"THANKYOU_FLOWS['STORE'] is {app_settings.store!r}, which is not a thankyou_flows.stores.Store."
        )
    return store

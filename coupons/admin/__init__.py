"""The owner's screens in the Wagtail admin. ``coupons.wagtail_hooks`` registers them."""

from __future__ import annotations

"""The pages of ``coupons``: one coupon with its questions, and all coupons of a signed-in customer."""

from __future__ import annotations

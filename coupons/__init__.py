"""A promised benefit: campaigns, codes, and their life from issue to redemption."""

from __future__ import annotations

#: Lets thankyou_flows tell this package from another one that is also called ``coupons``.
DISTRIBUTION = "wagtail-thankyou-flows"

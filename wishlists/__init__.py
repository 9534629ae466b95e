"""What a customer keeps: the cookie cart, things saved for later, wish lists."""

from __future__ import annotations

#: Lets thankyou_flows tell this package from another one that is also called ``wishlists``.
DISTRIBUTION = "wagtail-thankyou-flows"

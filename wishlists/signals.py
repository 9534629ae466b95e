"""What this app tells others. Receivers that raise do not disturb the customer (``send_robust``)."""

from __future__ import annotations

from django.dispatch import Signal

#: A customer changed the cart. ``sender`` is the class Cart; ``request``, ``cart`` (as it is now), ``action``
#: ("added", "changed" or "removed"), ``product_ref``, ``options``, ``quantity`` (of the line now; 0 if removed).
#: Sent when the new cart is accepted; the cookie leaves with the response.
cart_changed = Signal()

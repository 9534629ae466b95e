"""What this app tells others. Receivers that raise do not disturb the customer (``send_robust``).

All are sent after the transaction is committed; a guest's changes, which need none, when the new list is accepted.
"""

from __future__ import annotations

from django.dispatch import Signal

#: A customer changed a list. ``sender`` is the class Lines; ``request``, ``kind``, ``lines`` (the list as it is now; None
#: for a wish list), ``list`` (the ProductList of a wish list, else None), ``action`` ("added", "changed", "removed",
#: "moved"), ``product_ref``, ``options``, ``quantity`` (of the line now; 0 if removed).
list_changed = Signal()

#: A guest's things came to an account, because the customer said so. ``sender`` is MergeReceipt; ``receipt``, ``user``.
lists_merged = Signal()

#: And went back. ``sender`` is MergeReceipt; ``receipt``, ``user``.
merge_undone = Signal()

#: A wish list was shared by a link, or its link revoked. ``sender`` is ProductList; ``list``.
list_shared = Signal()
list_unshared = Signal()

#: A visitor asked the shop about products; the shop answered. ``sender`` is Inquiry; ``inquiry``.
inquiry_received = Signal()
inquiry_answered = Signal()

#: News from the catalogue about saved products, found by ``find_list_news``. ``sender`` is CatalogEvent; ``event``, and
#: ``items``: ListItems with their lists, a batch at a time. Each item hears of each event once at most.
price_dropped = Signal()
back_in_stock = Signal()
selling_out = Signal()

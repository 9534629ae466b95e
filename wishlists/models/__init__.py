"""What is kept in the database: the lists of accounts, what others were shown of them, and what became of them."""

from __future__ import annotations

from .gifts import GiftMark
from .inquiries import Inquiry
from .lists import ListItem, ProductList
from .news import CatalogEvent, ItemNews, ProductWatch
from .receipts import MergeReceipt
from .saves import Save

__all__ = [
    "CatalogEvent",
    "GiftMark",
    "Inquiry",
    "ItemNews",
    "ListItem",
    "MergeReceipt",
    "ProductList",
    "ProductWatch",
    "Save",
]

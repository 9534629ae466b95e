"""The shop's tables: what it sells, what was ordered, and the pages that editors write."""

from __future__ import annotations

from .accounts import ConfirmedAddress
from .catalogue import Category, Product
from .orders import Order, OrderLine, Payment
from .pages import CategoryPage, FeaturedProduct, HomePage, ProductPage
from .prices import PriceRecord

__all__ = [
    "Category",
    "CategoryPage",
    "ConfirmedAddress",
    "FeaturedProduct",
    "HomePage",
    "Order",
    "OrderLine",
    "Payment",
    "PriceRecord",
    "Product",
    "ProductPage",
]

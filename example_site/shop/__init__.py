"""Kettle & Fern, a small tea shop: catalogue, checkout, orders and accounts, with Wagtail for its pages."""

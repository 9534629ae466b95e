"""Keys that stand in addresses."""

from __future__ import annotations

import secrets
from typing import Final

#: Letters of a key: 16 random bytes, written for addresses (SL-3, SL-4: 128 bits).
KEY_LENGTH: Final = 22


def make_key() -> str:
    """Return a key that cannot be guessed: 128 random bits."""
    return secrets.token_urlsafe(16)

"""Keys that stand in addresses."""

from __future__ import annotations

import re
import secrets
from typing import Final

#: Letters of a key: 16 random bytes, written for addresses (SL-3, SL-4: 128 bits).
KEY_LENGTH: Final = 22


def make_key() -> str:
    """Return a key that cannot be guessed: 128 random bits."""
    return secrets.token_urlsafe(16)


def is_key(text: str) -> bool:
    """Say whether ``text`` can be such a key; nothing else needs to reach the database."""
    return re.fullmatch(rf"[A-Za-z0-9_-]{{{KEY_LENGTH}}}", text) is not None

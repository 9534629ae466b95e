"""Secrets in links: made from the system's random source, kept only as a hash (TY-4)."""

from __future__ import annotations

import hashlib
import secrets

#: 32 bytes are 256 bits: ASVS 11.5.1 asks for 128.
TOKEN_BYTES = 32


def make_token(*, purpose: str) -> tuple[str, str]:
    """Return a new token for a link, and the hash under which to store it."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return token, hash_token(token, purpose=purpose)


def hash_token(token: str, *, purpose: str) -> str:
    """Return the hash under which a token is stored. A token made for one purpose is worthless for another (ASVS
    9.2.2).
    """
    return hashlib.sha256(f"{purpose}:{token}".encode("utf-8", "surrogatepass")).hexdigest()

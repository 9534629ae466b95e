"""Cookies that somebody else at the same computer cannot read: ``ENCRYPT_LISTS`` (CK-8).

Signed is not encrypted: without this setting the product references in the cookies can be read, not changed. For shops
whose goods are nobody's business. Fernet (AES-128-CBC and HMAC-SHA256) of the package ``cryptography``; the key comes from
``SECRET_KEY``, and those of ``SECRET_KEY_FALLBACKS`` still read.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

#: Own purpose of the key, so that nothing else of the site is encrypted with it.
SALT = "thankyou_wishlists.encryption.v1"


def encrypt(text: str) -> str:
    """Return the text as only this site can read it. Raises ImportError without ``cryptography``."""
    return str(_fernet(_secrets()).encrypt(text.encode()).decode())


def decrypt(text: str) -> str:
    """Return what was encrypted. Raises ValueError for anything else."""
    from cryptography.fernet import InvalidToken

    try:
        return str(_fernet(_secrets()).decrypt(text.encode()).decode())
    except (InvalidToken, UnicodeError) as error:
        raise ValueError("not encrypted by this site") from error


def _secrets() -> tuple[Any, ...]:
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=8)
def _fernet(secrets: tuple[Any, ...]) -> Any:
    from cryptography.fernet import Fernet, MultiFernet

    digests = [salted_hmac(SALT, "key", secret=secret, algorithm="sha256").digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])

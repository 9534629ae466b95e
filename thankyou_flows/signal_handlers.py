"""What happens in the shop and in the lower apps, and what we do then."""

from __future__ import annotations

import logging

from .stores import get_store

logger = logging.getLogger(__name__)


def connect() -> None:
    """Let the store adapter connect to the shop's own signals. Called once, when Django has started."""
    try:
        store = get_store()
    except Exception:
        # Said at greater length, with a hint, by the system check thankyou_flows.E003.
        logger.warning("The store adapter could not be loaded, so nothing is heard from the shop.")
        return
    store.connect()

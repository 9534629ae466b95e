"""What this app does when somebody logs out (SL-2)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver

from .shelf import lists_of


@receiver(user_logged_out, dispatch_uid="thankyou_wishlists.leave_nothing_behind")
def leave_nothing_behind(sender: Any, request: Any = None, **kwargs: Any) -> None:
    """Let this response take away what a browser learned while somebody was logged in.

    The lists of an account are in the database, and its answers in the session, which Django empties; a note about a
    product, or who marked a gift, is in a cookie.
    """
    if hasattr(request, "lists"):
        lists_of(request).log_out()

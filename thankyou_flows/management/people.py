"""What the commands about one person share: whom they mean."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email

from coupons.holders import verified_email_of


def add_person_arguments(parser: ArgumentParser) -> None:
    """Let a command be told whom it is about."""
    parser.add_argument("--email", default="", help="the person's e-mail address")
    parser.add_argument(
        "--username",
        default="",
        help="the person's account; with --email too, if you have checked that both are the same person",
    )


def person_meant(options: dict[str, Any]) -> dict[str, Any]:
    """Return ``email`` and ``user`` for the functions of ``privacy``. Raises CommandError in kind words."""
    email, username = options["email"].strip(), options["username"].strip()
    if not email and not username:
        raise CommandError("Whom do you mean? Give --email, --username, or both.")
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError("This is not an e-mail address.") from None
    user = None
    if username:
        model = get_user_model()
        try:
            user = model._default_manager.get_by_natural_key(username)
        except model.DoesNotExist:
            raise CommandError("There is no account with this name.") from None
    return {"email": email, "user": user}


def hint_of(meant: dict[str, Any]) -> str:
    """Return what the caller should know of how the person is found; empty if there is nothing to say."""
    if meant["user"] is not None and not meant["email"] and not verified_email_of(meant["user"]):
        return (
            "This account has not proved an address, so nothing was looked up by one. If you know that its address is "
            "this person's, give --email too."
        )
    return ""

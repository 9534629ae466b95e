"""What can go wrong with a sign-up, in words for the visitor."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _


class NewsletterError(Exception):
    """What a visitor can be told; ``message`` is translatable. Never depends on the typed address (EM-2)."""

    message = _("This did not work. Please try again.")

    def __str__(self) -> str:
        return str(self.message)


class TooManySignUps(NewsletterError):
    """Raised when one place sends sign-ups faster than a person could."""

    message = _("That was a lot of sign-ups in a short time. Please try again in a few minutes.")


class ListClosed(NewsletterError):
    """Raised for a list that takes nobody new, or that does not exist where only existing ones are taken."""

    message = _("Nobody can sign up for this list at the moment.")


class ChallengeFailed(NewsletterError):
    """Raised when ``SIGN_UP_CHALLENGE`` says that this visitor has not shown to be a person."""

    message = _("Please show first that you are a person, and then try again.")


class LinkOver(NewsletterError):
    """Raised for a confirmation link that is unknown, mangled, or out of date: the three look the same (TY-2)."""

    message = _("This link does not work any more.")

"""A question that a visitor asks the shop about products."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .keys import KEY_LENGTH, make_key


class Inquiry(models.Model):
    """A question about a saved list or a product, and the shop's answer, which goes by mail."""

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("inquiry", "Waiting for an answer")
        ANSWERED = "answered", pgettext_lazy("inquiry", "Answered")
        CLOSED = "closed", pgettext_lazy("inquiry", "Closed without an answer")

    key = models.CharField(_("key"), max_length=KEY_LENGTH, unique=True, default=make_key, editable=False)
    email = models.EmailField(_("e-mail address"))
    name = models.CharField(_("name"), max_length=80, blank=True)
    text = models.TextField(_("question"), max_length=3000)
    #: The products as they were then: [{"product_ref", "options", "title", "quantity", "url"}, …].
    products = models.JSONField(_("products"), default=list, blank=True)
    language = models.CharField(_("language"), max_length=12, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN, db_index=True)
    created_at = models.DateTimeField(_("asked"), default=timezone.now, db_index=True)
    answer = models.TextField(_("answer"), max_length=5000, blank=True)
    #: When it was answered, or closed without an answer: INQUIRY_DAYS later it goes.
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    #: When the mail server took the answer; empty while it has not.
    mailed_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        verbose_name = _("question from a customer")
        verbose_name_plural = _("questions from customers")
        ordering: ClassVar = ["-pk"]
        default_permissions: ClassVar = ["view", "delete"]
        permissions: ClassVar = [("answer_inquiry", _("Can answer questions from customers"))]

    def __str__(self) -> str:
        return Truncator(self.text).chars(60)

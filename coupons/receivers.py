"""What follows from a saved row, whoever saved it."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from .issuing import publish_word
from .models import Campaign


@receiver(post_save, sender=Campaign, dispatch_uid="thankyou_coupons.publish_word")
def keep_the_word_up_to_date(*, instance: Campaign, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """Keep the coupon of a campaign's public word as the campaign says (CO-8). Fixtures bring their own rows."""
    if not raw and not (created and instance.code_type != Campaign.CodeType.WORD):
        publish_word(campaign=instance, actor=instance.saved_by)

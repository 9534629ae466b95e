"""What the tests of the screens under "Mail" share: who looks, and rows to look at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from coupons.holders import customer_key
from thankyou_flows.models import FollowUp, FollowUpStep, Message


def client_with(*permissions: str, email: str = "owner@example.com", superuser: bool = False) -> Client:
    """Return the browser of somebody who may enter the admin and do exactly this."""
    users = get_user_model().objects
    user = users.create_user(f"user{users.count()}", email, "pw", is_superuser=superuser)
    user.user_permissions.set(Permission.objects.filter(codename__in=[*permissions, "access_admin"]))
    client = Client()
    client.force_login(user)
    return client


def make_follow_up(**changes: Any) -> FollowUp:
    """Return a saved follow-up with one mail, off unless changed; ``mails=0`` for none."""
    mails = changes.pop("mails", 1)
    body = changes.pop("body", [("text", {"text": "<p>Rinse it with vinegar.</p>"})])
    follow_up = FollowUp(**{"title": "Care tips", "trigger": "order_delivered", "kind": "follow_up", **changes})
    follow_up.steps = [
        FollowUpStep(sort_order=number, delay=3, subject=f"Tips {number + 1}", body=body) for number in range(mails)
    ]
    follow_up.save()
    return follow_up


def make_message(number: int = 1, **changes: Any) -> Message:
    """Return a saved message that waits, unless changed."""
    email = changes.pop("email", "ana@example.com")
    values = {
        "dedupe_key": f"test:{number}",
        "kind": "follow_up",
        "composer": "follow_up",
        "email": email,
        "email_key": customer_key(email),
        "reason": "order_delivered",
        "ref": f"O-{number}",
        "due_at": timezone.now() + timedelta(days=3),
        **changes,
    }
    return Message.objects.create(**values)


def form_data(follow_up: FollowUp | None = None, *, steps: int = 1, **changes: Any) -> dict[str, Any]:
    """Return what the form sends: a follow-up with so many mails, unless changed."""
    stored = list(follow_up.steps.all()) if follow_up else []
    data: dict[str, Any] = {
        "title": "Care tips",
        "trigger": "order_delivered",
        "kind": "follow_up",
        "mailing_list": "",
        "rules-count": "0",
        "stops_after_order": "on",
        "steps-TOTAL_FORMS": str(steps),
        "steps-INITIAL_FORMS": str(len(stored)),
        "steps-MIN_NUM_FORMS": "0",
        "steps-MAX_NUM_FORMS": "1000",
    }
    for number in range(steps):
        prefix = f"steps-{number}"
        data |= {
            f"{prefix}-id": stored[number].pk if number < len(stored) else "",
            f"{prefix}-ORDER": str(number + 1),
            f"{prefix}-DELETE": "",
            f"{prefix}-delay": "3",
            f"{prefix}-delay_unit": "days",
            f"{prefix}-at_time": "",
            f"{prefix}-subject": "Tips for {order_number}",
            f"{prefix}-preheader": "",
            f"{prefix}-campaign": "",
            f"{prefix}-body-count": "1",
            f"{prefix}-body-0-deleted": "",
            f"{prefix}-body-0-order": "0",
            f"{prefix}-body-0-type": "text",
            f"{prefix}-body-0-id": "",
            f"{prefix}-body-0-value-text": '{"blocks": [{"key": "a", "text": "Rinse it.", "type": "unstyled", "depth": 0,'
            ' "inlineStyleRanges": [], "entityRanges": []}], "entityMap": {}}',
        }
    return data | changes

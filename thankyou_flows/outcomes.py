"""What an action came to, carried over the redirect in the address: signed, short-lived, and without any session.

Works on cacheable pages, too: the block that was acted on is told from the address alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.core import signing

from .flow import Flow

if TYPE_CHECKING:
    from django.http import HttpRequest

SALT = "thankyou_flows.outcome.v1"
PARAMETER = "done"
#: Seconds for which a reload still shows the outcome.
MAX_AGE = 15 * 60


def with_outcome(url: str, *, block_id: str, code: str) -> str:
    """Return the address that leads back to the block and shows there what happened."""
    signed = signing.dumps([block_id, code], salt=SALT, compress=True)
    url = url.partition("#")[0]
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}{urlencode({PARAMETER: signed})}#block-{block_id}"


def read_outcomes(request: HttpRequest) -> dict[str, str]:
    """Return block id → outcome code from the address; empty if there is none or it is not ours."""
    signed = request.GET.get(PARAMETER, "")
    if not signed or len(signed) > 1000:
        return {}
    try:
        block_id, code = signing.loads(signed, salt=SALT, max_age=MAX_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        return {}
    return {str(block_id): str(code)}


def flow_of(request: HttpRequest | None) -> Flow:
    """Return the flow of a request: the one that our view put on it, or one without an order.

    Touches neither the session nor a cookie, so that an ordinary page with our blocks stays cacheable.
    """
    flow = getattr(request, "thankyou_flow", None)
    if isinstance(flow, Flow):
        return flow
    if request is None:
        return Flow()
    return Flow(
        url=request.path, outcomes=read_outcomes(request), is_preview=bool(getattr(request, "is_preview", False))
    )

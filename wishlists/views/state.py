"""The one small request with which a page fills its badges and hearts."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from ..shelf import lists_of
from ..state import state_of


@login_not_required
@require_safe
def state(request: HttpRequest) -> HttpResponse:
    """Answer what ``state_of`` says: for a guest from the cookies alone, no query, no session, never cached (CK-7)."""
    return JsonResponse(state_of(lists_of(request)))

"""Oscar's own models, unchanged; settings.MIGRATION_MODULES points to their migrations."""

from __future__ import annotations

from oscar.apps.shipping.models import *  # noqa: F403

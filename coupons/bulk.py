"""Many single codes for one campaign, made in the background: ordered once, worked off in pieces by whoever has time
for it (a worker, cron, or the admin's own page).
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from .batches.inserting import insert_coupons
from .batches.minting import mint
from .exceptions import BatchRefused
from .models import Campaign, Coupon, CouponBatch
from .models.batches import LARGEST_BATCH
from .moments import moment

logger = logging.getLogger(__name__)

#: How long a worker is believed to be alive after its last piece. A piece takes a second or so.
LEASE: Final = timedelta(seconds=60)
#: Codes made in one transaction.
CHUNK: Final = 10_000

#: Codes are printed before a campaign begins; nobody needs new ones of a campaign that is paused or ended.
OPEN_STATUSES: Final = (Campaign.Status.DRAFT, Campaign.Status.RUNNING)


def check_campaign(campaign: Campaign, *, now: datetime | None = None) -> None:
    """Raise ``BatchRefused`` if single codes can neither be made for this campaign nor imported into it: it is paused
    (code ``paused``), ended (``ended``, also by date) or of one public word (``word``). Draft and running are fine.
    """
    if campaign.code_type == Campaign.CodeType.WORD:
        raise BatchRefused("word")
    if campaign.status == Campaign.Status.PAUSED:
        raise BatchRefused("paused")
    if campaign.status not in OPEN_STATUSES or (campaign.ends_at is not None and campaign.ends_at <= (moment(now))):
        raise BatchRefused("ended")


def order_batch(
    *, campaign: Campaign, quantity: int, note: str = "", created_by: Any = None, now: datetime | None = None
) -> CouponBatch:
    """Order ``quantity`` single codes (1 to 1,000,000) of a campaign, and return the batch; ``work_batch`` makes them.

    The campaign may be a draft: flyers are printed before it begins. ``created_by`` is the member of staff. Where the
    project has a background worker for Django's tasks, it is told after the commit. Raises ``BatchRefused``, and
    ``ValueError`` for another quantity.
    """
    check_campaign(campaign, now=now)
    if not 1 <= quantity <= LARGEST_BATCH:
        raise ValueError(f"quantity must be between 1 and {LARGEST_BATCH}, not {quantity}.")
    batch = CouponBatch.objects.create(campaign=campaign, quantity=quantity, note=note, created_by=created_by)
    transaction.on_commit(lambda: _wake_worker(batch.pk))
    return batch


def work_batch(
    *, batch: CouponBatch, budget: timedelta | None = None, chunk: int = CHUNK, now: datetime | None = None
) -> CouponBatch:
    """Make codes of a batch until all are there or ``budget`` is spent, and return the batch as it is then.

    Resumable at any point: each piece of ``chunk`` codes is one transaction together with the number ``made``. A batch
    that another worker holds is left to it; if that one was killed, its lease is over after a minute and the next
    caller goes on. A batch whose campaign has ended, or which was stopped, gets no more codes.

    The coupons are locked if the campaign asks questions. A personal deadline does not start here, since nobody has
    got the code yet: it counts from the unlocking, and codes that need none are valid as long as their campaign. There
    is no signal and no audit row for each coupon: the batch says who made them, and when (CO-11).

    ``budget`` is how long to work, ``None`` for as long as it takes; at least one piece is made. ``now`` is for tests
    and stands still.
    """
    lease = _lease(batch, moment(now))
    if lease is not None:
        like = _like(batch, moment(now))
        deadline = None if budget is None else monotonic() + budget.total_seconds()
        while (lease := _piece(batch, like, chunk, lease=lease, now=moment(now))) is not None:
            if deadline is not None and monotonic() >= deadline:
                CouponBatch.objects.filter(pk=batch.pk, leased_until=lease).update(leased_until=None)
                break
    batch.refresh_from_db()
    return batch


def work_all(*, budget: timedelta | None = None, now: datetime | None = None) -> int:
    """Work on every batch that wants codes and is free, the oldest first, and return how many codes there are more.

    ``budget`` is for all of them together.
    """
    deadline = None if budget is None else monotonic() + budget.total_seconds()
    made = 0
    for batch in CouponBatch.objects.free(now=moment(now)).defer("rejected").order_by("pk"):
        left = None if deadline is None else timedelta(seconds=deadline - monotonic())
        if left is not None and left <= timedelta(0):
            break
        before = batch.made
        made += work_batch(batch=batch, budget=left, now=now).made - before
    return made


def stop_batch(*, batch: CouponBatch) -> CouponBatch:
    """Let a batch get no more codes; those that are made stay. The worker at it stops after its piece."""
    CouponBatch.objects.open().filter(pk=batch.pk).update(status=CouponBatch.Status.STOPPED, leased_until=None)
    batch.refresh_from_db()
    return batch


def resume_batch(*, batch: CouponBatch, now: datetime | None = None) -> CouponBatch:
    """Let a stopped batch go on. Raises ``BatchRefused`` if its campaign gets no more codes."""
    check_campaign(batch.campaign, now=now)
    stopped = CouponBatch.objects.filter(
        pk=batch.pk, kind=CouponBatch.Kind.GENERATED, status=CouponBatch.Status.STOPPED, made__lt=F("quantity")
    )
    if stopped.update(status=CouponBatch.Status.WAITING):
        transaction.on_commit(lambda: _wake_worker(batch.pk))
    batch.refresh_from_db()
    return batch


def _lease(batch: CouponBatch, now: datetime) -> datetime | None:
    """Take the batch for this worker, in one guarded UPDATE; ``None`` if it is another's or wants no more codes."""
    ended = Campaign.objects.filter(Q(status=Campaign.Status.ENDED) | Q(ends_at__lte=now))
    stopped = CouponBatch.objects.free(now=now).filter(pk=batch.pk, campaign__in=ended)
    if stopped.update(status=CouponBatch.Status.STOPPED, leased_until=None):
        return None
    lease = now + LEASE
    taken = CouponBatch.objects.free(now=now).filter(pk=batch.pk)
    return lease if taken.update(status=CouponBatch.Status.RUNNING, leased_until=lease) else None


def _piece(batch: CouponBatch, like: Coupon, chunk: int, *, lease: datetime, now: datetime) -> datetime | None:
    """Make one piece and return the lease as it is now, or ``None`` if this worker has no more to do here."""
    held = CouponBatch.objects.filter(pk=batch.pk, status=CouponBatch.Status.RUNNING, leased_until=lease)
    renewed = now + LEASE
    with transaction.atomic():
        # First of all, since it locks the row: a worker that was slow enough to lose its lease finds that here, and
        # two that hold the same one come one after the other. What is made so far is read behind the lock.
        if not held.update(leased_until=renewed):
            return None
        made, quantity = CouponBatch.objects.values_list("made", "quantity").get(pk=batch.pk)
        # Usually all of them. A code that was taken already is left out, and made up for by the next piece.
        made += insert_coupons(like=like, columns={"code": mint(min(chunk, quantity - made))})
        changed: dict[str, Any] = {"made": made}
        if made >= quantity:
            changed |= {"status": CouponBatch.Status.DONE, "finished_at": now, "leased_until": None}
        CouponBatch.objects.filter(pk=batch.pk).update(**changed)
    return None if made >= quantity else renewed


def _like(batch: CouponBatch, now: datetime) -> Coupon:
    """Return what all coupons of the batch have in common."""
    campaign = batch.campaign
    locked = campaign.asks
    return Coupon(
        campaign=campaign,
        batch=batch,
        state=Coupon.State.LOCKED if locked else Coupon.State.AVAILABLE,
        usage_limit=campaign.uses_per_coupon,
        deadline_minutes=campaign.deadline_minutes if locked else None,
        issued_at=now,
    )


def _wake_worker(batch_id: int) -> None:
    """Hand the batch to the project's worker, if ``TASKS`` names one. Never raises: the command and the admin's page do
    the same work.
    """
    if not getattr(settings, "TASKS", None):
        return
    try:
        # Imported at use: a task cannot even be declared where TASKS is wrong, and nothing else here needs it.
        from .tasks import has_worker, make_codes

        if has_worker():
            make_codes.enqueue(batch_id)
    except Exception:
        logger.exception("batch %s could not be handed to a worker; it waits for the next one", batch_id)

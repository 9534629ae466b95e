"""A page for designers and developers: every block in every state it is designed for, with made-up orders.

``/styleguide/`` shows the blocks one by one, ``/styleguide/page/<sample>/`` whole pages. Both take ``?dir=rtl``,
``?text=200`` and ``?theme=light|dark``; whole pages also take ``?lines=40``. Nothing is written, and no real order
is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import path
from djmoney.money import Money
from wagtail.blocks import StreamValue
from wagtail.rich_text import RichText

from coupons.models import Campaign, Coupon, Question
from thankyou_flows.blocks import FlowStreamBlock
from thankyou_flows.flow import Flow, Promises
from thankyou_flows.promises import Promise
from thankyou_flows.samples import SAMPLES, sample_flow
from thankyou_flows.values import Address, OrderLine, OrderState

LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
STREAM = FlowStreamBlock()

FREE_SHIPPING = Campaign(
    title="Offer",
    status=Campaign.Status.RUNNING,
    benefit=Campaign.Benefit.FREE_SHIPPING,
    deadline_minutes=60,
    terms="For deliveries within Germany, once per order.",
)
TEN_PERCENT = Campaign(
    title="Coupon",
    status=Campaign.Status.RUNNING,
    benefit=Campaign.Benefit.PERCENT,
    percent=10,
    deadline_minutes=30 * 24 * 60,
    terms="For everything in the shop, once per customer.",
)


def _asking(*questions: Question, **fields: Any) -> Campaign:
    """Return a campaign with questions that is saved nowhere."""
    campaign = Campaign(**{"benefit": "percent", "percent": 15, "status": Campaign.Status.RUNNING, **fields})
    campaign.questions = list(questions)
    return campaign


THREE_ANSWERS = _asking(
    Question(
        clean_name="tea",
        label="Which tea do you drink most?",
        field_type="radio",
        choices="Black\nGreen\nHerbal",
        purpose="So that we suggest teas you will like.",
    ),
    Question(
        clean_name="pot",
        label="How do you make it?",
        field_type="checkboxes",
        choices="In a pot\nIn the mug",
        help_text="All that is true.",
        purpose="So that we buy what you can use.",
    ),
    Question(clean_name="wish", label="What do you miss?", required=False, purpose="We read it all.", keep_days=180),
    ask_text="Three short questions, and this coupon is yours.",
    marketing_text="And send me the letter. I can leave it at any time.",
    terms="For one order within 60 days.",
)
LONG_QUESTION = _asking(
    Question(clean_name="long", label=f"{LONG_WORD}?", purpose=LONG_WORD, help_text=LONG_WORD), ask_text=LONG_WORD
)


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """One block in one state."""

    name: str
    body: StreamValue
    flow: Flow


class FixedPromises(Promises):
    """Whatever the state to be shown needs. Without an ``ends_in`` nothing was claimed yet."""

    def __init__(
        self, *, now: datetime, ends_in: timedelta | None = None, declined: bool = False, **facts: bool
    ) -> None:
        self._now = now
        self._ends_in = ends_in
        self._declined = declined
        self._facts = facts

    def of(self, campaign: Campaign) -> Promise | None:
        if self._ends_in is None:
            return None
        ends_at = self._now + self._ends_in
        minutes = campaign.deadline_minutes or 0
        coupon = Coupon(
            campaign=campaign,
            code="STY1EGU1DE00",
            issued_at=min(self._now, ends_at - timedelta(minutes=minutes)),
            ends_at=ends_at,
            deadline_minutes=minutes,
            declined_at=self._now if self._declined else None,
        )
        facts = {
            "is_over": ends_at <= self._now,
            "is_used": False,
            "is_extendable": coupon.is_extendable(self._now),
            "is_applied": True,
        }
        return Promise(coupon=coupon, **(facts | self._facts))

    def may_claim(self, campaign: Campaign, *, urgent: bool) -> bool:
        return True


def overview(request: HttpRequest) -> HttpResponse:
    """Show every block in every state."""
    groups = [(title, list(specimens)) for title, specimens in _groups()]
    return render(request, "styleguide/overview.html", {"groups": groups, "samples": SAMPLES, **_look(request)})


def page(request: HttpRequest, sample: str) -> HttpResponse:
    """Show a whole thank-you page with one of the samples that editors have in their preview."""
    if sample not in SAMPLES:
        raise Http404
    flow = replace(sample_flow(sample), is_preview=False, url=request.path, can_confirm_email=True)
    if flow.order is not None:
        count = request.GET.get("lines", "")
        lines = int(count) if count.isdecimal() and len(count) < 4 else 3
        flow = replace(flow, order=replace(flow.order, lines=_lines(lines)))
    body = _body(
        ("status", {}),
        ("text", {"text": RichText("<p>You will get a mail when your parcel is on its way.</p>")}),
        ("offer", {"campaign": FREE_SHIPPING}),
        ("coupon", {"campaign": TEN_PERCENT, "text": "Try something new with it."}),
        ("unlock", {"campaign": THREE_ANSWERS}),
        ("newsletter", {}),
        ("summary", {}),
    )
    fields = SimpleNamespace(
        pk=0,
        headline="Thank you, {first_name}",
        body=body,
        generic_text="<p>Thank you for being here. To see an order, open the link in its confirmation mail.</p>",
    )
    return render(request, "styleguide/page.html", {"page": fields, "flow": flow, **_look(request)})


urlpatterns = [
    path("", overview, name="overview"),
    path("page/<slug:sample>/", page, name="page"),
]
app_name = "styleguide"


def _look(request: HttpRequest) -> dict[str, str]:
    allowed = {"dir": ("rtl",), "text": ("200",), "theme": ("light", "dark")}
    return {name: request.GET[name] for name, values in allowed.items() if request.GET.get(name) in values}


def _body(*children: tuple[str, Mapping[str, Any]]) -> StreamValue:
    blocks = []
    for kind, values in children:
        block = STREAM.child_blocks[kind]
        value = block.get_default()
        value.update(values)
        _Ids.last += 1
        blocks.append((kind, value, f"sample-{_Ids.last}"))
    return StreamValue(STREAM, blocks)


class _Ids:
    last = 0


def _specimen(name: str, kind: str, values: Mapping[str, Any] | None = None, *, flow: Flow, **more: Any) -> Specimen:
    body = _body((kind, values or {}))
    child = body[0]
    if outcome := more.get("outcome"):
        flow = replace(flow, outcomes={child.id: outcome})
    if "data" in more:
        form = child.block.get_form(value=child.value, flow=flow, block_id=child.id, data=more["data"])
        # A sample was never shown to anybody, so the form's proof of that is left out of it.
        form.errors.pop("stamp", None)
        if error := more.get("error"):
            form.add_error(None, error)
        flow = replace(flow, forms={child.id: form})
    return Specimen(name=name, body=body, flow=replace(flow, is_preview=False, url="/styleguide/"))


def _groups() -> Iterator[tuple[str, Iterator[Specimen]]]:
    flow = sample_flow("first_order")
    yield "Where the order stands", _states(flow)
    yield "Countdown offer", _offers(flow)
    yield "Coupon", _coupons(flow)
    yield "Coupon for a few answers", _questions(flow)
    yield "Newsletter", _newsletters(flow)
    yield "Order summary", _summaries(flow)
    yield "Words", _words(flow)


def _states(flow: Flow) -> Iterator[Specimen]:
    assert flow.order is not None
    for state in OrderState:
        order = replace(flow.order, state=state, tracking_url="/styleguide/")
        yield _specimen(str(state.label), "status", flow=replace(flow, order=order))


def _offers(flow: Flow) -> Iterator[Specimen]:
    def offer(name: str, minutes: float | None = 42, text: str = "", **more: Any) -> Specimen:
        facts = {key: more.pop(key) for key in ("is_used", "is_applied", "is_extendable") if key in more}
        ends_in = None if minutes is None else timedelta(minutes=minutes, seconds=30)
        promises = FixedPromises(now=flow.now, ends_in=ends_in, **facts)
        values = {"campaign": more.pop("campaign", FREE_SHIPPING), **({"text": text} if text else {})}
        return _specimen(name, "offer", values, flow=replace(flow, promises=promises), **more)

    longest = Campaign(benefit=Campaign.Benefit.FREE_SHIPPING, deadline_minutes=60, terms=f"Conditions: {LONG_WORD}.")
    command = {"command": "extend", "seen": "0"}
    yield offer("Normal")
    yield offer("Not started yet", None)
    yield offer("Not on the next checkout yet", is_applied=False)
    yield offer("After “I need more time”", 102, outcome="extended")
    yield offer("To be typed", is_applied=False, outcome="type_it")
    yield offer("The last minute", 0.3)
    yield offer("Error", data=command, error="This offer cannot be extended any more.", is_extendable=False)
    yield offer("Expired", -20)
    yield offer("Used", is_used=True)
    yield offer("Long words", text=LONG_WORD, campaign=longest)


def _coupons(flow: Flow) -> Iterator[Specimen]:
    def coupon(name: str, days: float | None = 30, campaign: Campaign = TEN_PERCENT, **more: Any) -> Specimen:
        facts = {key: more.pop(key) for key in ("is_used",) if key in more}
        ends_in = None if days is None else timedelta(days=days)
        promises = FixedPromises(now=flow.now, ends_in=ends_in, **facts)
        values = {"campaign": campaign, "text": more.pop("text", "Try something new with it.")}
        return _specimen(name, "coupon", values, flow=replace(flow, promises=promises), **more)

    five = Campaign(benefit=Campaign.Benefit.AMOUNT, amount=Money("5.00", "EUR"), deadline_minutes=60 * 24 * 90)
    yield coupon("Normal")
    yield coupon("Not claimed yet", None)
    yield coupon("Just claimed", outcome="claimed")
    yield coupon("Error", None, data={"command": "claim"}, error="This offer is not available at the moment.")
    yield coupon("Expired", -1)
    yield coupon("Used", is_used=True)
    yield coupon("An amount, without conditions", campaign=five, text="")
    yield coupon("Long words", text=LONG_WORD)


def _questions(flow: Flow) -> Iterator[Specimen]:
    def asked(name: str, campaign: Campaign = THREE_ANSWERS, **more: Any) -> Specimen:
        facts = {"is_locked": True, **{key: more.pop(key) for key in ("declined", "is_locked") if key in more}}
        promises = FixedPromises(now=flow.now, ends_in=timedelta(days=60), **facts)
        return _specimen(name, "unlock", {"campaign": campaign}, flow=replace(flow, promises=promises), **more)

    yield asked("Normal")
    yield asked("Answers missing", data={"command": "answer"})
    yield asked("Some are there, the rest is asked", outcome="more")
    yield asked("Mailed", outcome="mailed")
    yield asked("Declined", declined=True)
    yield asked("Unlocked", is_locked=False, outcome="unlocked")
    yield asked("All answered before", campaign=_asking())
    yield asked("Long words", campaign=LONG_QUESTION)


def _newsletters(flow: Flow) -> Iterator[Specimen]:
    stranger = Flow(now=flow.now)
    filled = {"email": "ana@example.com"}
    long = {"heading": LONG_WORD, "text": LONG_WORD, "button": "Subscribe to every single letter we write"}
    yield _specimen("Normal, address known", "newsletter", flow=flow)
    yield _specimen("Empty", "newsletter", flow=stranger)
    yield _specimen("Sent", "newsletter", flow=stranger, outcome="sent")
    yield _specimen("Error in the field", "newsletter", flow=stranger, data={"email": "ana@"})
    yield _specimen(
        "Error of the form", "newsletter", flow=stranger, data=filled, error="Too many letters for one day."
    )
    yield _specimen("Long words", "newsletter", long, flow=stranger)


def _summaries(flow: Flow) -> Iterator[Specimen]:
    assert flow.order is not None
    order = flow.order
    discount = Money("5.00", order.currency)
    paid = replace(order, discount=discount, tax=Money("7.01", order.currency), lines=_lines(3))
    address = Address(name=LONG_WORD, lines=(LONG_WORD,), postcode="1010", city=LONG_WORD, country="AT")
    long = replace(order, lines=_lines(2, title=LONG_WORD), shipping_address=address, email=f"{LONG_WORD}@example.com")
    without = replace(order, shipping=Money(0, order.currency))
    limited = sample_flow("link")
    yield _specimen("Normal", "summary", flow=replace(flow, order=paid))
    yield _specimen("No pictures, free shipping", "summary", flow=replace(flow, order=without))
    yield _specimen("Not allowed to see the address", "summary", flow=limited)
    yield _specimen("Long words", "summary", flow=replace(flow, order=long))
    yield _specimen("Forty lines", "summary", flow=replace(flow, order=replace(order, lines=_lines(40))))


def _words(flow: Flow) -> Iterator[Specimen]:
    text = (
        "<p>Thank you, {first_name}. We pack your order <b>{order_number}</b> today.</p>"
        '<ul><li>You get a mail when it is on its way.</li><li>Questions? <a href="/">Write to us.</a></li></ul>'
    )
    yield _specimen("Heading", "heading", {"text": "What happens now, {first_name}"}, flow=flow)
    yield _specimen("Heading, long word", "heading", {"text": LONG_WORD}, flow=flow)
    yield _specimen("Text", "text", {"text": RichText(text)}, flow=flow)
    yield _specimen("Text for everybody, no order", "text_everywhere", {"text": RichText(text)}, flow=Flow())


def _lines(count: int, *, title: str = "") -> tuple[OrderLine, ...]:
    titles = ["Porcelain pot", "Mountain oolong, spring harvest, from the high gardens", "Honey", "Linen tea towel"]
    picture = static("styleguide/picture.svg")
    return tuple(
        OrderLine(
            product_ref=f"sample-{n}",
            title=title or titles[n % len(titles)],
            quantity=1 + n % 3,
            total=Money("12.50", "EUR") * (1 + n % 3),
            options="250 g" if n % 2 else "",
            url="/",
            # Every third has none: the words still stand in one line.
            image_url="" if n % 3 == 2 else picture,
        )
        for n in range(count)
    )

"""Who sees what of an order (TY-1 to TY-6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from thankyou_flows.access import is_owner
from thankyou_flows.links import make_order_link, revoke_order_links
from thankyou_flows.models import OrderLink
from thankyou_flows.stores.dummy import DummyStore
from thankyou_flows.tokens import hash_token
from thankyou_flows.values import Order

from .conftest import MARKER, finish, make_order

pytestmark = pytest.mark.django_db


def page_of(client: Client, number: str = "T-1001") -> str:
    response = client.get(reverse("thankyou_flows:order", args=[number]))
    assert response.status_code == 200
    return response.content.decode()


def test_the_ordering_browser_sees_everything(ordering_browser: Client) -> None:
    """TY-1."""
    body = page_of(ordering_browser)
    assert "T-1001" in body
    assert MARKER in body
    assert "Product 0" in body


@pytest.mark.parametrize(("seconds", "full"), [(-1, True), (1, False)])
def test_the_grace_ends_to_the_second(client: Client, order: Order, seconds: int, full: bool) -> None:
    """TY-1: 30 minutes, and after that the same browser still sees its order, without personal data."""
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        finish(client, order.number)
    with time_machine.travel(start + timedelta(minutes=30, seconds=seconds), tick=False):
        body = page_of(client)
    assert "Product 0" in body
    assert (MARKER in body) is full


def test_a_stranger_sees_the_generic_page(client: Client, order: Order) -> None:
    """TY-1."""
    body = page_of(client)
    assert "Product 0" not in body
    assert MARKER not in body
    assert "T-1001" not in body


@pytest.mark.parametrize("with_page", [True, False])
def test_unknown_foreign_and_mangled_look_the_same(
    client: Client, order: Order, with_page: bool, offer_page: Any, django_assert_num_queries: Any
) -> None:
    """TY-2: byte for byte, header for header, and with the same number of queries."""
    if not with_page:
        offer_page.delete()
    user = get_user_model().objects.create_user("b", "b@example.com", "pw")
    # Standing still, so that no Expires header tells one second from the next.
    with time_machine.travel(timezone.now(), tick=False):
        assert_same_answers(client, signed_in(user), order)


def assert_same_answers(*browsers_and_order: Any) -> None:
    *browsers, order = browsers_and_order
    for browser in browsers:
        answers = []
        for number in (order.number, "T-9999", "Ω\u202e", "../../etc/passwd", "x" * 300, "' OR 1=1 --"):
            with CaptureQueries() as queries:
                response = browser.get(reverse("thankyou_flows:order", args=[number]))
            answers.append((response.status_code, response.content, sorted(response.headers.items())))
            if len(number) <= 64 and number.isprintable():
                answers[-1] += (len(queries),)
        longest = max(answers, key=len)
        assert all(answer == longest[: len(answer)] for answer in answers)


class CaptureQueries:
    def __enter__(self) -> list[Any]:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        self._context = CaptureQueriesContext(connection)
        return self._context.__enter__()  # type: ignore[return-value]

    def __exit__(self, *error: Any) -> None:
        self._context.__exit__(*error)


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_nobody_is_not_the_owner_of_what_nobody_owns(order: Order) -> None:
    """TY-3."""
    store = DummyStore()
    unsaved = get_user_model()(username="x")
    for user in (None, AnonymousUser(), unsaved):
        assert is_owner(user=user, number=order.number, store=store) is False
    saved = get_user_model().objects.create_user("a", "a@example.com", "pw")
    assert is_owner(user=saved, number=order.number, store=store) is False


def test_the_owner_sees_everything_and_another_user_nothing() -> None:
    """TY-1: signed in, on any device, at any time."""
    users = get_user_model().objects
    owner, other = users.create_user("a", "a@example.com", "pw"), users.create_user("b", "b@example.com", "pw")
    DummyStore.add_order(make_order(), owner=owner)
    assert MARKER in page_of(signed_in(owner))
    assert "Product 0" not in page_of(signed_in(other))


def test_a_link_shows_items_and_no_personal_data(client: Client, order: Order) -> None:
    """TY-1, TY-5: the token is exchanged into the session and is in no address and no page afterwards."""
    link = make_order_link(number=order.number)
    token = link.rstrip("/").rsplit("/", 1)[1]
    response = client.get(link)
    assert response.status_code == 302
    assert token not in response["Location"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    body = page_of(client)
    assert "Product 0" in body
    assert MARKER not in body
    assert token not in body


def test_only_the_hash_of_a_token_is_kept(order: Order) -> None:
    """TY-4: 128 bits and more; a token of another purpose is worthless."""
    token = make_order_link(number=order.number).rstrip("/").rsplit("/", 1)[1]
    assert len(token) >= 22
    stored = OrderLink.objects.get()
    assert token not in str(vars(stored))
    assert stored.token_hash == hash_token(token, purpose="order")
    assert stored.token_hash != hash_token(token, purpose="newsletter")


def test_expired_revoked_and_invented_links_look_the_same(
    client: Client, order: Order, offer_page: Any, request: Any
) -> None:
    """TY-2, TY-4."""
    expired = make_order_link(number=order.number, now=timezone.now() - timedelta(days=21, seconds=1))
    revoked = make_order_link(number=order.number)
    assert revoke_order_links(number=order.number) == 1
    answers = set()
    moment = time_machine.travel(timezone.now(), tick=False)
    moment.start()
    request.addfinalizer(moment.stop)
    for address in (expired, revoked, reverse("thankyou_flows:link", args=["x"]), revoked[:-3] + "~~/"):
        response = Client().get(address)
        answers.add((response.status_code, response.content, str(sorted(response.headers.items()))))
    assert len(answers) == 1


def test_a_link_stops_for_a_browser_that_opened_it_before(client: Client, order: Order) -> None:
    """TY-4: revocable, also after the exchange."""
    client.get(make_order_link(number=order.number))
    assert "Product 0" in page_of(client)
    revoke_order_links(number=order.number)
    assert "Product 0" not in page_of(client)


def test_the_email_address_raises_a_link_to_everything(client: Client, order: Order) -> None:
    """TY-1, TY-9: typed in any spelling; a wrong one says so beside the field and keeps what was typed."""
    client.get(make_order_link(number=order.number))
    address = reverse("thankyou_flows:confirm_email", args=[order.number])
    wrong = client.post(address, {"email": "somebody@example.com"})
    assert wrong.status_code == 422
    assert "somebody@example.com" in wrong.content.decode()
    assert MARKER not in wrong.content.decode()
    right = client.post(address, {"email": f"  {order.email.upper()} "})
    assert right.status_code == 302
    assert MARKER in page_of(client)


def test_guessing_the_email_address_is_limited(client: Client, order: Order) -> None:
    """TY-9: five tries in five minutes, in whatever spelling; the right answer comes too late then."""
    client.get(make_order_link(number=order.number))
    address = reverse("thankyou_flows:confirm_email", args=[order.number])
    for n in range(5):
        client.post(address, {"email": f"guess{n}@example.com"})
    late = client.post(address, {"email": order.email})
    assert late.status_code == 422
    assert MARKER not in page_of(client)


def test_confirming_needs_a_link_first(client: Client, order: Order) -> None:
    """TY-1: knowing number and address is not enough."""
    client.post(reverse("thankyou_flows:confirm_email", args=[order.number]), {"email": order.email})
    assert "Product 0" not in page_of(client)


def test_hiding_takes_the_view_back(ordering_browser: Client) -> None:
    """TY-11."""
    response = ordering_browser.post(reverse("thankyou_flows:forget"))
    assert response["Clear-Site-Data"] == '"cache"'
    assert "Product 0" not in page_of(ordering_browser)


def test_never_cached_and_never_indexed(ordering_browser: Client, offer_page: Any) -> None:
    """TY-6: the order's page, the generic page, and the page in the tree."""
    addresses = [reverse("thankyou_flows:order", args=["T-1001"]), reverse("thankyou_flows:thank_you"), offer_page.url]
    for browser in (ordering_browser, Client()):
        for address in addresses:
            response = browser.get(address)
            assert {"no-store", "private"} <= {part.strip() for part in response["Cache-Control"].split(",")}
            assert "noindex" in response["X-Robots-Tag"]
            assert response["Referrer-Policy"] == "same-origin"
    assert offer_page.get_sitemap_urls() == []


def test_a_real_cache_in_front_mixes_nobody_up(settings: Any, order: Order, offer_page: Any) -> None:
    """TY-6: with Django's cache middleware really on."""
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    first, second = Client(), Client()
    finish(first, order.number)
    assert MARKER in page_of(first)
    assert "Product 0" not in page_of(second)
    assert MARKER in page_of(first)
    first.get(offer_page.url)
    assert MARKER not in second.get(offer_page.url).content.decode()


def test_the_latest_order_has_a_stable_address(ordering_browser: Client) -> None:
    response = ordering_browser.get(reverse("thankyou_flows:thank_you"))
    assert response["Location"] == reverse("thankyou_flows:order", args=["T-1001"])


@pytest.mark.parametrize("session", [{"thankyou_flows.orders": "x"}, {"thankyou_flows.orders": {"T-1001": "at"}}])
def test_a_strange_session_is_survived(client: Client, order: Order, session: dict[str, Any]) -> None:
    """TY-10."""
    stored = client.session
    stored.update(session)
    stored.save()
    client.cookies["sessionid"] = stored.session_key
    assert "Product 0" not in page_of(client)


def test_an_order_is_not_put_into_a_fragment_cache(settings: Any, rf: Any, offer_page: Any) -> None:
    """TY-6: said to the developer, before a customer can see somebody else's order."""
    from django.template import Context, Template

    from thankyou_flows.samples import sample_flow
    from thankyou_flows.templatetags.thankyou_flows import CachedOrderError

    source = "{% load cache thankyou_flows %}{% cache 60 x %}{% flow_blocks page.body %}{% endcache %}"
    context = Context({"page": offer_page, "flow": sample_flow("first_order"), "request": rf.get("/")})
    settings.DEBUG = True
    with pytest.raises(CachedOrderError):
        Template(source).render(context)
    without = source.replace("{% cache 60 x %}", "").replace("{% endcache %}", "")
    assert "SAMPLE-1" in Template(without + "{{ flow.order.number }}").render(context)


def test_finishing_again_does_not_begin_the_grace_anew(client: Client, order: Order) -> None:
    """TY-1: a payment page that is opened again opens nothing that time has closed."""
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        finish(client, order.number)
    with time_machine.travel(start + timedelta(minutes=31), tick=False):
        finish(client, order.number)
        assert MARKER not in page_of(client)

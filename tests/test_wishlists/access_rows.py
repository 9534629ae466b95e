"""Who may do what with A's lists: the table of the access matrix (SL-2 to SL-5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Actor:
    """Somebody with a browser. ``link`` is the key of A's list that they have: "live", "revoked", or one they invent."""

    who: str
    user: str = ""
    link: str = "invented"
    #: Also what takes no key of a link; else this actor is there another one.
    walks_all: bool = True


ACTORS = (
    Actor("owner", "A", "live"),
    Actor("other user", "B"),
    Actor("staff without permission", "staff"),
    Actor("guest"),
    Actor("holder of a link", "", "live"),
    Actor("other user with a link", "B", "live", walks_all=False),
    Actor("holder of a revoked link", "", "revoked"),
    Actor("other user with a revoked link", "B", "revoked", walks_all=False),
)


@dataclass(frozen=True)
class Answer:
    """What comes back, whose rows are others afterwards, and which of A's secrets it shows (to others than A)."""

    status: int
    #: Of "A", "self" (the actor's own) and "shop".
    changes: frozenset[str] = frozenset()
    shows: frozenset[str] = frozenset()


def says(status: int, *changes: str, shows: tuple[str, ...] = ()) -> Answer:
    return Answer(status, frozenset(changes), frozenset(shows))


OK, MOVED, NOT_FOUND, BAD_METHOD, REFUSED = (says(status) for status in (200, 303, 404, 405, 422))
LOGIN, LOGIN_JSON = says(302), says(401)
DONE, DONE_JSON = says(303, "self"), says(200, "self")
SHARED = says(200, shows=("shared", "shown"))
#: After a POST, the way back to the shared page: its address is what the actor has already.
MARKED = says(303, "A")
ASKED = says(303, "shop")

Row = tuple[str, str, str]

#: What is sent: fields of a form, or (for GET) the query. ``$private`` and such are A's keys; ``json`` asks for JSON.
SENT: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "json": {},
    "put on": {"product_ref": "pot", "action": "add"},
    "take off": {"product_ref": "tea", "action": "remove", "quantity": 0},
    "quantity": {"product_ref": "tea", "quantity": 3},
    "unsave": {"product_ref": "tea", "action": "remove"},
    "all": {"all": "1"},
    "all to the cart": {"all": "1", "to": "cart"},
    "one to the cart": {"product_ref": "tea", "to": "cart"},
    "to A's list": {"product_ref": "tea", "to": "$private"},
    "to A's list, json": {"product_ref": "tea", "to": "$private"},
    "keep": {"action": "keep"},
    "forget": {"action": "forget"},
    "open": {"action": "open"},
    "start": {"action": "on", "product_ref": "pot"},
    "name": {"name": "New"},
    "for tea": {"product_ref": "tea"},
    "tea to A's list": {"product_ref": "tea", "list": "$private"},
    "tea to a new list": {"product_ref": "tea", "list": "", "name": "New"},
    "add": {"action": "add", "product_ref": "pot", "quantity": 1},
    "change": {"action": "change", "product_ref": "tea", "quantity": 2, "priority": 1},
    "remove": {"action": "remove", "product_ref": "tea"},
    "remove, json": {"action": "remove", "all": "1"},
    "move all": {"action": "move", "all": "1", "to": "$second"},
    "move all to B": {"action": "move", "all": "1", "to": "$bs"},
    "cart": {"action": "cart", "product_ref": "tea"},
    "undo": {"action": "undo"},
    "share": {"action": "share"},
    "renew": {"action": "renew"},
    "revoke": {"action": "revoke"},
    "free": {"action": "free"},
    "merge": {"answer": "add"},
    "apart": {"answer": "apart"},
    "about A's list": {"list": "$private"},
    "about what is saved": {"list": "saved"},
    "ask about A's list": {"list": "$private", "text": "How much?", "email": "ask@example.org", "began": "$stamp"},
    "ask": {"text": "How much?", "email": "ask@example.org", "began": "$stamp"},
    "mark": {"action": "mark", "product_ref": "tea", "quantity": 1},
    "mark what came later": {"action": "mark", "product_ref": "ref-of-later", "quantity": 1},
    "unmark": {"action": "unmark", "product_ref": "ref-of-Saddle"},
}


def everybody(answer: Answer) -> tuple[Answer, Answer, Answer]:
    return (answer,) * 3


# fmt: off
#: Everything but links, by who asks → the owner, another user (and staff), a guest (whatever links they have).
ROWS: Mapping[Row, tuple[Answer, Answer, Answer]] = {
    ("cart", "GET", ""):                                      everybody(OK),
    ("cart", "POST", ""):                                     everybody(BAD_METHOD),
    ("cart_add", "GET", ""):                                  everybody(MOVED),
    ("cart_add", "POST", "put on"):                           (DONE,        DONE,        MOVED),
    ("cart_change", "GET", ""):                               everybody(MOVED),
    ("cart_change", "POST", "quantity"):                      (DONE,        MOVED,       MOVED),
    ("cart_change", "POST", "take off"):                      (DONE,        MOVED,       MOVED),
    ("cart_save", "GET", ""):                                 everybody(MOVED),
    ("cart_save", "POST", "quantity"):                        (DONE,        MOVED,       MOVED),
    ("cart_save", "POST", "all"):                             (DONE,        REFUSED,     MOVED),
    ("saved", "GET", ""):                                     everybody(OK),
    ("saved", "POST", ""):                                    everybody(BAD_METHOD),
    ("saved_add", "GET", ""):                                 everybody(MOVED),
    ("saved_add", "POST", "put on"):                          (DONE,        DONE,        MOVED),
    ("saved_add", "POST", "unsave"):                          (DONE,        DONE,        MOVED),
    ("saved_change", "GET", ""):                              everybody(MOVED),
    ("saved_change", "POST", "quantity"):                     (DONE,        DONE,        MOVED),
    ("saved_change", "POST", "take off"):                     (DONE,        DONE,        MOVED),
    ("saved_move", "GET", ""):                                everybody(MOVED),
    ("saved_move", "POST", "one to the cart"):                (DONE,        DONE,        MOVED),
    ("saved_move", "POST", "all to the cart"):                (says(200, "self"), DONE, MOVED),
    ("saved_move", "POST", "to A's list"):                    (DONE,        NOT_FOUND,   NOT_FOUND),
    ("saved_move", "POST", "to A's list, json"):              (DONE_JSON,   NOT_FOUND,   NOT_FOUND),
    ("state", "GET", ""):                                     everybody(OK),
    ("state", "POST", ""):                                    everybody(BAD_METHOD),
    ("device", "GET", ""):                                    everybody(OK),
    ("device", "POST", "keep"):                               everybody(MOVED),
    ("device", "POST", "forget"):                             everybody(MOVED),
    ("left", "GET", ""):                                      (MOVED,       MOVED,       OK),
    ("left", "POST", "open"):                                 everybody(MOVED),
    ("left", "POST", "forget"):                               everybody(MOVED),
    ("compare", "GET", ""):                                   everybody(OK),
    ("compare", "POST", ""):                                  everybody(BAD_METHOD),
    ("compare_change", "GET", ""):                            everybody(MOVED),
    ("compare_change", "POST", "put on"):                     (DONE,        DONE,        MOVED),
    ("compare_change", "POST", "take off"):                   (DONE,        MOVED,       MOVED),
    ("compare_sheet", "GET", ""):                             (OK,          LOGIN,       LOGIN),
    ("compare_sheet", "POST", ""):                            everybody(BAD_METHOD),
    ("recent", "GET", ""):                                    everybody(OK),
    ("recent", "POST", ""):                                   everybody(BAD_METHOD),
    ("recent_change", "GET", ""):                             everybody(MOVED),
    ("recent_change", "POST", "start"):                       (DONE,        DONE,        MOVED),
    ("saved_export", "GET", ""):                              everybody(OK),
    ("saved_export", "POST", ""):                             everybody(BAD_METHOD),
    ("lists", "GET", ""):                                     (OK,          OK,          LOGIN),
    ("lists", "GET", "json"):                                 (OK,          OK,          LOGIN_JSON),
    ("lists", "POST", ""):                                    (BAD_METHOD,  BAD_METHOD,  LOGIN),
    ("list_new", "GET", ""):                                  (OK,          OK,          LOGIN),
    ("list_new", "POST", "name"):                             (DONE,        DONE,        LOGIN),
    ("list_choose", "GET", "for tea"):                        (OK,          OK,          LOGIN),
    ("list_choose", "POST", "tea to A's list"):               (DONE,        NOT_FOUND,   LOGIN),
    ("list_choose", "POST", "tea to a new list"):             (DONE,        DONE,        LOGIN),
    ("list", "GET", ""):                                      (OK,          NOT_FOUND,   LOGIN),
    ("list", "GET", "json"):                                  (OK,          NOT_FOUND,   LOGIN_JSON),
    ("list", "POST", ""):                                     (BAD_METHOD,  BAD_METHOD,  LOGIN),
    ("list_edit", "GET", ""):                                 (OK,          NOT_FOUND,   LOGIN),
    ("list_edit", "POST", "name"):                            (DONE,        NOT_FOUND,   LOGIN),
    ("list_delete", "GET", ""):                               (OK,          NOT_FOUND,   LOGIN),
    ("list_delete", "POST", ""):                              (DONE,        NOT_FOUND,   LOGIN),
    ("list_delete", "POST", "json"):                          (DONE_JSON,   NOT_FOUND,   LOGIN_JSON),
    ("list_items", "GET", ""):                                everybody(MOVED),
    ("list_items", "POST", "add"):                            (DONE,        NOT_FOUND,   LOGIN),
    ("list_items", "POST", "change"):                         (DONE,        NOT_FOUND,   LOGIN),
    ("list_items", "POST", "remove"):                         (DONE,        NOT_FOUND,   LOGIN),
    ("list_items", "POST", "remove, json"):                   (DONE_JSON,   NOT_FOUND,   LOGIN_JSON),
    ("list_items", "POST", "move all"):                       (DONE,        NOT_FOUND,   LOGIN),
    ("list_items", "POST", "move all to B"):                  (NOT_FOUND,   NOT_FOUND,   LOGIN),
    ("list_items", "POST", "cart"):                           (DONE,        NOT_FOUND,   LOGIN),
    ("list_items", "POST", "undo"):                           (DONE,        NOT_FOUND,   LOGIN),
    ("list_share", "GET", ""):                                (OK,          NOT_FOUND,   LOGIN),
    ("list_share", "POST", "share"):                          (DONE,        NOT_FOUND,   LOGIN),
    ("list_share", "POST", "renew"):                          (DONE,        NOT_FOUND,   LOGIN),
    ("list_share", "POST", "revoke"):                         (DONE,        NOT_FOUND,   LOGIN),
    ("list_share", "POST", "free"):                           (DONE,        NOT_FOUND,   LOGIN),
    ("list_export", "GET", ""):                               (OK,          NOT_FOUND,   LOGIN),
    ("list_export", "POST", ""):                              (BAD_METHOD,  BAD_METHOD,  LOGIN),
    ("merge", "GET", ""):                                     (OK,          OK,          LOGIN),
    ("merge", "POST", "merge"):                               (DONE,        DONE,        LOGIN),
    ("merge", "POST", "apart"):                               (MOVED,       MOVED,       LOGIN),
    ("receipt", "GET", ""):                                   (OK,          NOT_FOUND,   LOGIN),
    ("receipt", "POST", ""):                                  (BAD_METHOD,  BAD_METHOD,  LOGIN),
    ("merge_undo", "GET", ""):                                (MOVED,       NOT_FOUND,   LOGIN),
    ("merge_undo", "POST", ""):                               (DONE,        NOT_FOUND,   LOGIN),
    ("ask", "GET", ""):                                       everybody(OK),
    ("ask", "GET", "about A's list"):                         (OK,          NOT_FOUND,   NOT_FOUND),
    ("ask", "GET", "about what is saved"):                    everybody(OK),
    ("ask", "POST", "ask about A's list"):                    (ASKED,       REFUSED,     REFUSED),
    ("ask", "POST", "ask"):                                   everybody(ASKED),
    ("ask_sent", "GET", ""):                                  everybody(OK),
    ("ask_sent", "POST", ""):                                 everybody(BAD_METHOD),
    ("api", "GET", ""):                                       everybody(OK),
    ("api", "POST", ""):                                      everybody(BAD_METHOD),
    ("api_wish_lists", "GET", ""):                            (OK,          OK,          LOGIN_JSON),
    ("api_wish_lists", "POST", ""):                           everybody(BAD_METHOD),
    ("api_wish_list", "GET", ""):                             (OK,          NOT_FOUND,   LOGIN_JSON),
    ("api_wish_list", "POST", ""):                            everybody(BAD_METHOD),
    ("api_list", "GET", ""):                                  everybody(OK),
    ("api_list", "POST", ""):                                 everybody(BAD_METHOD),
}

#: What takes the key of a link → who has none or a revoked one; with the link: a guest, another user, the owner.
LINK_ROWS: Mapping[Row, tuple[Answer, Answer, Answer, Answer]] = {
    ("shared", "GET", ""):                                    (NOT_FOUND, SHARED, SHARED, OK),
    ("shared", "POST", ""):                                   (BAD_METHOD, BAD_METHOD, BAD_METHOD, BAD_METHOD),
    ("shared_gift", "GET", ""):                               (MOVED, MOVED, MOVED, MOVED),
    ("shared_gift", "POST", "mark"):                          (NOT_FOUND, MARKED, MARKED, MOVED),
    ("shared_gift", "POST", "mark what came later"):          (NOT_FOUND, MOVED, MOVED, MOVED),
    ("shared_gift", "POST", "unmark"):                        (NOT_FOUND, MOVED, MOVED, MOVED),
    ("shared_gift", "POST", "cart"):                          (NOT_FOUND, MOVED, DONE, DONE),
    ("api_shared", "GET", ""):                                (NOT_FOUND, SHARED, SHARED, OK),
    ("api_shared", "POST", ""):                               (BAD_METHOD, BAD_METHOD, BAD_METHOD, BAD_METHOD),
}
# fmt: on

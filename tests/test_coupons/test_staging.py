"""Codes that a customer means to use, in a session (CO-12)."""

from __future__ import annotations

from typing import Any

import pytest

from coupons import codes
from coupons.exceptions import TypingError
from coupons.staging import prove, proven, stage, staged, unstage


def test_stage_once_and_take_away_again() -> None:
    """CO-12: as typed, kept in the stored form."""
    session: dict[str, Any] = {}
    one, two = codes.generate(), codes.generate()
    assert stage(session, codes.display(one).lower()) == one
    stage(session, two)
    stage(session, one)
    assert staged(session) == [one, two]
    unstage(session, codes.display(one))
    assert staged(session) == [two]
    unstage(session, two)
    assert session == {}


def test_nothing_is_written_for_what_is_not_there() -> None:
    """Reading is free: a session that is not changed is not saved."""
    session: dict[str, Any] = {}
    unstage(session, codes.generate())
    unstage(session, "nonsense")
    assert staged(session) == []
    with pytest.raises(TypingError):
        stage(session, "no")
    assert session == {}


def test_the_newest_ten_stay() -> None:
    """The session's size is bounded."""
    session: dict[str, Any] = {}
    made = [codes.generate() for _ in range(12)]
    for code in made:
        stage(session, code)
    assert staged(session) == made[2:]


@pytest.mark.parametrize("found", [None, "ABC", 7, {"a": 1}, [1, None, "CODE"]])
def test_whatever_lies_in_the_session_is_survivable(found: Any) -> None:
    """A session may be older than this version."""
    assert staged({"thankyou_coupons.staged": found}) in ([], ["CODE"])
    assert proven({"thankyou_coupons.proven": found}) in ([], ["CODE"])


def test_proofs_are_kept_apart_and_bounded() -> None:
    """CO-6: a code that was only typed proves nothing; the newest twenty proofs stay, the latest last."""
    session: dict[str, Any] = {}
    stage(session, codes.generate())
    assert proven(session) == []
    made = [codes.generate() for _ in range(22)]
    for code in made:
        prove(session, code)
    assert proven(session) == made[2:]
    prove(session, made[5])
    assert proven(session) == [*made[2:5], *made[6:], made[5]]


def test_a_proof_that_is_there_already_is_not_written_again() -> None:
    """A session that is not changed is not saved."""

    class Counted(dict[str, Any]):
        writes = 0

        def __setitem__(self, key: str, value: Any) -> None:
            self.writes += 1
            super().__setitem__(key, value)

    session = Counted()
    prove(session, "CODE")
    prove(session, "CODE")
    assert session.writes == 1

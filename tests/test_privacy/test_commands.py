"""The rights of a person at the terminal (EM-13)."""

from __future__ import annotations

import json
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from tests.test_privacy.world import EMAIL, MARKER, PROVED, make_person, tables_with
from thankyou_flows.models import Contact

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _proved(settings: Any) -> None:
    settings.THANKYOU_COUPONS = PROVED


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_an_export_is_written_to_the_terminal() -> None:
    """EM-13: JSON, by address."""
    make_person()
    out, err = run("export_person", "--email", EMAIL)
    assert json.loads(out)["asked_for"]["email"] == EMAIL
    assert err == ""


def test_an_export_goes_into_a_file_that_only_the_caller_reads(tmp_path: Path) -> None:
    """EM-13: by account; a file that is there is not replaced."""
    make_person()
    path = tmp_path / "person.json"
    out, _err = run("export_person", "--username", "user-N", "--output", str(path))
    assert "Written to" in out and MARKER not in out
    assert MARKER in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="is there already"):
        run("export_person", "--email", EMAIL, "--output", str(path))
    with pytest.raises(CommandError, match="cannot be written"):
        run("export_person", "--email", EMAIL, "--output", str(tmp_path / "no" / "person.json"))


@pytest.mark.parametrize("command", ["export_person", "erase_person"])
def test_errors_are_kind(command: str) -> None:
    """They say what to type."""
    for arguments, said in [
        ([], "Give --email, --username, or both"),
        (["--email", "no address"], "not an e-mail address"),
        (["--username", "nobody"], "no account with this name"),
    ]:
        with pytest.raises(CommandError, match=said):
            run(command, *arguments)


def test_erasure_asks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """EM-13: it cannot be undone, so it says what there is, and wants a word."""
    make_person()
    monkeypatch.setattr("builtins.input", lambda prompt: "no")
    with pytest.raises(CommandError, match="Nothing was erased"):
        run("erase_person", "--email", EMAIL)
    assert Contact.objects.exists()
    monkeypatch.setattr("builtins.input", lambda prompt: "Yes")
    out, _err = run("erase_person", "--email", EMAIL)
    assert "thankyou_flows.contact: 1\n" in out and out.endswith("Erased.\n")
    assert tables_with(MARKER) == set()


def test_erasure_without_asking_says_when_there_was_nothing() -> None:
    """EM-13: idempotent."""
    make_person()
    run("erase_person", "--email", EMAIL, "--yes")
    out, _err = run("erase_person", "--email", EMAIL, "--yes")
    assert out == "There was nothing to erase.\n"


def test_an_account_without_a_proved_address_is_explained(settings: Any) -> None:
    """CO-6: the caller hears why nothing was looked up by the address, and what to do."""
    settings.THANKYOU_COUPONS = {}
    get_user_model().objects.create_user("ann", EMAIL)
    _out, err = run("export_person", "--username", "ann")
    assert "has not proved an address" in err and "--email" in err

"""What is personal in the database: one table over all three apps, which export, erasure and the admin read (EM-13).

The rows of our own models are in ``known.py``. A shop adds its models in ``AppConfig.ready()``:

    from thankyou_flows.privacy.registry import Erasure, PersonalModel, register

    register(PersonalModel(
        model="shop.Review",
        find=lambda person: Q(author_id__in=person.user_ids),
        personal=("text",),
        erasure=Erasure.BLANK,
        blank={"text": "", "author_id": None},
        why=_("Stars stay, so that averages stay true; the words go."),
    ))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final

from django.apps import apps
from django.db.models import Model, Q, QuerySet

from .person import Person

#: Rows that one statement touches.
CHUNK: Final = 1_000


class Erasure(Enum):
    """What becomes of a person's rows when the person asks for erasure."""

    #: The rows go.
    DELETE = "delete"
    #: The rows stay as numbers; nothing in them leads to the person any more.
    BLANK = "blank"
    #: The rows stay; ``why`` says what makes that necessary, or that nothing in them is about the person alone.
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalModel:
    """A model with rows that belong to persons."""

    #: "app_label.Model". Ignored where that app is not installed.
    model: str
    #: How the rows of a person are found. Must not be true of everybody.
    find: Callable[[Person], Q]
    #: The fields that say who it is, or that the person wrote, or that were written about the person.
    personal: tuple[str, ...]
    erasure: Erasure
    #: In plain words for the owner: why the rows stay, or what goes with them.
    why: Any
    #: What the rows are called, in the plural; empty for what the model says.
    title: Any = ""
    #: For BLANK: which fields get which values.
    blank: Mapping[str, Any] = field(default_factory=dict)
    #: For what needs more than that: gets the primary keys, the person and the time, returns how many rows changed.
    erase: Callable[[Sequence[Any], Person, datetime], int] | None = None
    #: Fields that look personal and are not, and why.
    other: Mapping[str, str] = field(default_factory=dict)
    #: Fields that are not handed over, and why: keys and secrets that help nobody but a thief.
    left_out: Mapping[str, str] = field(default_factory=dict)
    #: Why the rows are not handed over at all; empty if they are.
    not_exported: str = ""
    #: Names of relations that ``more`` needs.
    related: tuple[str, ...] = ()
    #: What else is handed over with a row, in plain words.
    more: Callable[[Any], Mapping[str, Any]] | None = None

    @property
    def model_class(self) -> type[Model]:
        """The model itself. Raises LookupError where its app is not installed."""
        return apps.get_model(self.model)

    @property
    def plural(self) -> str:
        """What the rows are called."""
        return str(self.title or self.model_class._meta.verbose_name_plural)

    def rows(self, person: Person) -> QuerySet[Any]:
        """Return the rows of a person, in the order in which they were written.

        Asks the plain manager: an erasure must also reach rows that a model's own manager hides or protects.
        """
        condition = self.find(person)
        if not condition:
            raise ValueError(f"{self.model}: the condition would be true of everybody.")
        return self.model_class._base_manager.filter(condition).order_by("pk")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPersonal:
    """A model that holds nothing about a person, and why."""

    model: str
    why: str
    #: Fields that look personal and are not, and why.
    other: Mapping[str, str] = field(default_factory=dict)


Entry = PersonalModel | NotPersonal

_registered: dict[str, Entry] = {}


def register(entry: Entry) -> None:
    """Add a model of the shop. A later entry for the same model replaces the earlier one."""
    _registered[entry.model.lower()] = entry


def unregister(model: str) -> None:
    """Take a model out again; unknown ones are ignored."""
    _registered.pop(model.lower(), None)


def entries() -> dict[str, Entry]:
    """Return all entries by label in small letters, ours first: those of apps that are installed."""
    from .known import KNOWN

    found = {entry.model.lower(): entry for entry in KNOWN} | _registered
    return {label: entry for label, entry in found.items() if apps.is_installed(_app_of(label))}


def personal_models() -> Iterator[PersonalModel]:
    """Yield the models with rows of persons, in the order in which they are erased: what points at others first."""
    return (entry for entry in entries().values() if isinstance(entry, PersonalModel))


def _app_of(label: str) -> str:
    app_label = label.partition(".")[0]
    config = next((each for each in apps.get_app_configs() if each.label == app_label), None)
    return config.name if config is not None else ""

"""A kind of file: all that differs between what can be loaded, as one entry of `registry.KINDS`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Connection

from geo.database.schema.access import Role
from geo.ingestion.findings import Rule
from geo.ingestion.loading.choices import Choices
from geo.ingestion.loading.load import LoadOptions, LoadResult
from geo.ingestion.loading.observe import Progress
from geo.ingestion.suggesting.understand import Understanding

Of = TypeVar("Of", bound=Choices)

Fields = Sequence[tuple[str, Mapping[str, str]]]
"""What a column may hold: groups with a title, each from a field's name to its meaning."""


@dataclass(frozen=True)
class Asked:
    """A choice that a form asks for: whether it holds, a day, or one of `options`."""

    name: str
    label: str
    options: Mapping[str, str] = field(default_factory=dict)
    """From the value to its words; the empty value is no choice."""
    is_day: bool = False
    hint: str = ""
    when_sent: bool = False
    """Whether the form that sends a file asks for it too."""


@dataclass(frozen=True)
class Words:
    """What people read about a kind of file."""

    heading: str
    """Of the form that sends one."""
    label: str
    accepts: str
    """What a file may be, up to how large it may be."""
    effect: str
    """What becomes of what is there already."""
    column: str
    """What a column of one may hold: a settlement's column, a standard field."""
    loaded: str
    withdrawn: str
    for_steward: str
    """Why somebody who is no steward cannot decide."""
    before_withdrawing: str = ""
    """What stays when a file is taken back."""
    changes: Mapping[str, str] = field(default_factory=dict)
    """Counts of PlaceChanges that a preview shows, and what each is called."""


class Kind(ABC, Generic[Of]):
    """A kind of file that can be loaded.

    A round's upload is loaded into that round; any other belongs to the city. In the methods `row` is the upload as
    `geo.ingestion.uploads.find_upload` has it.
    """

    name: ClassVar[str]
    """Stored with each upload, and the `content` of a request: it never changes."""
    in_round: ClassVar[bool] = False
    """Whether a file goes into a survey round."""
    decided_by: ClassVar[Role] = "steward"
    """The least role that sends files and decides; what changes published figures is always a steward's."""
    choices: type[Of]
    rules: Mapping[str, Rule] = MappingProxyType({})
    """Findings of its own, beside those of `geo.ingestion.findings`."""
    findings: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    """What each of them says (`says`) and what to do about it (`do`)."""
    sentences: Mapping[str, str] = MappingProxyType({})
    """The words of messages of its own, by code."""
    asked: Sequence[Asked] = ()
    words: Words

    @property
    def remembered_as(self) -> str | None:
        """What tells the columns of such a file from the same columns of another kind."""
        return self.name

    @property
    @abstractmethod
    def fields(self) -> Fields:
        """What a column of such a file may hold, beside nothing."""

    def check(self, choices: Of) -> Sequence[str]:  # noqa: ARG002 (most kinds find nothing)
        """The code of a reason for each fault of what somebody said that columns hold, where each is a field."""
        return ()

    @abstractmethod
    def understand(self, path: Path, row: Any, choices: Of, max_rows: int | None) -> Understanding:
        """What is understood of a file that nobody described, which may have so many rows.

        Raises:
            InputError: the file cannot be read; the message says what to do.
        """

    @abstractmethod
    def used_columns(self, choices: Of) -> Mapping[str, str]:
        """The column that holds each field, as a file is read with these choices.

        Raises:
            ProfileInvalid: their mapping profile is none.
        """

    @abstractmethod
    def load(
        self, connection: Connection, path: Path, row: Any, choices: Of, options: LoadOptions, progress: Progress
    ) -> LoadResult:
        """Checks the rows of a file, and writes them so that they count.

        Raises:
            ErrorsFound: rows have errors, and they are not to be left out.
            InputError: the file cannot be used.
            NotFound: something is missing that has to be loaded before.
            Conflict: the file contradicts what is there.
        """

    @abstractmethod
    def lock(self, connection: Connection, row: Any) -> None:
        """Waits until nobody else changes what a file of it changed, before it is taken back."""

    @abstractmethod
    def take_back(self, connection: Connection, row: Any) -> None:
        """Makes the rows of an upload no longer count, and what they replaced count again.

        Raises:
            Conflict: others rest on them.
        """

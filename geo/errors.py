"""The error tree. A class's docstring is its default message; a message is one sentence for a data officer."""

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime


class VastiError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class SetupError(VastiError):
    """This machine or its configuration is not ready."""


class PostgisMissing(SetupError):
    """PostGIS is not installed on this machine."""


class DatabaseUnavailable(SetupError):
    """The database cannot be reached."""


class Busy(VastiError):
    """Too many are asking at once; try again in a few seconds."""


class StorageFull(VastiError):
    """There is no room left where files are kept. Nothing was loaded or lost; tell the operator, then try again."""


def is_full(error: Exception) -> bool:
    """Whether an error says that there is no room left to write."""
    return isinstance(error, StorageFull) or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)


class PortTaken(SetupError):
    """The port is already in use."""


class ServerUnavailable(SetupError):
    """The server cannot be reached."""


class AccessRefused(SetupError):
    """The server does not let us in."""


class SignInRefused(VastiError):
    """Nobody has signed in."""


class SignInLocked(SignInRefused):
    """Signing in with this address is not possible for a while."""

    def __init__(self, until: datetime) -> None:
        super().__init__(
            "The password has been wrong too often: signing in with this address is possible again at "
            f"{until.astimezone(UTC):%H:%M} UTC."
        )
        self.until = until


class NotAllowed(VastiError):
    """Your role does not allow this."""


class InputError(VastiError):
    """What was given cannot be used."""


class TooLarge(InputError):
    """What was sent is larger than the service takes."""

    def __init__(self, max_bytes: int) -> None:
        most = f"{max_bytes / 1_000_000:,.0f} MB" if max_bytes >= 1_000_000 else f"{max_bytes / 1_000:,.0f} KB"
        super().__init__(
            f"The upload is larger than the limit of {most}. Zip the file, or send it in parts (the resumable upload)."
        )


class UnreadableFile(InputError):
    """The file cannot be read."""


class ChoiceNeeded(UnreadableFile):
    """The file can be read once somebody says how."""

    def __init__(self, message: str | None = None, names: Sequence[str] = ()) -> None:
        """`names` are the layers there are to choose from, if that is the choice."""
        super().__init__(message)
        self.names = tuple(names)


class UnknownFormat(InputError):
    """The file's format is not one Vasti reads."""


class UnknownCRS(InputError):
    """The file does not say which coordinate reference system its positions use."""

    def __init__(self, message: str | None = None, likely: Sequence[str] = ()) -> None:
        """`likely` are those that would fit, as codes such as EPSG:32643, the likeliest first."""
        super().__init__(message)
        self.likely = tuple(likely)


class ProfileInvalid(InputError):
    """The mapping profile cannot be used."""


class FormInvalid(InputError):
    """The form cannot be used."""


class MissingColumn(InputError):
    """The file lacks a column the mapping profile names."""


class DefinitionInvalid(InputError):
    """The indicator definition cannot be used."""


class ExpressionInvalid(DefinitionInvalid):
    """The expression cannot be read."""

    def __init__(self, where: str, what: str, text: str, position: int | None, first_line: int | None = None) -> None:
        """`position` is where in the text it breaks; `first_line` the line of its file the text begins on, if any."""
        self.where, self.what, self.text, self.position = where, what, text, position
        place = ""
        if position is not None:
            line, column = _line_and_column(text, position)
            in_file = "" if first_line is None else f"; line {first_line + line - 1} of the file"
            place = f" (line {line}, column {column}{in_file})"
        super().__init__(f"{where} {what}{place}.")


def _line_and_column(text: str, position: int) -> tuple[int, int]:
    """Where a person finds a position. A text that begins below its quotes has its first line there."""
    skipped = len(text) - len(text.lstrip("\r\n"))
    before = text[min(skipped, position) : position]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


_LONGEST_QUOTE = 80


def shortened(text: str, most: int = _LONGEST_QUOTE) -> str:
    """A text that came from outside, as long as an error or a log may have it."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def quoted(values: Sequence[str]) -> str:
    """The first few of these values in quotes, each shortened, and the number of the others."""
    named = [repr(shortened(value)) for value in values[:_MOST_QUOTED]]
    more = [f"{len(values) - _MOST_QUOTED:,} more"] if len(values) > _MOST_QUOTED else []
    *first, last = [*named, *more]
    return f"{', '.join(first)} and {last}" if first else last


_MOST_QUOTED = 5
_MOST_PARAMETERS = 10


@dataclass(frozen=True)
class InvalidParameter:
    """One parameter that was refused: its name and the reason."""

    name: str
    reason: str


class InvalidParameters(InputError):
    """One or more parameters are not valid. The first few are told: what is told does not grow with what was sent."""

    def __init__(self, params: Sequence[InvalidParameter]) -> None:
        self.params = [
            InvalidParameter(shortened(p.name), shortened(p.reason, _LONGEST_REASON)) for p in params[:_MOST_PARAMETERS]
        ]
        said = "; ".join(f"{p.name}: {p.reason}" for p in self.params)
        more = len(params) - _MOST_PARAMETERS
        super().__init__(f"{said}; and {more:,} more" if more > 0 else said)


_LONGEST_REASON = 8_000


class AnswerUnusable(InputError):
    """What the server answered cannot be used."""


class NotFound(VastiError):
    """There is no such thing."""


class Conflict(VastiError):
    """This contradicts what is already there."""


class Locked(Conflict):
    """This is being worked on at the moment; try again in a little while."""


class FileHasErrors(InputError):
    """The file has errors, so nothing was loaded."""

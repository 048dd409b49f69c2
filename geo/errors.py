"""The error tree. An error is a code with parameters. Its words are in `geo.messages`."""

import errno
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from geo.messages import Audience, Message, Param, field_name, list_phrase, shortened


class VastiError(Exception):
    """Something went wrong."""

    default: ClassVar[str]
    """What is said where nothing else is, of the kinds that may say nothing else."""

    def __init__(self, said: str | Message | None = None, /, **params: Param) -> None:
        """`said` is a code of `data/messages`, whose parameters are given by name, or a message."""
        self.message = said if isinstance(said, Message) else Message(said or self.default, **params)
        super().__init__(self.message.code)

    @property
    def code(self) -> str:
        """What went wrong, for programs: it stays the same whatever the words."""
        return self.message.code

    @property
    def params(self) -> dict[str, Any]:
        """What its sentence is about, as JSON has it."""
        return self.message.params

    def say(self, audience: Audience = "command", language: str = "en") -> str:
        """What went wrong and what to do, in the reader's words."""
        return self.message.say(audience, language)

    def __str__(self) -> str:
        return self.say()


class Fault(ValueError):
    """What a validator found wrong with a value, as a clause for the error that names the value."""

    def __init__(self, code: str, /, **params: Param) -> None:
        self.message = Message(code, **params)
        super().__init__(code)

    def __str__(self) -> str:
        return self.message.say()


class SetupError(VastiError):
    """This machine or its configuration is not ready."""


class PostgisMissing(SetupError):
    """PostGIS is not installed on this machine."""


class DatabaseUnavailable(SetupError):
    """The database cannot be reached."""

    default = "database_unavailable"


class Busy(VastiError):
    """Too many are asking at once, or for too much."""

    default = "busy"


class StorageFull(VastiError):
    """There is no room left where files are kept."""

    default = "storage_full"


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
        super().__init__("sign_in_locked", until=until.astimezone(UTC))
        self.until = until


class NotAllowed(VastiError):
    """Your role does not allow this."""

    default = "role_too_low"


class InputError(VastiError):
    """What was given cannot be used."""


class TooLarge(InputError):
    """What was sent is larger than the service takes."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__("upload_too_large", max_bytes=max_bytes)


class UnreadableFile(InputError):
    """The file cannot be read."""


class ChoiceNeeded(UnreadableFile):
    """The file can be read once somebody says how."""

    def __init__(self, said: str | Message, names: Sequence[str] = (), /, **params: Param) -> None:
        """`names` are the layers there are to choose from, if that is the choice."""
        super().__init__(said, **params)
        self.names = tuple(names)


class UnknownFormat(InputError):
    """The file's format is not one Vasti reads."""


class UnknownCRS(InputError):
    """The file does not say which coordinate reference system its positions use."""

    def __init__(self, said: str | Message, likely: Sequence[str] = (), /, **params: Param) -> None:
        """`likely` are those that would fit, as codes such as EPSG:32643, the likeliest first."""
        super().__init__(said, **params)
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

    def __init__(
        self,
        where: str | Message,
        code: str,
        params: Mapping[str, Param],
        text: str,
        position: int | None,
        first_line: int | None = None,
    ) -> None:
        """`position` is where in the text it breaks; `first_line` the line of its file the text begins on, if any."""
        self.text = text
        self._code, self._params, self._position = code, params, position
        place = None
        if position is not None:
            line, column = _line_and_column(text, position)
            place = (
                Message("place_in_text", line=line, column=column)
                if first_line is None
                else Message("place_in_file", line=line, column=column, file_line=first_line + line - 1)
            )
        super().__init__(Message(code, where=where, place=place, **params))

    def called(self, where: Message, first_line: int | None = None) -> "ExpressionInvalid":
        """The same, with what the expression is called."""
        return ExpressionInvalid(where, self._code, self._params, self.text, self._position, first_line)


def _line_and_column(text: str, position: int) -> tuple[int, int]:
    """Where a person finds a position. A text that begins below its quotes has its first line there."""
    skipped = len(text) - len(text.lstrip("\r\n"))
    before = text[min(skipped, position) : position]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


_MOST_PARAMETERS = 10


class InvalidParameter:
    """One parameter that was refused: its name, and a message that says why."""

    def __init__(self, name: str, said: str | Message, /, **params: Param) -> None:
        self.name = shortened(name)
        self.message = said if isinstance(said, Message) else Message(said, **params)

    @property
    def reason(self) -> str:
        """Why, as a clause about the parameter, for programs and the command line."""
        return self.message.say("api")

    def say(self, audience: Audience, language: str = "en") -> str:
        """Which parameter and why, to be read alone."""
        label = field_name(self.name, audience, language)
        if self.message.is_said_apart(audience, language):
            return self.message.say(audience, language, parameter=label)
        reason = self.message.say(audience, language)
        return list_phrase("parameter", language, name=label, reason=reason)


class InvalidParameters(InputError):
    """One or more parameters are not valid. The first few are told: what is told does not grow with what was sent."""

    def __init__(self, invalid: Sequence[InvalidParameter]) -> None:
        self.invalid = invalid[:_MOST_PARAMETERS]
        super().__init__("parameters_invalid", names=[each.name for each in invalid])
        self._more = len(invalid) - len(self.invalid)

    def say(self, audience: Audience = "command", language: str = "en") -> str:
        """Each parameter and why, in the reader's words."""
        said = [each.say(audience, language) for each in self.invalid]
        if self._more:
            said.append(list_phrase("more_parameters", language, n=self._more))
        if audience == "page":
            return " ".join(each if each.endswith((".", "!", "?")) else f"{each}." for each in said)
        return "; ".join(said)


class AnswerUnusable(InputError):
    """What the server answered cannot be used."""


class NotFound(VastiError):
    """There is no such thing."""


class Conflict(VastiError):
    """This contradicts what is already there."""


class Locked(Conflict):
    """This is being worked on at the moment."""

    default = "locked"


class FileHasErrors(InputError):
    """The file has errors, so nothing was loaded."""

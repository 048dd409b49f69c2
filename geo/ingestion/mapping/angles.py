"""Angles: latitude and longitude in degrees, minutes and seconds, as telephones, maps and handheld GPS write them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Axis = Literal["latitude", "longitude"]

_LONGEST = 80
"""Letters of a cell that is looked at: two angles with words take half as many."""

_TOKEN = re.compile(r"\d+(?:[.,]\d+)?|''|[^\W\d_]+|\S")
_PARTS = 3
_MOST_DEGREES, _SIXTY = 180.0, 60.0

_DEGREE = frozenset("°º˚∘") | {"d", "deg", "degs", "degree", "degrees", "grados", "graus"}
_MINUTE = frozenset("'′’‘´`ʹ") | {"m", "min", "mins", "minute", "minutes", "minutos"}
_SECOND = frozenset('"″”“ʺ') | {"''", "sec", "secs", "second", "seconds", "seg", "segundos"}
_SECOND_OF_LETTERS = "s"
"""South as well, so that it means seconds only where the minutes are marked by a letter too."""
_MINUTE_LETTERS = frozenset({"m", "min", "mins"})
_APART = frozenset(",;/|")

# O is west in Spanish, Portuguese and French.
_HEMISPHERES: dict[str, tuple[Axis, int]] = {
    **dict.fromkeys(("n", "north", "norte", "nord"), ("latitude", 1)),
    **dict.fromkeys(("s", "south", "sur", "sul", "sud"), ("latitude", -1)),
    **dict.fromkeys(("e", "east", "este", "est", "leste"), ("longitude", 1)),
    **dict.fromkeys(("w", "o", "west", "oeste", "ouest"), ("longitude", -1)),
}
_AXES: dict[str, Axis] = {
    **dict.fromkeys(("lat", "latitude", "latitud"), "latitude"),
    **dict.fromkeys(("lon", "lng", "long", "longitude", "longitud"), "longitude"),
}


@dataclass(frozen=True)
class Angle:
    """One angle in degrees, and which of the two it says it is."""

    degrees: float
    axis: Axis | None
    is_marked: bool
    """Whether a sign for degrees or a letter for a hemisphere stands there, and not numbers alone."""


@dataclass
class _Draft:
    """An angle while it is being read."""

    parts: list[str] = field(default_factory=list)
    sign: int = 1
    axis: Axis | None = None
    has_letter: bool = False
    is_marked: bool = False
    is_closed: bool = False
    has_minute_letter: bool = False
    has_second_letter: bool = False

    def takes_number(self) -> bool:
        """Whether a further number is its minutes or seconds."""
        return not self.is_closed and len(self.parts) < _PARTS and all(part.isdecimal() for part in self.parts)

    def finish(self) -> Angle | None:
        """The angle, if its numbers make one."""
        if not self.parts or not (self.is_marked or len(self.parts) > 1):
            return None
        if not all(part.isdecimal() for part in self.parts[:-1]):
            return None
        degrees, *rest = (float(part.replace(",", ".")) for part in self.parts)
        if degrees > _MOST_DEGREES or any(part >= _SIXTY for part in rest):
            return None
        if any(len(re.split("[.,]", part)[0]) > 2 for part in self.parts[1:]):
            return None
        value = degrees + sum(part / _SIXTY**nth for nth, part in enumerate(rest, start=1))
        return Angle(self.sign * value, self.axis, self.is_marked)


def read_angle(text: str) -> float | None:
    """The degrees of a text that is one angle, such as `18°37'49.08"N`, `N 18 37.8180` or `73.8 E`; else None.

    A plain number is none: it says nothing of how it is written.
    """
    angles = _read(text)
    return angles[0].degrees if len(angles) == 1 else None


def read_angles(text: str) -> tuple[Angle, Angle] | None:
    """The two angles of a text that is a position, in the order in which they stand; else None.

    Numbers alone are none: they may be a latitude, a longitude, a height and an accuracy.
    """
    angles = _read(text)
    if len(angles) != 2 or not all(angle.is_marked for angle in angles):
        return None
    one, other = angles
    return None if one.axis is not None and one.axis == other.axis else (one, other)


def _read(text: str) -> list[Angle]:
    if len(text) > _LONGEST:
        return []
    drafts = list(_drafts(_TOKEN.findall(text.casefold())))
    angles = [draft.finish() if draft is not None else None for draft in drafts]
    whole = [angle for angle in angles if angle is not None]
    return whole if len(whole) == len(angles) else []


def _drafts(marks: list[str]) -> Iterator[_Draft | None]:
    """The angles as they are begun and closed; None for what is none."""
    draft = _Draft()
    for mark in marks:
        begins_anew = _begins_anew(mark, draft)
        if begins_anew and draft.parts:
            yield draft
            draft = _Draft()
        if not _take(mark, draft):
            yield None
            return
    if draft.parts or draft.has_letter:
        yield draft


def _begins_anew(mark: str, draft: _Draft) -> bool:
    """Whether a mark belongs to the next angle."""
    if mark[0].isdecimal():
        return not draft.takes_number()
    if _is_seconds(mark, draft):
        return False
    if mark in _HEMISPHERES:
        return draft.has_letter or draft.is_closed
    return mark in _AXES or (mark in "+-\u2212" and draft.is_closed)


def _is_seconds(mark: str, draft: _Draft) -> bool:
    may_be = draft.has_minute_letter and not draft.has_second_letter and len(draft.parts) == _PARTS
    return mark == _SECOND_OF_LETTERS and may_be


def _take(mark: str, draft: _Draft) -> bool:
    """Adds a mark to an angle; whether it can stand there."""
    n = len(draft.parts)
    if mark[0].isdecimal():
        draft.parts.append(mark)
    elif mark in _DEGREE:
        draft.is_marked = True
        return n == 1
    elif mark in _MINUTE:
        draft.has_minute_letter = mark in _MINUTE_LETTERS
        return n == 2
    elif mark in _SECOND or _is_seconds(mark, draft):
        draft.has_second_letter = True
        return n == _PARTS
    elif mark in _HEMISPHERES:
        axis, sign = _HEMISPHERES[mark]
        draft.axis, draft.has_letter, draft.is_marked = axis, True, True
        draft.sign = min(draft.sign, sign)
        draft.is_closed = n > 0
    elif mark in _AXES:
        draft.axis = _AXES[mark]
    elif mark in _APART:
        draft.is_closed = n > 0
    elif mark in "-\u2212" and n == 0:
        draft.sign = -1
    else:
        return mark in "+-:=.()[]"
    return True

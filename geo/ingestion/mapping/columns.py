"""Columns: those a mapping profile names, found in a file that may write their names otherwise."""

import difflib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from geo.base import fold_name
from geo.errors import MissingColumn
from geo.ingestion.mapping.made_columns import add_made_column, part_names
from geo.ingestion.reading import Layer, Note
from geo.messages import Message

DBF_NAME = 10
"""How many characters of a column's name a shapefile keeps; bytes, where its text is UTF-8."""


# A form tool joins group and question by one of these, as it joins question and choice; R makes points of them all.
_BETWEEN = re.compile("[/:.]")
# What a writer of shapefiles puts after a name that was cut to one already there: `_1` for GDAL, `1` for others.
_NUMBERED = re.compile(r"_?\d{1,2}$")


@dataclass(frozen=True)
class Wanted:
    """A column a profile names, and the standard field that is read from it."""

    column: str
    field: str
    multiple: bool = False
    """Whether it is a question with several answers, each of which may have a column of its own instead."""


@dataclass(frozen=True)
class Found:
    """A wanted column under the file's own name; None where only the columns of its choices are there."""

    column: str | None
    choices: Mapping[str, str] = field(default_factory=dict)
    """For a question with several answers: each choice that has a column of its own, and that column."""


def find_columns(
    wanted: Sequence[Wanted], layer: Layer, *, file_name: str, named_by: str | Message
) -> dict[str, Found]:
    """Each wanted column as the file has it; one that is not written exactly so is noted on the layer.

    A name is the same without regard to case, blanks and accents; then with or without the groups of its form; then
    cut short as in a shapefile. Of several that may be it none is taken: a wrong guess would be a wrong figure.
    `Ward + Number` is a column made of two, which the layer's batches then hold.

    Raises:
        MissingColumn: the file lacks one, or has several that may be it.
    """
    names = list(dict.fromkeys(each.column for each in wanted))
    taken = {name for name in names if name in layer.columns}
    multiple = {each.column for each in wanted if each.multiple}
    single = {each.column for each in wanted if not each.multiple}
    found: dict[str, Found] = {}
    written: dict[str, str] = {}
    missing = []
    for name in names:
        candidates = _candidates(name, layer.columns, taken)
        if candidates:
            own = written[name] = _only(candidates, name, file_name, named_by)
            found[name] = Found(own, _choices(own, layer.columns) if name in multiple else {})
            continue
        if parts := part_names(name):
            missing += _make(name, parts, layer, file_name, named_by)
            written[name], found[name] = name, Found(name)
            continue
        questions = _candidates(name, [*_questions(layer.columns), *layer.columns], taken) if name not in single else []
        if questions:
            written[name] = _only(questions, name, file_name, named_by)
            found[name] = Found(None, _choices(written[name], layer.columns))
        else:
            missing.append(name)
    if missing:
        raise _missing(missing, layer.columns, file_name, named_by)
    _check_distinct(found, file_name, named_by)
    for each in wanted:
        if written[each.column] != each.column:
            layer.notes.append(Note("column_matched", value=written[each.column], field=each.field))
    return found


def _make(name: str, parts: Sequence[str], layer: Layer, file_name: str, named_by: str | Message) -> list[str]:
    """Has the layer hold a column made of others; returns those it lacks."""
    of_parts = {part: _candidates(part, layer.columns, ()) for part in parts}
    lacking = [part for part, candidates in of_parts.items() if not candidates]
    if not lacking:
        add_made_column(layer, name, [_only(of_parts[part], part, file_name, named_by) for part in parts])
    return lacking


def names_present(names: Sequence[str], layer: Layer, *, beside: Collection[str] = ()) -> list[str]:
    """Those of some names for which the file has a column, or several that may be it; `beside` are names sought too."""
    taken = {name for name in (*names, *beside) if name in layer.columns}
    return [name for name in names if _candidates(name, layer.columns, taken)]


def find_others(names: Sequence[str], layer: Layer, *, file_name: str, named_by: str | Message) -> set[str]:
    """Columns somebody names that no field needs, as the file has them.

    Raises:
        MissingColumn: the file lacks one, or has several that may be it.
    """
    found = {name: _candidates(name, layer.columns, set(names) & set(layer.columns)) for name in names}
    missing = [name for name, candidates in found.items() if not candidates]
    if missing:
        raise _missing(missing, layer.columns, file_name, named_by)
    return {_only(candidates, name, file_name, named_by) for name, candidates in found.items()}


def _candidates(wanted: str, columns: Sequence[str], taken: Collection[str]) -> list[str]:
    """The columns that may be the wanted one, by the nearest rule that finds any."""
    if wanted in columns:
        return [wanted]
    folded = fold_name(wanted)
    same = [column for column in columns if folded and fold_name(column) == folded]
    if same:
        return same
    # A column another name stands for exactly is not this one.
    free = [column for column in columns if column not in taken]
    rules: tuple[Callable[[str, Sequence[str]], list[str]], ...] = (_otherwise_grouped, _cut_short)
    return next((found for rule in rules if (found := rule(wanted, free))), [])


def _otherwise_grouped(wanted: str, columns: Sequence[str]) -> list[str]:
    """`household/members` for `members` and the other way round; `household.members` and `X_uuid` from R."""
    folded = fold_name(wanted)
    without_groups = {fold_name(wanted[m.end() :]) for m in re.finditer("[/:]", wanted)} - {""}
    # R puts an X before a name that begins with anything but a letter.
    from_r = fold_name(f"X{wanted}") if wanted[:1] and not wanted[0].isalpha() else None
    return [
        column
        for column in columns
        if fold_name(column) in (without_groups | {from_r}) or folded in _within_groups(column, columns)
    ]


def _within_groups(column: str, columns: Sequence[str]) -> set[str]:
    """What a column's name is without its groups, from the outermost on."""
    tails = set()
    for mark in _BETWEEN.finditer(column):
        group = column[: mark.end()]
        # A point may also stand between the words of a question: a group has other questions.
        if mark.group() != "." or any(other.startswith(group) and not other.startswith(column) for other in columns):
            tails.add(fold_name(column[mark.end() :]))
    return tails - {""}


def _cut_short(wanted: str, columns: Sequence[str]) -> list[str]:
    """`pct_esgoto`, `pct_esgo_1` and `pct_esgot1` for `pct_esgoto_rede`, where all names are this short."""
    if any(len(column) > DBF_NAME for column in columns):
        return []
    ungrouped = _BETWEEN.split(wanted)[-1]
    return [column for column in columns if any(_is_cut(name, column) for name in {wanted, ungrouped})]


def _is_cut(name: str, column: str) -> bool:
    """Whether a column's name is the wanted one cut to ten, or cut further to make room for a number."""
    numbered = _NUMBERED.search(column)
    # The number is `_1`, `1` or, after nine others, `10`; the underscore of `_10` may belong to the name.
    suffixes = {"", *(numbered.group()[i:] for i in range(len(numbered.group())))} if numbered else {""}
    return any(_cuts(name, len(suffix)) & {fold_name(column.removesuffix(suffix))} for suffix in suffixes)


def _cuts(name: str, room: int) -> set[str]:
    """A name cut to what a shapefile keeps, less some room: by characters, and by bytes. None, if it is not cut."""
    kept = DBF_NAME - room
    by_bytes = name.encode()[:kept].decode(errors="ignore")
    return {fold_name(cut) for cut in (name[:kept], by_bytes) if len(name.encode()) > DBF_NAME} - {""}


def _questions(columns: Sequence[str]) -> list[str]:
    """The questions whose choices have columns: what stands before the last mark of each column."""
    return list(dict.fromkeys(column[: mark.start()] for column in columns if (mark := _last_mark(column))))


def _last_mark(column: str) -> re.Match[str] | None:
    marks = [mark for mark in _BETWEEN.finditer(column) if 0 < mark.start() < len(column) - 1]
    return marks[-1] if marks else None


def _choices(question: str, columns: Sequence[str]) -> dict[str, str]:
    """Each choice of a question, and its column."""
    return {
        column[len(question) + 1 :]: column
        for column in columns
        if len(column) > len(question) + 1 and column.startswith(question) and _BETWEEN.match(column[len(question)])
    }


def _only(candidates: list[str], wanted: str, file_name: str, named_by: str | Message) -> str:
    if len(candidates) > 1:
        raise MissingColumn(
            "column_ambiguous", file=file_name, column=wanted, named_by=named_by, candidates=_quoted(candidates)
        )
    return candidates[0]


def _check_distinct(found: Mapping[str, Found], file_name: str, named_by: str | Message) -> None:
    """Two names that one column may be by a loose rule are one too many, unless they are the same name."""
    owners: dict[str, str] = {}
    for name, each in found.items():
        if each.column is None:
            continue
        other = owners.setdefault(each.column, name)
        if fold_name(other) != fold_name(name):
            raise MissingColumn(
                "columns_indistinct",
                file=file_name,
                columns=_quoted([other, name]),
                named_by=named_by,
                candidate=each.column,
            )


def _missing(missing: list[str], columns: Sequence[str], file_name: str, named_by: str | Message) -> MissingColumn:
    by_fold = {fold_name(column): column for column in reversed(columns)}
    nearest = [
        by_fold[match]
        for name in missing
        for match in difflib.get_close_matches(fold_name(name), list(by_fold), n=3, cutoff=0.6)
    ]
    told = {"file": file_name, "columns": _quoted(missing), "named_by": named_by}
    if nearest:
        return MissingColumn("columns_missing_near", **told, nearest=_quoted(list(dict.fromkeys(nearest))))
    return MissingColumn("columns_missing", **told, known=columns)


def _quoted(names: Sequence[str]) -> list[str]:
    return [repr(name) for name in names]

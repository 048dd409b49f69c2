"""Writing a proposed mapping profile as TOML that a person can read, edit and use."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import tomlkit

from geo.base import fold
from geo.fields import standard_fields
from geo.ingestion.mapping import UNKNOWN, Meanings, Value, parse_profile
from geo.ingestion.mapping.profile import standard_answers
from geo.ingestion.suggesting.detail_hints import DetailHint
from geo.ingestion.suggesting.fits import ValueLine
from geo.ingestion.suggesting.proposal import Proposal, Suggestion
from geo.ingestion.suggesting.share_hints import ShareHint
from geo.messages import Message, say_clauses

_LINE_LENGTH = 110


def quote(text: str) -> str:
    """Any text as a TOML string on one line."""
    # JSON escapes as TOML does, but for the character DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def write_profile(proposal: Proposal) -> str:
    """The proposal as a mapping profile. What is unsure stands in comments, and counts once its `#` are removed."""
    lines = [*_head(proposal)]
    for section in ("position", "boundaries"):
        lines += _section(section, [s for s in proposal.suggestions if s.section == section], proposal)
    for suggestion in proposal.suggestions:
        if suggestion.section == "fields":
            lines += _field(suggestion)
    households = next((s.column for s in proposal.suggestions if s.target == "weight"), None)
    for hint in proposal.shares:
        lines += _share(hint, households)
    lines += _personal(proposal.personal)
    lines += _unmapped([column for column in proposal.unmapped if column not in proposal.personal])
    return "\n".join(lines) + "\n"


def add_answers(text: str, answers: Meanings, details: Meanings | None = None) -> str:
    """A mapping profile's text with what more answers mean, by standard field; its comments stay.

    `details` are those of columns that tell more of an answer. What it says of other answers stays too. A field it does
    not map is passed over.

    Raises:
        ProfileInvalid: it is no valid profile.
    """
    profile = parse_profile(text, "of the file")
    document = cast("dict[str, Any]", tomlkit.parse(text))
    for field, meanings in answers.items():
        if field in profile.fields:
            document["fields"][field]["values"] = _with(profile.fields[field].values, field, meanings)
    for field, meanings in (details or {}).items():
        for i, detail in enumerate(profile.fields[field].when if field in profile.fields else []):
            document["fields"][field]["when"][i]["values"] = _with(detail.values, field, meanings)
    return tomlkit.dumps(document)


def add_kept(text: str, keep: Sequence[str], leave_out: Sequence[str]) -> str:
    """A mapping profile's text with columns that are kept, and others that are not; its comments stay.

    Raises:
        ProfileInvalid: it is no valid profile.
    """
    profile = parse_profile(text, "of the file").choosing(keep, leave_out)
    document = tomlkit.parse(text)
    for name, columns in (("keep", profile.keep), ("leave_out", profile.leave_out)):
        if columns:
            document[name] = columns
        elif name in document:
            del document[name]
    return tomlkit.dumps(document)


def _with(values: Mapping[str, Value], field: str, meanings: Mapping[str, Value]) -> dict[str, Value]:
    """What answers mean, with what more mean; where none was listed, the standard ones were known."""
    said = {fold(answer) for answer in meanings}
    known = values or standard_answers(standard_fields()[field])
    return {answer: meaning for answer, meaning in known.items() if fold(answer) not in said} | dict(meanings)


def _head(proposal: Proposal) -> Iterator[str]:
    code = "profile_of_all_rows" if proposal.is_whole else "profile_of_first_rows"
    head = Message(code, rows=proposal.rows_read, file=quote(proposal.file_name))
    for said in (head, Message("profile_trust"), *proposal.notes):
        yield f"# {said}"
    yield f"name = {quote(proposal.name)}"
    yield f"title = {quote(proposal.title)}"


def _section(section: str, suggestions: list[Suggestion], proposal: Proposal) -> Iterator[str]:
    if not suggestions:
        return
    doubtful = any(
        s.confidence == "unsure" and s.target in ("settlement_code", "longitude", "latitude", "column")
        for s in suggestions
    )
    lacks_code = section == "boundaries" and not any(s.target == "settlement_code" for s in suggestions)
    mark = "# " if doubtful or lacks_code else ""
    yield ""
    yield f"{mark}[{section}]"
    for s in suggestions:
        own = mark or ("# " if s.confidence == "unsure" else "")
        yield f"{own}{s.target} = {quote(s.column)}   # {s.confidence}: {say_clauses(s.why)}"
    if section == "position":
        yield f"{mark}crs = {quote(proposal.crs)}"


def _field(suggestion: Suggestion) -> Iterator[str]:
    mark = "# " if suggestion.confidence == "unsure" else ""
    yield ""
    yield f"{mark}# {suggestion.confidence}: {say_clauses(suggestion.why)}"
    yield f"{mark}[fields.{suggestion.target}]"
    yield f"{mark}column = {quote(suggestion.column)}"
    if suggestion.plus:
        yield f"{mark}plus = [{', '.join(map(quote, suggestion.plus))}]"
    for key in ("format", "unit", "decimal"):
        if (given := getattr(suggestion, key)) is not None:
            yield f"{mark}{key} = {quote(given)}"
    if suggestion.separator is not None:
        prefer = ", ".join(_value(v) for v in suggestion.prefer)
        yield f"{mark}# {Message('profile_several_answers')}"
        yield f"{mark}multiple = {{ separator = {quote(suggestion.separator)}, prefer = [{prefer}] }}"
    if suggestion.values:
        yield from _values(suggestion, mark)
    for hint in suggestion.when:
        yield from _detail(suggestion.target, hint)


def _values(suggestion: Suggestion, mark: str) -> Iterator[str]:
    field = standard_fields()[suggestion.target]
    if any(line.value is None for line in suggestion.values) and field.codes:
        yield from _listed(f"{mark}# {Message('profile_choose_of')} ", [*field.codes, UNKNOWN], f"{mark}#   ")
    yield f"{mark}[fields.{suggestion.target}.values]"
    for line in suggestion.values:
        yield mark + _value_line(line)


def _detail(target: str, hint: DetailHint) -> Iterator[str]:
    """Only what is not unsure has details, so nothing here is a comment that counts later."""
    yield f"# likely: {Message('profile_detail')}"
    yield f"[[fields.{target}.when]]"
    yield f"answer = [{', '.join(map(quote, hint.answers))}]"
    yield f"column = {quote(hint.column)}"
    yield f"[fields.{target}.when.values]"
    for line in hint.values:
        yield _value_line(line)


def _share(hint: ShareHint, households: str | None) -> Iterator[str]:
    yield ""
    yield f"# # unsure: {hint.why}"
    yield f"# [shares.{hint.name}]"
    yield f"# kind = {quote(hint.kind)}"
    if hint.kind == "percent" and households is not None:
        yield f"# of = {quote(households)}"
    yield f"# [[shares.{hint.name}.parts]]"
    yield f"# column = {quote(hint.column)}"
    yield f"# answers = {{}}   # {Message('profile_share_answers')}"
    if hint.steps:
        steps = ", ".join(f"{quote(text)} = {_value(step)}" for text, step in hint.steps.items())
        yield f"# steps = {{ {steps} }}"


def _value_line(line: ValueLine) -> str:
    if line.value is None:
        return f'# {quote(line.text)} = ""' + (f"   # {line.remark}" if line.remark else "")
    return f"{quote(line.text)} = {_value(line.value)}" + (f"   # likely: {line.remark}" if line.remark else "")


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quote(value) if isinstance(value, str) else str(value)


def _personal(columns: Mapping[str, str]) -> Iterator[str]:
    if columns:
        yield ""
        yield f"# {Message('profile_personal')}"
        yield f"# {Message('profile_personal_keys')}"
        for column, holds in columns.items():
            yield f"#   {quote(column)}: {holds}"


def _unmapped(columns: list[str]) -> Iterator[str]:
    if columns:
        yield ""
        yield f"# {Message('profile_unmapped')}"
        yield from _listed("#   ", [quote(column) for column in columns], "#   ")


def _listed(start: str, words: list[str], indent: str) -> Iterator[str]:
    """Words in a row, on as many lines as they need."""
    line = start
    for i, word in enumerate(words):
        piece = word + ("," if i < len(words) - 1 else "")
        if len(line) + len(piece) > _LINE_LENGTH and line.strip("# "):
            yield line.rstrip()
            line = indent
        line += piece + " "
    yield line.rstrip()

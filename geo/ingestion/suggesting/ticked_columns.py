"""Choices: questions whose answers stand in a column of 0 and 1 for each, as KoboToolbox and ODK write them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from geo.fields import standard_fields
from geo.ingestion.mapping import ColumnEvidence, Vocabulary
from geo.ingestion.mapping.ticks import split_option
from geo.ingestion.mapping.vocabulary import NAMED

_TICKS = {"0", "1", "true", "false", "n/a", "na"}


def join_choices(
    columns: Mapping[str, ColumnEvidence], words: Vocabulary
) -> tuple[dict[str, str], dict[str, ColumnEvidence]]:
    """The columns of 0 and 1 that are choices of a question, by column; and the columns without them.

    A question that has no column of its own joins under its name, if its choices are answers to what it asks: a group
    of yes/no questions looks the same otherwise.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for column, seen in columns.items():
        question, choice = split_option(column)
        if question and choice and seen.counts and seen.share_where(lambda text: text.casefold() in _TICKS) == 1:
            groups[question].append(column)
    choices: dict[str, str] = {}
    joined: dict[str, ColumnEvidence] = {}
    for question, members in groups.items():
        if len(members) < 2 or (question not in columns and not _is_question(question, members, words)):
            continue
        choices |= dict.fromkeys(members, question)
        if question not in columns:
            counts = [(split_option(member)[1], _times_ticked(columns[member])) for member in members]
            first = columns[members[0]]
            joined[question] = ColumnEvidence(
                question, first.n_rows, first.n_given, len(counts), counts, is_choice=True
            )
    return choices, {column: seen for column, seen in columns.items() if column not in choices} | joined


def _is_question(question: str, members: Sequence[str], words: Vocabulary) -> bool:
    """Whether the choices are answers to a field the question's name means."""
    for claim in words.name_claims(question, is_cut=False):
        asked = standard_fields().get(claim.target)
        if asked is not None and asked.type == "code" and claim.strength >= NAMED:
            known = [words.answer(claim.target, split_option(member)[1]) for member in members]
            if sum(answer is not None for answer in known) >= len(known) / 2:
                return True
    return False


def _times_ticked(seen: ColumnEvidence) -> int:
    return sum(n for text, n in seen.counts if text.casefold() in ("1", "true"))

"""Proposed profiles held against profiles that are known to be right."""

import re
import tomllib
from dataclasses import dataclass, field

from geo.base import fold
from geo.ingestion.mapping import ColumnEvidence, Profile
from geo.ingestion.mapping.profile import value_table
from geo.ingestion.suggesting import Proposal, write_profile

_COMMENTED = re.compile(r"^# (?=(?:# |\[|[a-z_]+ = |\"))", re.MULTILINE)


def proposed_profile(proposal: Proposal) -> Profile:
    """The profile as it is read back from its text."""
    return Profile.model_validate(tomllib.loads(write_profile(proposal)))


def uncommented(text: str) -> str:
    """The text with one `#` taken off every line of a proposal that is unsure."""
    return _COMMENTED.sub("", text)


@dataclass
class Score:
    """How a proposal compares with the truth."""

    missing: list[str] = field(default_factory=list)
    wrong_sure: list[str] = field(default_factory=list)
    values_equal: int = 0
    values_total: int = 0


def compare(proposal: Proposal, truth: Profile) -> Score:
    """Fields not found, columns that are surely wrong, and how many of the file's answers mean the same."""
    score = Score()
    profile = proposed_profile(proposal)
    made = {s.target: s for s in proposal.suggestions if s.section == "fields"}
    for name, mapping in truth.fields.items():
        if name not in profile.fields or profile.fields[name].column != mapping.column:
            score.missing.append(name)
            continue
        if (profile.fields[name].format or "%Y-%m-%d") != (mapping.format or "%Y-%m-%d"):
            score.missing.append(name)
        if mapping.values:
            _compare_values(score, name, profile, truth, proposal.evidence.columns[mapping.column])
    for name, suggestion in made.items():
        if suggestion.confidence == "sure" and name in truth.fields and suggestion.column != truth.fields[name].column:
            score.wrong_sure.append(name)
    return score


def _compare_values(score: Score, name: str, profile: Profile, truth: Profile, seen: ColumnEvidence) -> None:
    ours, theirs = value_table(name, profile.fields[name]), value_table(name, truth.fields[name])
    for text in {fold(text) for text, _ in seen.counts} & set(theirs):
        score.values_total += 1
        score.values_equal += text in ours and ours[text] == theirs[text]

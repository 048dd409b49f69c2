"""Questions whose detail stands in a second column: how a profile's `when` is read, and how it is proposed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from geo.errors import ProfileInvalid
from geo.ingestion.findings import Findings
from geo.ingestion.mapping import Mapper, parse_profile
from geo.ingestion.reading import ReadOptions, open_layer
from geo.ingestion.suggesting import DETAIL, NOTHING, Proposal, suggest_profile, write_profile
from geo.ingestion.suggesting.profile_text import add_answers
from geo.messages import say_clauses
from tests.support import factories as f
from tests.support.suggested import proposed_profile

TOILETS = """
name = "details"
[fields.toilet_type]
column = "toilet"
values = { "Flush" = "flush_unknown", "Other" = "other", "Bush" = "none" }
[[fields.toilet_type.when]]
answer = "Flush"
column = "goes to"
values = { "Tank" = "flush_septic", "Creek" = "flush_open", "no idea" = "unknown" }
[[fields.toilet_type.when]]
answer = ["Other", "Pit"]
column = "which"
values = { "slab" = "pit_slab" }
"""


def _write(folder: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return f.write_csv(folder / "survey.csv", rows)


def _mapped(folder: Path, columns: Mapping[str, Sequence[object]], profile: str) -> tuple[list[object], Findings]:
    findings = Findings()
    with open_layer(_write(folder, columns), ReadOptions()) as layer:
        mapper = Mapper(layer, parse_profile(profile, "test"), ReadOptions(), "survey.csv")
        (batch,) = layer.batches
        return mapper.map(batch, findings).fields["toilet_type"].to_pylist(), findings


def test_a_detail_decides_where_it_says_anything(tmp_path: Path) -> None:
    columns = {
        "toilet": ["flush", "Flush", "Flush", "Flush", "Bush", "Other", "Pit", "Pit", "Flush"],
        "goes to": ["Tank", "creek ", "no idea", "", "Tank", "Tank", "", "", "the moon"],
        "which": ["", "", "", "", "", "SLAB", "slab", "", "slab"],
    }
    told, findings = _mapped(tmp_path, columns, TOILETS)
    assert told == [
        *("flush_septic", "flush_open", "flush_unknown", "flush_unknown", "none", "pit_slab", "pit_slab"),
        *(None, "flush_unknown"),
    ]
    assert [(group.code, group.values, group.rows) for group in findings.groups()] == [
        ("detail_unmapped", ("the moon",), (10,)),
        ("value_unmapped", ("Pit",), (9,)),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('column = "n"\n[[fields.members.when]]\nanswer = "a"\ncolumn = "b"', "when is for coded and yes/no fields"),
        ('column = "n"\n[[fields.drainage.when]]\nanswer = []\ncolumn = "b"', "drainage"),
        ('column = "n"\n[[fields.drainage.when]]\nanswer = "a"\ncolumn = "b"\nvalues = {c = "sea"}', "'sea' stands"),
        ('column = "n"\nmultiple = {}\n[[fields.drainage.when]]\nanswer = "a"\ncolumn = "b"', "do not go together"),
    ],
)
def test_a_detail_that_cannot_be_is_refused(text: str, says: str) -> None:
    field = "members" if "fields.members" in text else "drainage"
    with pytest.raises(ProfileInvalid, match=says):
        parse_profile(f'name = "x"\n[fields.{field}]\n{text}', "test")


def test_add_answers_keeps_what_details_say() -> None:
    text = add_answers(TOILETS, {"toilet_type": {"Pit": "pit_no_slab"}}, {"toilet_type": {"Creek": "flush_septic"}})
    mapping = parse_profile(text, "test").fields["toilet_type"]
    assert mapping.values["Pit"] == "pit_no_slab"
    assert [detail.values.get("Creek") for detail in mapping.when] == ["flush_septic", "flush_septic"]
    assert mapping.when[0].values["Tank"] == "flush_septic"


def _suggest(folder: Path, columns: Mapping[str, Sequence[object]], **said: Mapping[str, object]) -> Proposal:
    return suggest_profile(_write(folder, columns), ReadOptions(), **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("columns", "field", "answers", "values"),
    [
        (
            {
                "tipo_bano": ["Inodoro", "Letrina con losa", "Inodoro", "Inodoro"],
                "a donde desagua el inodoro": ["zanja", "", "fosa séptica", ""],
            },
            "toilet_type",
            ["Inodoro"],
            {"zanja": "flush_open", "fosa séptica": "flush_septic"},
        ),
        (
            {
                "water_source": ["Borehole", "other", "other", "Tanker"],
                "water_source_other": ["", "River", "rain water", ""],
            },
            "water_source",
            ["other"],
            {"River": "surface", "rain water": "rainwater"},
        ),
        (
            {
                "water/source": ["borehole", "other", "other", "tanker"],
                "water/source_specify": ["", "kiosk", "a friend", ""],
            },
            "water_source",
            ["other"],
            {"kiosk": "kiosk"},
        ),
    ],
)
def test_suggest_reads_a_second_column_with_its_question(
    columns: Mapping[str, Sequence[object]],
    field: str,
    answers: list[str],
    values: Mapping[str, str],
    tmp_path: Path,
) -> None:
    proposal = _suggest(tmp_path, columns)
    (made,) = [s for s in proposal.suggestions if s.target == field]
    assert made.confidence == "likely"
    (detail,) = proposed_profile(proposal).fields[field].when
    assert (detail.answers(), detail.column, detail.values) == (answers, list(columns)[1], values)
    assert list(columns)[1] not in proposal.unmapped


OTHERS: Mapping[str, Sequence[object]] = {
    "toilet type": ["Flush toilet", "Pit with slab", "Bush", "Flush toilet"],
    "why no toilet": ["", "", "no money", ""],
    "toilet built in": ["", "2019", "", "2020"],
    "toilet shared": ["yes", "no", "", "no"],
}


def test_suggest_reads_no_other_column_with_a_question(tmp_path: Path) -> None:
    proposal = _suggest(tmp_path, OTHERS)
    assert proposed_profile(proposal).fields["toilet_type"].when == []


def test_an_answer_that_its_detail_decides_is_never_sure(tmp_path: Path) -> None:
    """Where it flushes to, and what "other" is, decides; that it is not known is an answer."""
    for answer, trust in (("Flush toilet", "likely"), ("Other", "likely"), ("Flush to don't know where", "sure")):
        made = _suggest(tmp_path, {"toilet type": [answer, "Bush", "Pit with slab"]}).suggestions
        assert [(s.target, s.confidence) for s in made] == [("toilet_type", trust)], answer
    codes = _suggest(tmp_path, {"toilet_type": ["flush_unknown", "other", "none"]}).suggestions
    assert [s.confidence for s in codes] == ["sure"]


def test_a_guessed_answer_is_never_sure_until_it_is_said(tmp_path: Path) -> None:
    columns = {"water source": ["Borehole", "The protected well nearby"]}
    (made,) = _suggest(tmp_path, columns).suggestions
    assert (made.confidence, "The protected well nearby" in say_clauses(made.why)) == ("likely", True)
    answers = {"water_source": {"the protected well  nearby": "protected_well"}}
    (made,) = _suggest(tmp_path, columns, answers=answers).suggestions
    assert made.confidence == "sure"


def test_what_a_person_says_of_a_second_column_goes_first(tmp_path: Path) -> None:
    columns = {
        "toilet type": ["Flush toilet", "Bush", "Flush toilet"],
        "c17": ["", "", ""],
        "c18": ["", "", ""],
        "c19": ["Creek", "Tank", "Hole"],
    }
    assert proposed_profile(_suggest(tmp_path, columns)).fields["toilet_type"].when == []
    details = {"toilet_type": {"Creek": "flush_open", "Hole": "flush_pit"}}
    said = _suggest(tmp_path, columns, said={"c19": DETAIL}, details=details)
    (detail,) = proposed_profile(said).fields["toilet_type"].when
    assert (detail.answers(), detail.values) == (["Flush toilet"], {"Creek": "flush_open", "Hole": "flush_pit"})
    named = {**columns, "where does it flush to": ["Sewer", "", "Pit"]}
    assert proposed_profile(_suggest(tmp_path, named)).fields["toilet_type"].when
    left = _suggest(tmp_path, named, said={"where does it flush to": NOTHING})
    assert "when" not in write_profile(left)

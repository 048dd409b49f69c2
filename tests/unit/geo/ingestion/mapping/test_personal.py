"""Columns about persons are told by name and by shape, in several languages, and others are not."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from geo.ingestion.findings import Findings
from geo.ingestion.mapping import Mapper, Profile, parse_profile, vocabulary
from geo.ingestion.mapping.personal import personal_kind
from geo.ingestion.reading import ReadOptions, open_layer
from geo.ingestion.suggesting.profile_text import add_kept
from tests.support import factories as f
from tests.support.columns import seen_column

NAMES = ["Ana Made-Up", "Belo Invented", "Cito Nobody", "Dana Example"]
PHONES = ["+000 555 0100", "+000 555 0101", "+000 555 0102"]


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("Sender IP", ["192.0.2.10", "192.0.2.11"], "network"),
        ("c17", ["192.0.2.10", "2001:db8::1"], "network"),
        ("Mobile no. of respondent", PHONES, "telephone"),
        ("c18", PHONES, "telephone"),
        ("q9", ["555-555-0100", "(555) 555-0101"], "telephone"),
        ("celular del jefe", ["5550100100", "5550100101"], "telephone"),
        ("E-mail", ["a@example.org", "b@example.org"], "email"),
        ("c19", ["a@example.org", "b@example.org"], "email"),
        ("National ID number", ["XX-70000-Z", "XX-70013-Z"], "identity"),
        ("CPF", ["000.000.000-00", "111.111.111-11"], "identity"),
        ("c20", ["000.000.000-00", "111.111.111-11"], "identity"),
        ("DNI", ["12345678", "87654321"], "identity"),
        ("deviceid", ["dev-1000", "dev-1001"], "device"),
        ("meta/deviceid", ["ee.example:abc", "ee.example:abd"], "device"),
        ("Interviewer name", ["Ana Made-Up", "Ana Made-Up", "Belo Invented"], "interviewer"),
        ("_submitted_by", ["ana", "ana", "belo"], "interviewer"),
        ("Enquêteur", ["Ana", "Ana"], "interviewer"),
        ("encuestadora", ["Ana", "Ana"], "interviewer"),
        ("How to find the house", ["blue door, third after the pump", ""], "address"),
        ("Dirección exacta", ["Calle 1"], "address"),
        ("Dirección", ["Calle 1"], "address"),
        ("endereço", ["Rua 1"], "address"),
        ("Name of head", NAMES, "name"),
        ("respondent/first_name", NAMES, "name"),
        ("Nombre del jefe de hogar", NAMES, "name"),
        ("nome do responsável", NAMES, "name"),
        ("Nom du chef de ménage", NAMES, "name"),
        ("mukhiya ka naam", NAMES, "name"),
        ("name", NAMES, "name"),
        ("Owner", NAMES, "name"),
        ("phone", [], "telephone"),
        ("Father's name", NAMES, "name"),
        ("Father/Husband name", NAMES, "name"),
        ("What is your name?", NAMES, "name"),
        ("Contact person", NAMES, "name"),
        ("Contact person", PHONES, "telephone"),
        ("Tel:", ["5550100100"], "telephone"),
        ("nom de l'enquêteur", ["Ana", "Ana"], "interviewer"),
        ("Signature of respondent", ["1705.png"], "signature"),
        # None of them is about a person.
        ("settlement_name", NAMES, None),
        ("name of the water point", NAMES, None),
        ("Ward name", NAMES, None),
        ("Do you own a mobile phone", ["yes", "no"], None),
        ("phone", ["yes", "no", "yes"], None),
        ("number of phones", ["1", "2", "0"], None),
        ("national id", ["yes", "no", "no"], None),
        ("owner", ["yes", "no", "no"], None),
        ("respondent", ["head", "spouse", "head", "head", "spouse", "head"], None),
        ("name", ["Navjeevan", "Navjeevan", "Navjeevan", "Sainath", "Sainath"], None),
        ("visited on", ["2024-01-15", "2024-01-16"], None),
        ("latitude of the house", ["18.6303", "18.6304"], None),
        ("income", ["12000", "9500", "8000"], None),
        ("toilet photo", ["1705.jpg", "1706.jpg"], None),
        ("tap code", ["12-345-6", "12-346-7"], None),
    ],
)
def test_personal_kind(name: str, values: Sequence[str], kind: str | None) -> None:
    assert personal_kind(seen_column(name, values), vocabulary()) == kind


COLUMNS = {
    "household_code": ["h1", "h2", "h3"],
    "members": [3, 4, 5],
    "Mobile no.": PHONES,
    "email": ["", "", "a@example.org"],
    "wall colour": ["blue", "red", "blue"],
}


def _extra(folder: Path, profile: str) -> tuple[list[str | None], Mapper]:
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]
    path = f.write_csv(folder / "survey.csv", rows)
    with open_layer(path, ReadOptions()) as layer:
        text = f'name = "p"\n{profile}\n[fields.household_code]\ncolumn = "household_code"'
        mapper = Mapper(layer, parse_profile(text, "test"), ReadOptions(), path.name)
        (batch,) = layer.batches
        mapped = mapper.map(batch, Findings())
        assert mapped.extra is not None
        return mapped.extra.to_pylist(), mapper


def test_what_is_about_persons_is_not_kept_and_named_once(tmp_path: Path) -> None:
    (first, *_), mapper = _extra(tmp_path, "")
    assert first == '{"members":"3","wall colour":"blue"}'
    note = mapper.personal.note()
    assert note is not None
    assert (note.code, note.value) == ("personal_left_out", "Mobile no. (telephone number); email (e-mail address)")


def test_a_profile_keeps_and_leaves_out_any_column(tmp_path: Path) -> None:
    (first, *_), mapper = _extra(tmp_path, 'keep = ["mobile no"]\nleave_out = ["Wall colour", "members"]')
    assert first == '{"Mobile no.":"+000 555 0100"}'
    note = mapper.personal.note()
    assert note is not None
    assert note.value == "email (e-mail address)"


def test_what_is_kept_and_left_out_goes_into_the_profiles_text() -> None:
    text = add_kept('# mine\nname = "p"\nkeep = ["a"]\n[fields.members]\ncolumn = "n"\n', ["b"], ["a", "c"])
    profile = parse_profile(text, "test")
    assert (profile.keep, profile.leave_out, profile.fields["members"].column) == (["b"], ["a", "c"], "n")
    assert text.startswith("# mine")
    back = parse_profile(add_kept(text, ["a", "c"], []), "test")
    assert (back.keep, back.leave_out) == (["b", "a", "c"], [])
    assert Profile(name="p", keep=["a"]).choosing(["b"], ["a"]).keep == ["b"]

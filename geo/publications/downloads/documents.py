"""What stands beside the figures of a publication: methods, licence and citation."""

import json
from collections.abc import Iterator
from importlib.resources import files

from geo.messages import Message
from geo.publications.downloads.cited import Cited

_OPEN_LICENCES = frozenset(
    {
        *("CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0"),
        *("CC-BY-NC-ND-4.0", "ODbL-1.0", "ODC-By-1.0", "PDDL-1.0"),
    }
)
"""Licences of data by their SPDX names, which are the ones a citation file may hold."""

_TEX = str.maketrans({letter: f"\\{letter}" for letter in "&%$#_{}"} | {"\\": "", "~": " ", "^": ""})


def methods() -> str:
    """How figures are made and protected, in short."""
    return files("data").joinpath("downloads/METHODS.md").read_text(encoding="utf-8")


def licence(cited: Cited) -> str:
    """The licence of the figures, or that none was given."""
    if cited.licence is None:
        said = Message("download_licence_missing", organisation=cited.organisation_name)
    elif cited.licence_url is None:
        said = Message("download_licence", licence=cited.licence, organisation=cited.organisation_name)
    else:
        said = Message(
            "download_licence_at", licence=cited.licence, organisation=cited.organisation_name, url=cited.licence_url
        )
    return f"{said.say()}\n"


def citation_cff(cited: Cited) -> str:
    """How the figures are cited, as a Citation File (CFF 1.2.0)."""
    return "".join(f"{line}\n" for line in _cff(cited))


def _cff(cited: Cited) -> Iterator[str]:
    yield "cff-version: 1.2.0"
    yield f"message: {_quoted(Message('download_cite').say())}"
    yield "type: dataset"
    yield f"title: {_quoted(cited.title)}"
    yield "authors:"
    yield f"  - name: {_quoted(cited.organisation_name)}"
    yield f"version: {_quoted(cited.version)}"
    yield f"date-released: {cited.made_at:%Y-%m-%d}"
    yield "identifiers:"
    yield "  - type: other"
    yield f"    value: {_quoted(f'sha256:{cited.sha256}')}"
    yield f"    description: {_quoted(Message('download_digest').say())}"
    if cited.licence in _OPEN_LICENCES:
        yield f"license: {cited.licence}"
    if cited.address:
        yield f"url: {_quoted(cited.address)}"


def _quoted(text: str) -> str:
    """A text as YAML, of which JSON is a part."""
    return json.dumps(text, ensure_ascii=False)


def citation_bib(cited: Cited) -> str:
    """How the figures are cited, for BibTeX."""
    fields = {
        "title": f"{{{_tex(cited.title)}}}",
        "author": f"{{{_tex(cited.organisation_name)}}}",
        "year": f"{cited.made_at:%Y}",
        "version": _tex(cited.version),
        "note": f"sha256 of figures.csv: {cited.sha256}",
    }
    if cited.address:
        fields["url"] = cited.address
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@misc{{{cited.city}-{cited.survey}-{cited.number},\n{lines}}}\n"


def _tex(text: str) -> str:
    return text.translate(_TEX)


def notes(cited: Cited) -> list[tuple[str, str]]:
    """What the workbook says of its figures, as names and texts."""
    return [
        ("title", cited.title),
        ("organisation", cited.organisation_name),
        ("city", cited.city),
        ("survey", cited.survey),
        ("starts_on", cited.starts_on.isoformat()),
        ("ends_on", cited.ends_on.isoformat()),
        ("publication", str(cited.number)),
        ("made_at", cited.made_at.isoformat(timespec="seconds")),
        ("sha256 of figures.csv", cited.sha256 or ""),
        ("licence", licence(cited).strip()),
        ("groups", Message("download_groups").say()),
        ("withheld", Message("download_withheld").say()),
    ]

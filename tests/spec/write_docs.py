"""Writes docs/indicators.md from the catalogue and the worked examples, and docs/columns.md: `make docs`."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from geo.indicators.definitions import Definition, catalogue
from tests.spec import write_columns
from tests.spec.outcomes import Outcome
from tests.spec.worked_examples import DISTANCES, EXAMPLES, DistanceExample, Example
from tests.support.project import ROOT

PAGE = ROOT / "docs" / "indicators.md"

SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "Toilets and sanitation": (
        "household_toilet",
        "household_toilet_working",
        "community_toilet_use",
        "sanitation_safely_managed",
        "sanitation_basic",
        "sanitation_limited",
        "sanitation_unimproved",
        "open_defecation",
        "sanitation_improved",
    ),
    "Water": ("water_basic", "water_limited", "water_unimproved", "water_surface", "water_on_premises"),
    "Hygiene": ("hygiene_basic",),
    "Drainage": ("drainage_any", "drainage_closed"),
    "Electricity": ("electricity_access", "electricity_formal"),
    "Waste": ("waste_collected",),
    "Housing": ("overcrowded", "not_durable"),
    "Tenure": ("tenure_documented", "tenure_secure"),
    "Slum and poverty": ("slum_household", "slum_severity", "mpi_headcount", "mpi_intensity", "mpi_adjusted"),
    "Connectivity": ("internet_home",),
    "Density": ("density_persons", "density_households"),
    "Facilities": ("seat_load", "toilet_distance", "water_point_distance"),
}

INTRODUCTION = """\
# Indicators

What Vasti counts, how, and why. `make docs` writes this page from the definitions in `data/catalogue/indicators/` and
from worked examples that the tests hold true. How answers become figures, with their intervals, and which figures are
withheld, is told in [methods.md](methods.md); what each field may hold is in `data/catalogue/fields.toml`.

How to read it:

- Every indicator counts the households that were interviewed (the result of the visit is `completed`, or not given),
  and of these its **base**, where it has one.
- **Counted** says what the headline figure is a share of: households, or the people who live in them. Where it says
  both, either can be asked for.
- A missing answer is **unknown**, never a no. Where one missing answer leaves the outcome open, so is the household;
  where the other answers decide, it does not matter. How many are unknown stands beside every figure.
- The **rungs of a ladder** share out the same households. Where all answers are known they add up to 100 %.
- Conditions are OGC CQL2 text over the standard fields, read as SQL reads them: `AND` and `OR` with an unknown part
  are unknown unless the other part decides.
- Households **without the service** are given with every figure of a good thing, those with it with every figure of a
  bad one: they have no indicator of their own.
"""

DIRECTIONS = {
    "up": "higher is better",
    "down": "lower is better",
    "report": "neither way: it describes how people live",
}

NUMERATORS = {"density": "Who is counted", "seat_load": "Who relies on the facilities"}
"""What the numerator is called, where it is not one of a share."""

WIDTH = 120


def page() -> str:
    """The whole page."""
    return "\n\n".join([INTRODUCTION.strip(), "## Contents", _contents(), *_subjects()]) + "\n"


def _contents() -> str:
    lines = []
    for subject, indicators in SUBJECTS.items():
        links = ", ".join(_link(catalogue()[i]) for i in indicators)
        lines.append(f"- **[{subject}](#{_anchor(subject)})**: {links}")
    return "\n".join(lines)


def _link(definition: Definition) -> str:
    return f"[{definition.id}](#{_anchor(definition.name)})"


def _anchor(heading: str) -> str:
    """What a heading is linked by, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _subjects() -> Iterator[str]:
    told: dict[tuple[str, ...], Definition] = {}
    for subject, indicators in SUBJECTS.items():
        yield f"## {subject}"
        for indicator in indicators:
            definition = catalogue()[indicator]
            yield f"### {definition.name}"
            yield f"`{definition.id}`, version {definition.version}"
            yield _wrapped(definition.description)
            yield _wrapped(f"*Why it matters.* {definition.why}")
            yield "\n".join(_wrapped(fact, "  ") for fact in _facts(definition))
            yield from _conditions(definition, told)
            if indicator in EXAMPLES:
                yield from _example(definition, EXAMPLES[indicator])
            else:
                yield from _distance_example(definition, DISTANCES[indicator])


def _facts(definition: Definition) -> Iterator[str]:
    yield f"- **Direction:** {DIRECTIONS[definition.direction]}"
    if definition.is_tallied:
        levels = ["people" if level == "persons" else level for level in definition.counted_levels()]
        yield f"- **Counted:** {'; also '.join(levels)}"
    yield f"- **Unit:** {_unit_in_words(definition)}"
    yield f"- **Unknown answers:** {_unknown_in_words(definition)}"
    if definition.ladder:
        rungs = (rung for ids in SUBJECTS.values() for rung in ids if catalogue()[rung].ladder == definition.ladder)
        others = [f"`{rung}`" for rung in rungs if rung != definition.id]
        yield f"- **Ladder:** a rung of the {definition.ladder} ladder, with {', '.join(others)}"
    if definition.facility:
        yield f"- **Facilities:** `{definition.facility}`"
    fields = ", ".join(f"`{name}`" for name in definition.fields)
    yield f"- **Fields:** {fields or 'none: it needs the boundary and the facilities'}"
    yield f"- **Source:** {definition.source}"


def _unit_in_words(definition: Definition) -> str:
    return {"index": "an index from 0 to 1", "m": "metres"}.get(definition.unit, definition.unit)


def _unknown_in_words(definition: Definition) -> str:
    if definition.measure == "distance":
        return "none: it asks nobody anything"
    if definition.measure == "density":
        return "kept apart; [methods.md](methods.md) tells how residents are estimated"
    if definition.unknown == "excluded":
        return "left out, neither yes nor no"
    counting = "count as without" if definition.direction == "up" else "are not counted on this rung"
    return f"stay in the base and {counting}, as MICS tabulates the JMP's indicators"


def _conditions(definition: Definition, told: dict[tuple[str, ...], Definition]) -> Iterator[str]:
    """The expressions; of deprivations told before, where."""
    if definition.base:
        yield from _block("Base, of those interviewed", definition.base)
    if definition.numerator:
        yield from _block(NUMERATORS.get(definition.measure, "Numerator"), definition.numerator)
    if definition.deprivations:
        yield from _deprivations(definition, told)


def _deprivations(definition: Definition, told: dict[tuple[str, ...], Definition]) -> Iterator[str]:
    cutoff = "" if definition.cutoff is None else f" Cut-off: {definition.cutoff:g} of {definition.total_weight:g}."
    expressions = tuple(deprivation.expression for deprivation in definition.deprivations)
    if expressions in told:
        yield f"The deprivations are those of {_link(told[expressions])}.{cutoff}"
        return
    told[expressions] = definition
    for deprivation in definition.deprivations:
        yield from _block(f"Deprivation {deprivation.name}, weight {deprivation.weight:g}", deprivation.expression)
    if cutoff:
        yield cutoff.strip()


def _block(title: str, expression: str) -> Iterator[str]:
    yield f"{title}:"
    yield f"```sql\n{expression.strip()}\n```"


def _example(definition: Definition, example: Example) -> Iterator[str]:
    people = definition.counted == "persons"
    shared = f" Every household, unless said otherwise: {_answers(example.unless_said)}." if example.unless_said else ""
    yield _wrapped(f"*Example.*{shared}")
    lines = [f"| | {'people | ' if people else ''}answers | counts as |", f"|---|{'---|' if people else ''}---|---|"]
    for number, (answers, outcome) in enumerate(example.households, start=1):
        told = {name: answer for name, answer in answers.items() if not (people and name == "members")}
        said = _answers(told) or ("as above" if shared else "–")
        cells = [str(number), *([str(answers["members"])] if people else []), said, _outcome(outcome)]
        lines.append(f"| {' | '.join(cells)} |")
    yield "\n".join(lines)
    yield _wrapped(f"{_sum_in_words(definition, example)} {example.note}".strip())


def _answers(answers: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}` {_answer(answer)}" for name, answer in answers.items())


def _answer(answer: Any) -> str:
    if answer is None:
        return "*not known*"
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return str(answer)


def _outcome(outcome: Outcome) -> str:
    match outcome:
        case None:
            return "unknown"
        case "outside":
            return "not in the base"
        case bool():
            return "yes" if outcome else "no"
        case _:
            return f"{outcome:g}"


def _sum_in_words(definition: Definition, example: Example) -> str:
    unit = "" if definition.unit == "index" else f" {definition.unit}"
    counted = "people" if definition.counted == "persons" else "households"
    yes, of = _number(example.yes), _number(example.of)
    sums = {
        "share": f"{yes} of {of} {counted}",
        "mean": f"{' + '.join(_scores(example))} = {yes}, over {of} {counted}",
        "density": f"{yes} {counted} on {of} m²",
        "seat_load": f"{yes} {counted} to {of} working seats",
    }
    return f"{sums[definition.measure]}: **{_number(example.figure)}{unit}**."


def _scores(example: Example) -> Iterator[str]:
    for answers, outcome in example.households:
        if isinstance(outcome, float) and outcome > 0:
            yield f"{answers['members']} × {_number(outcome)}"


def _number(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _distance_example(definition: Definition, example: DistanceExample) -> Iterator[str]:
    yield f"*Example.* The middle of the settlement lies at {example.lon:g}° E on the equator."
    lines = ["| | position | works | distance |", "|---|---|---|---|"]
    for number, facility in enumerate(example.facilities, start=1):
        works = "yes" if facility.works else "no"
        lines.append(f"| {number} | {facility.lon:g}° E, {facility.lat:g}° N | {works} | {facility.distance_m:g} m |")
    yield "\n".join(lines)
    yield f"**{_number(example.figure)} {definition.unit}**. {example.note}"


PAGES = {PAGE: page, write_columns.PAGE: write_columns.page}

if __name__ == "__main__":
    for path, written in PAGES.items():
        path.write_text(written(), encoding="utf-8")

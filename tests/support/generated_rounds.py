"""Rounds that hypothesis comes up with: of the kinds in which something could be worked out."""

from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.support.published import WELL_OFF, Text

SIZES = st.sampled_from([0, 1, 5, 9, 10, 11, 12, 19, 20]) | st.integers(0, 70)
INDICATORS = (
    ("sanitation_basic", "sanitation_improved", "sanitation_limited", "sanitation_unimproved", "household_toilet"),
    ("water_basic", "not_durable", "overcrowded", "tenure_secure", "slum_household", "slum_severity"),
    ("mpi_headcount", "mpi_adjusted", "mpi_intensity", "slum_severity"),
    ("hygiene_basic", "drainage_any", "drainage_closed", "density_households", "tenure_documented"),
)
ANSWERS: dict[str, list[Any]] = {
    "toilet_type": ["flush_septic", "flush_septic", "hanging", "none"],
    "toilet_users": ["own", "own", "shared", "community"],
    "toilet_location": ["on_premises", "elsewhere"],
    "water_source": ["piped_dwelling", "piped_dwelling", "surface"],
    "wall_permanent": [True, True, False],
    "rooms": [1, 2],
    "fears_eviction": [False, False, False, True],
    "drainage": ["closed", "open", "none"],
    "tenure_document": [True, False],
    "handwashing_place": ["fixed", "none", "no_permission"],
    "handwashing_water": [True, False],
    "handwashing_soap": [True, False],
    "head_sex": ["male", "male", "female"],
}


@st.composite
def texts(draw: Any, by: tuple[str, ...] = ()) -> Text:
    """A round of up to seven settlements: tiny ones, wards of one, settlements in none; some leave much unanswered."""
    wards = draw(st.lists(st.sampled_from([None, "A", "A", "B", "B", "C"]), min_size=1, max_size=7))
    sizes = draw(st.lists(SIZES, min_size=len(wards), max_size=len(wards)))
    random = Random(draw(st.integers(0, 10_000)))
    lost = draw(st.sampled_from([0.0, 0.0, 0.05, 0.3]))
    rare = draw(st.sampled_from([0.0, 0.1, 1.0]))
    rows = []
    for i, size in enumerate(sizes):
        for _ in range(size):
            row = {"settlement": f"S{i}", **WELL_OFF}
            for name, answers in ANSWERS.items():
                row[name] = random.choice(answers) if random.random() < rare else WELL_OFF.get(name, answers[0])
                if random.random() < lost:
                    row[name] = None
            rows.append(row)
    indicators = draw(st.sampled_from(INDICATORS))
    mode = draw(st.sampled_from(["census", "census", "sample"]))
    return Text(rows, {f"S{i}": ward for i, ward in enumerate(wards)}, indicators, by, mode=mode)


@st.composite
def registers(draw: Any) -> Text:
    """A register in which each question divides a settlement's households by itself, and one is not always asked."""
    wards = draw(st.lists(st.sampled_from([None, "A", "A", "B"]), min_size=1, max_size=6))
    rows = []
    for i in range(len(wards)):
        size = draw(SIZES)
        for name, answers in (("drainage", ["closed", "none", None]), ("toilet_type", ["none", "hanging", None])):
            first = draw(st.integers(0, size))
            second = draw(st.integers(0, size - first))
            for answer, weight in zip(answers, (first, second, size - first - second), strict=True):
                rows.append({"settlement": f"S{i}", name: answer, "weight": float(weight), "asked": [name]})
    indicators = ("drainage_any", "drainage_closed", "open_defecation", "sanitation_unimproved")
    return Text(rows, {f"S{i}": ward for i, ward in enumerate(wards)}, indicators, unit="settlement")

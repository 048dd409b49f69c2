"""Invented place names for the sample city: common words in Devanagari, plain and accented Latin."""

import numpy as np

from data.sample.terrain import SiteKind

CITY_SLUG = "nadigaon"
CITY_NAME = "Nadigaon (sample city)"

# First words by where the settlement lies; "town" words may stand anywhere.
_DEVANAGARI: dict[SiteKind, tuple[str, ...]] = {
    "river": ("नदीकाठ", "घाट", "बंधारा", "पूल", "संगम"),
    "rail": ("रेल्वे", "स्टेशन", "फाटक", "यार्ड"),
    "town": (
        "शांती",
        "आनंद",
        "एकता",
        "नवजीवन",
        "प्रगती",
        "समता",
        "साईनाथ",
        "गणेश",
        "लक्ष्मी",
        "भवानी",
        "पंचशील",
        "श्रमिक",
        "कामगार",
        "खदान",
        "टेकडी",
        "विठ्ठल",
    ),
}
_DEVANAGARI_ENDINGS: tuple[str, ...] = ("नगर", "वस्ती", "वाडी", "चाळ", "कॉलनी")

_LATIN: dict[SiteKind, tuple[str, ...]] = {
    "river": ("Nadikath", "Ghat", "Old Bridge", "Sangam"),
    "rail": ("Station", "Railway Gate", "Goods Yard", "Signal"),
    "town": (
        "Sainath",
        "Ekta",
        "Panchsheel",
        "Kamgar",
        "Old Mill",
        "Samata",
        "Pragati",
        "Shramik",
        "Khadan",
        "Vitthal",
        "Navjeevan",
        "Market Yard",
    ),
}
_LATIN_ENDINGS: tuple[str, ...] = ("Nagar", "Wasti", "Chawl", "Colony")

_ACCENTED: dict[SiteKind, tuple[str, ...]] = {
    "river": ("Nadīkāṭh", "Ghāṭ"),
    "rail": ("Phāṭak", "Yārḍ"),
    "town": ("Bhīm", "Ānand", "Śānti", "Ṭekḍī", "Kāḷe", "Jñāneśvar", "Viṭṭhal"),
}
_ACCENTED_ENDINGS: tuple[str, ...] = ("Nagar", "Vāḍī", "Vastī", "Chāḷ")

_WARD_NAMES = ("Gaothan", "Nadikāṭh", "Station", "Bazar Peth", "Ṭekḍī", "Mala", "Old Mill", "Quarry Road")
_DEVANAGARI_DIGITS = str.maketrans("0123456789", "०१२३४५६७८९")


def name_settlements(kinds: list[SiteKind], rng: np.random.Generator) -> list[str]:
    """A different name for every settlement: 45 % Devanagari, 15 % accented Latin, the rest plain Latin."""
    seen: dict[str, int] = {}
    names = []
    scripts = rng.permutation(len(kinds)) / max(1, len(kinds))
    for kind, script in zip(kinds, scripts, strict=True):
        if script < 0.45:
            words, endings, part = _DEVANAGARI, _DEVANAGARI_ENDINGS, " भाग "
        elif script < 0.60:
            words, endings, part = _ACCENTED, _ACCENTED_ENDINGS, " "
        else:
            words, endings, part = _LATIN, _LATIN_ENDINGS, " "
        own_kind = kind != "town" and rng.random() < 0.6
        first = words[kind if own_kind else "town"]
        name = f"{first[rng.integers(len(first))]} {endings[rng.integers(len(endings))]}"
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            number = str(seen[name])
            name += part + (number.translate(_DEVANAGARI_DIGITS) if words is _DEVANAGARI else number)
        names.append(name)
    return names


def name_wards(count: int) -> list[str]:
    """Ward names; wards beyond the list are named by number, as new wards are."""
    return [_WARD_NAMES[n] if n < len(_WARD_NAMES) else f"Ward {n + 1}" for n in range(count)]

"""Axes: the two columns of a table that hold a position, and the one that names its UTM zone, told by their names."""

import re
from collections.abc import Iterable, Iterator, Sequence

from geo.base import fold_name

# Names that say it by themselves, most telling first.
_LONGITUDE = (
    *("longitude", "lon", "lng", "long", "longitud", "x", "gps_lon", "gps_lng", "gps_long", "coord_x", "point_x"),
    *("easting", "eastings", "este", "x_coord"),
)
_LATITUDE = (
    *("latitude", "lat", "latitud", "y", "gps_lat", "coord_y", "point_y"),
    *("northing", "northings", "norte", "y_coord"),
)

_WORDS = {
    **dict.fromkeys(("longitude", "longitud", "lon", "lng", "long", "easting", "x"), "longitude"),
    **dict.fromkeys(("latitude", "latitud", "lat", "northing", "y"), "latitude"),
}
"""Words of longer names, each of which goes with the same name that has its other in the same place."""
_OTHERS = {
    **{"longitude": "latitude", "longitud": "latitud", "lon": "lat", "lng": "lat", "long": "lat"},
    **{"easting": "northing", "x": "y"},
}
_CUT = re.compile(r"(?:(?P<lat>latit(?:u|ud|ude)?)|(?P<lon>longi(?:t|tu|tud|tude)?))")
"""The two words as a shapefile cuts them."""
_JOINED = re.compile(r"(.+)(latitude|longitude)")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

_ZONE = frozenset(
    {"zone", "utm zone", "zone utm", "zona", "zona utm", "huso", "huso utm", "fuso", "fuso utm", "fuseau", "utm"}
)
_ZONE_TEXT = re.compile(r"(?:utm ?)?(?:zone ?)?0?([1-9]|[1-5]\d|60) ?([c-hj-np-x]?|north|south|norte|sur|sul)")


def find_axes(columns: Sequence[str]) -> tuple[str, str] | None:
    """The columns with longitude and latitude, or easting and northing; None where there is no pair, or several."""
    by_name = {fold_name(column).replace(" ", "_"): column for column in reversed(columns)}
    by_name |= {column.lower(): column for column in reversed(columns)}
    longitude, latitude = (
        next((by_name[name] for name in names if name in by_name), None) for names in (_LONGITUDE, _LATITUDE)
    )
    if longitude is not None and latitude is not None:
        return longitude, latitude
    return _companions(columns)


def _companions(columns: Sequence[str]) -> tuple[str, str] | None:
    """The one pair of columns whose names differ in these words alone, such as `Latitude of the house (GPS)`."""
    longitudes: dict[tuple[str, ...], str] = {}
    latitudes: dict[tuple[str, ...], str] = {}
    for column in columns:
        for word, rest in _axis_words(column):
            if word in _OTHERS:
                longitudes.setdefault((_OTHERS[word], *rest), column)
            else:
                latitudes.setdefault((word, *rest), column)
    both = list(dict.fromkeys((longitudes[key], latitudes[key]) for key in longitudes if key in latitudes))
    return both[0] if len(both) == 1 else None


def _axis_words(column: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each word of a name that says an axis, and the words beside it."""
    words = fold_name(_CAMEL.sub(" ", column)).split()
    for i, word in enumerate(words):
        before, after = words[:i], words[i + 1 :]
        joined = _JOINED.fullmatch(word)
        cut = _CUT.fullmatch(word)
        if word in _WORDS:
            yield word, (*before, "*", *after)
        elif cut:
            yield ("latitude" if cut["lat"] else "longitude"), (*before, "*", *after)
        elif joined:
            yield joined[2], (*before, joined[1], "*", *after)


def find_zone(columns: Iterable[str]) -> str | None:
    """The column that names the UTM zone of each row's position."""
    return next((column for column in columns if fold_name(column) in _ZONE), None)


def zone_codes(text: str) -> list[str]:
    """The EPSG codes a UTM zone such as `43Q`, `43 N` or `43` may stand for; none where it is no zone.

    The letter may be the hemisphere's or that of a band of latitude: S is both, a band of the north.
    """
    match = _ZONE_TEXT.fullmatch(" ".join(text.casefold().split()))
    if match is None:
        return []
    zone, letter = int(match[1]), match[2]
    north, south = f"EPSG:{32600 + zone}", f"EPSG:{32700 + zone}"
    if letter in ("", "s"):
        return [south, north] if letter else [north, south]
    is_south = letter in ("south", "sur", "sul") or (len(letter) == 1 and letter < "n")
    return [south if is_south else north]

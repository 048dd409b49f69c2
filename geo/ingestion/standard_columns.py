"""Standard columns: files whose columns say by their names what they hold need no mapping profile."""

import re

from geo.fields import standard_fields
from geo.ingestion.names import fold_name
from geo.ingestion.profile import BoundaryColumns, FieldMapping, PositionColumns, Profile

# Column names that say position, code or name by themselves, most telling first.
_LONGITUDE = (
    "longitude",
    "lon",
    "lng",
    "long",
    "longitud",
    "x",
    "gps_lon",
    "gps_lng",
    "gps_long",
    "coord_x",
    "point_x",
)
_LATITUDE = ("latitude", "lat", "latitud", "y", "gps_lat", "coord_y", "point_y")
_COMPANION = re.compile(r"(.*?)(?:(?P<lat>latitude?|lat)|(?P<lon>longitude?|lon|lng|long))")
"""A column that goes with a position of the same name: `_gps_latitude`, `location.longitude`, `pos/lat`."""
_SETTLEMENT_CODE = ("settlement_code", "settl_code", "code")
_SETTLEMENT_NAME = ("settlement_name", "settl_name", "name")
_WARD_CODE = ("ward_code", "ward")
_WARD_NAME = ("ward_name",)
_RADIUS = ("radius_m", "radius")


def standard_profile(columns: list[str]) -> Profile:
    """The profile of a file whose columns carry the standard names already, in any case: `Water source`."""
    by_name = {fold_name(column).replace(" ", "_"): column for column in reversed(columns)}
    by_name |= {column.lower(): column for column in reversed(columns)}

    def first(names: tuple[str, ...]) -> str | None:
        return next((by_name[name] for name in names if name in by_name), None)

    code, longitude, latitude = first(_SETTLEMENT_CODE), first(_LONGITUDE), first(_LATITUDE)
    if longitude is None or latitude is None:
        longitude, latitude = _companions(columns)
    fields = {name: FieldMapping(column=by_name[name]) for name in standard_fields() if name in by_name}
    declared = first(("settlement_code", "settl_code"))
    if "declared_settlement_code" not in fields and declared is not None:
        fields["declared_settlement_code"] = FieldMapping(column=declared)
    return Profile(
        name="standard",
        title="Columns with the standard names",
        boundaries=None
        if code is None
        else BoundaryColumns(
            settlement_code=code,
            settlement_name=first(_SETTLEMENT_NAME),
            ward_code=first(_WARD_CODE),
            ward_name=first(_WARD_NAME),
            radius=first(_RADIUS),
        ),
        position=None
        if longitude is None or latitude is None
        else PositionColumns(longitude=longitude, latitude=latitude),
        fields=fields,
    )


def _companions(columns: list[str]) -> tuple[str | None, str | None]:
    """The one pair of columns whose names end in longitude and latitude, and begin alike; none where there are more."""
    longitudes: dict[str, str] = {}
    latitudes: dict[str, str] = {}
    for column in columns:
        match = _COMPANION.fullmatch(fold_name(column))
        if match and (not match[1] or match[1].endswith(" ")):
            (latitudes if match["lat"] else longitudes).setdefault(match[1], column)
    both = [before for before in longitudes if before in latitudes]
    return (longitudes[both[0]], latitudes[both[0]]) if len(both) == 1 else (None, None)

"""Standard columns: files whose columns say by their names what they hold need no mapping profile."""

from geo.base import fold_name
from geo.fields import standard_fields
from geo.ingestion.mapping.profile import BoundaryColumns, FieldMapping, PositionColumns, Profile
from geo.ingestion.reading.axes import find_axes

# Column names that say code or name by themselves, most telling first.
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

    code, axes = first(_SETTLEMENT_CODE), find_axes(columns)
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
        position=None if axes is None else PositionColumns(longitude=axes[0], latitude=axes[1]),
        fields=fields,
    )

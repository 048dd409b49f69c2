"""Columns of a file of facilities: those a person names, else those that bear the standard names."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from geo.database.schema.facilities import FacilityKind
from geo.errors import MissingColumn
from geo.ingestion.mapping.columns import Wanted, find_columns, names_present
from geo.ingestion.mapping.profile import FacilityColumns, PositionColumns
from geo.ingestion.mapping.text_shapes import standard_profile_of
from geo.ingestion.reading import Layer
from geo.messages import Message

STANDARD = {
    "code": "facility_code",
    "name": "facility_name",
    "kind": "kind",
    "seats": "seats",
    "seats_working": "seats_working",
    "working": "working",
    "opened_on": "opened_on",
    "closed_on": "closed_on",
}
"""What each column is called where nobody names another; findings call it so too."""


@dataclass(frozen=True)
class NamedLayer:
    """A layer of facilities, and which of its columns holds what."""

    layer: Layer
    columns: dict[str, str]
    """By what it holds, as in STANDARD, each column the file has, as the file writes it."""
    position: PositionColumns | None
    """The columns with the positions; None: the layer's shapes are the positions."""
    all_of_kind: FacilityKind | None

    def said(self) -> dict[str, Any]:
        """How the file was read, to be kept with the upload."""
        position = None if self.position is None else self.position.model_dump()
        return {"columns": self.columns, "position": position, "all_of_kind": self.all_of_kind}


def find_named(layer: Layer, given: FacilityColumns, file_name: str) -> tuple[dict[str, str], dict[str, str]]:
    """The columns that are named, or called so, by what they hold: those of STANDARD, and longitude and latitude.

    Raises:
        MissingColumn: a column that was named is not there.
    """
    said = given.model_dump(exclude_none=True)
    axes: dict[str, str] = {axis: said[axis] for axis in ("longitude", "latitude") if axis in said}
    wanted = {role: said[role] for role in STANDARD if role in said}
    others = {name: role for role, name in STANDARD.items() if role not in wanted}
    wanted |= {
        others[name]: name for name in names_present(list(others), layer, beside=[*wanted.values(), *axes.values()])
    }
    named = [Wanted(name, STANDARD.get(role, role)) for role, name in (wanted | axes).items()]
    found = find_columns(named, layer, file_name=file_name, named_by=Message("by_command"))
    columns, axes = ({role: str(found[name].column) for role, name in part.items()} for part in (wanted, axes))
    return {role: column for role, column in columns.items() if column not in given.ignored}, axes


def name_layer(layer: Layer, given: FacilityColumns, file_name: str, has_code_like: Callable[[], bool]) -> NamedLayer:
    """Finds the columns of a file of facilities.

    `has_code_like` says whether a column may be a code that nobody named: where none may, none is needed.

    Raises:
        MissingColumn: a column that was named is not there, or none holds the code, the kind or the position.
    """
    columns, axes = find_named(layer, given, file_name)
    if "code" not in columns and has_code_like():
        raise MissingColumn("facilities_without_code", file=file_name, known=layer.columns)
    if "kind" not in columns and given.all_of_kind is None:
        raise MissingColumn("facilities_without_kind", file=file_name, known=layer.columns)
    if axes:
        return NamedLayer(_without_shapes(layer), columns, PositionColumns(**axes), given.all_of_kind)
    # Whether a column of a table holds positions is told from its first texts.
    by_itself = None if layer.has_geometry else standard_profile_of(layer).position
    if by_itself is None and not layer.has_geometry:
        raise MissingColumn("facilities_without_positions", file=file_name, known=layer.columns)
    return NamedLayer(layer, columns, by_itself, given.all_of_kind)


def _without_shapes(layer: Layer) -> Layer:
    """The layer as a table: a person said that its positions stand in columns."""
    batches = (replace(batch, geometry=None) for batch in layer.batches)
    return replace(layer, crs=None, has_geometry=False, batches=batches)

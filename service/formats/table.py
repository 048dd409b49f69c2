"""The output formats there are. A new one is a module beside these, and a line."""

from service.formats import csv_lists, geojson, geopackage, json_lists
from service.formats.format import Format, Needs

FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        json_lists.FORMAT,
        csv_lists.FORMAT,
        geojson.FORMAT,
        geopackage.FORMAT,
    )
}
"""Each by what `format=` says, in the order in which they are offered."""

JSON = json_lists.FORMAT.name
"""What is answered where nothing else is asked for."""

CSV = csv_lists.FORMAT.name


def formats_for(*has: Needs) -> list[Format]:
    """The formats of rows that have shapes, points or neither."""
    return [one for one in FORMATS.values() if one.needs is None or one.needs in has]

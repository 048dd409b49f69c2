"""Positions of several UTM zones in one table: a column names the zone of each row."""

from collections.abc import Iterable

import numpy as np
import pyproj
from numpy.typing import NDArray

from geo.base import positions_between, read_crs
from geo.ingestion.findings import Findings
from geo.ingestion.mapping.cells import texts
from geo.ingestion.reading import Batch, Note, find_zone
from geo.ingestion.reading.axes import zone_codes

_HEMISPHERES = (326, 327)
"""What EPSG codes of UTM zones on WGS84 begin with; the zone's two digits follow."""


class UtmZones:
    """The zones a column names, beside that of the file's CRS."""

    def __init__(self, columns: Iterable[str], crs: pyproj.CRS | None) -> None:
        self._column = find_zone(columns)
        self._crs = crs
        code = None if crs is None or self._column is None else crs.to_epsg()
        self._code = code if code is not None and code // 100 in _HEMISPHERES else None
        self._noted: set[int] = set()

    def to_one(
        self, batch: Batch, x: NDArray[np.float64], y: NDArray[np.float64], findings: Findings
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Positions in metres, those of another zone than the file's brought into the file's CRS, which is noted."""
        if self._code is None or self._column is None or self._crs is None:
            return x, y
        named = texts(batch.columns[self._column]).dictionary_encode()
        zone_of_row = named.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        x, y = x.copy(), y.copy()
        for i, text in enumerate(named.dictionary.to_pylist()):
            code = self._other(text)
            if code is None:
                continue
            where = zone_of_row == i
            x[where], y[where] = positions_between(x[where], y[where], read_crs(f"EPSG:{code}"), self._crs)
            if code not in self._noted:
                self._noted.add(code)
                first = int(batch.row_numbers[where][0])
                findings.add_note(Note("other_utm_zone", f"{text} (EPSG:{code})", self._column, row=first))
        return x, y

    def _other(self, text: str) -> int | None:
        """The EPSG code of the zone a text names, where it is another one than the file's."""
        codes = [int(code.removeprefix("EPSG:")) for code in zone_codes(text)]
        if not codes or self._code is None or self._code in codes:
            return None
        return next((code for code in codes if code // 100 == self._code // 100), codes[0])

"""The findings kept of an upload: grouped by kind, or row by row in pages."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    Connection,
    func,
    select,
)

from geo.base import Page, PageRequest, fetch_page
from geo.database import copy_frame
from geo.database.schema.uploads import finding
from geo.ingestion.findings.collected import ROWS_SHOWN, VALUES_SHOWN, FindingGroup, Findings, finding_params, sentence
from geo.ingestion.findings.kinds import MISPLACED
from geo.ingestion.findings.values import told_value
from geo.messages import Audience, Message, params_as_json


def find_groups(connection: Connection, upload_ids: Sequence[int]) -> dict[int, list[FindingGroup]]:
    """The findings of uploads by kind and field: errors first, then the most frequent."""
    alike = (
        select(
            *(finding.c[name] for name in ("upload_id", "code", "severity", "field", "value")),
            func.count().label("n"),
            func.array_agg(finding.c.row_number.distinct()).label("rows"),
        )
        .where(finding.c.upload_id == func.any(list(upload_ids)))
        .group_by(*(finding.c[name] for name in ("upload_id", "code", "severity", "field", "value")))
        .order_by(func.count().desc())
    )
    by_kind: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for row in connection.execute(alike):
        by_kind[row.upload_id, row.code, row.severity, row.field].append(row)
    found: dict[int, list[FindingGroup]] = defaultdict(list)
    for (upload_id, code, severity, field), rows in by_kind.items():
        values = [told_value(code, str(row.value)) for row in rows if row.value is not None]
        numbers = sorted(number for row in rows for number in row.rows if number is not None)
        group = FindingGroup(
            code=code,
            severity=severity,
            field=field,
            count=sum(row.n for row in rows),
            rows=tuple(numbers[:ROWS_SHOWN]),
            given=tuple(values[:VALUES_SHOWN]),
            n_values=len(values),
        )
        found[upload_id].append(group)
    for groups in found.values():
        groups.sort(key=FindingGroup.order)
    return found


def find_findings(
    connection: Connection, upload_id: int, page: PageRequest, audience: Audience = "command"
) -> tuple[Page, list[dict[str, Any]]]:
    """One page of an upload's findings in the order of rows, each with its meaning and what to do."""
    names = ("row_number", "field", "value", "code", "severity", "longitude", "latitude")
    rows = select(*(finding.c[name] for name in names)).where(finding.c.upload_id == upload_id)
    found = fetch_page(connection, rows, [finding.c.id], page)
    return found, [_told({name: getattr(row, name) for name in names}, audience) for row in found.rows]


def _told(row: dict[str, Any], audience: Audience) -> dict[str, Any]:
    """A finding with its value and its meaning in words."""
    value = None if row["value"] is None else told_value(row["code"], row["value"])
    return row | {
        "value": value.say(audience) if isinstance(value, Message) else value,
        "params": params_as_json(finding_params(row["field"], value)),
        "meaning": sentence(row["code"], row["field"], value, audience),
    }


def find_unmapped(connection: Connection, upload_id: int, most: int) -> list[tuple[str, str, int]]:
    """Answers without a known meaning: field, answer and in how many rows; the most frequent first."""
    n = func.count()
    rows = (
        select(finding.c.field, finding.c.value, n)
        .where(finding.c.upload_id == upload_id, finding.c.code == "value_unmapped", finding.c.value.is_not(None))
        .group_by(finding.c.field, finding.c.value)
        .order_by(n.desc(), finding.c.field, finding.c.value)
        .limit(most)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(rows)]


def find_misplaced(connection: Connection, upload_id: int, most: int) -> NDArray[np.float64]:
    """Where rows lie whose positions have findings: longitude and latitude, shape (at most `most`, 2), in degrees."""
    rows = (
        select(finding.c.longitude, finding.c.latitude)
        .where(finding.c.upload_id == upload_id, finding.c.code.in_(MISPLACED), finding.c.longitude.is_not(None))
        .order_by(finding.c.id)
        .limit(most)
    )
    return np.array([tuple(row) for row in connection.execute(rows)], dtype=np.float64).reshape(-1, 2)


def write_findings(connection: Connection, upload_id: int, findings: Findings) -> None:
    """Stores the findings of an upload."""
    frame = findings.kept()
    frame.insert(0, "upload_id", upload_id)
    copy_frame(connection, finding, frame.join(findings.positions(frame["row_number"])))

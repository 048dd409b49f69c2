"""A kind of file that Vasti does not have: the trees of a city. All of it is here."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from geo.database import lock_city
from geo.errors import MissingColumn
from geo.ingestion.findings import Findings, Rule
from geo.ingestion.loading import (
    Asked,
    Choices,
    Fields,
    Kind,
    LoadOptions,
    LoadResult,
    Progress,
    RowsRead,
    Target,
    Words,
    count_rows,
    load_places,
)
from geo.ingestion.reading import open_layer
from geo.ingestion.suggesting.understand import Matched, Understanding
from geo.messages import Message
from geo.places import PlaceChanges, find_city

TABLE = """
CREATE TABLE tree (
    upload_id INTEGER NOT NULL REFERENCES upload (id), code TEXT NOT NULL, species TEXT, is_live BOOLEAN DEFAULT true
)
"""


class TreeChoices(Choices):
    """What a sender may say of a file of trees."""

    planted_in: int | None = None
    only_street: bool = False


class Trees(Kind[TreeChoices]):
    """Trees, each with a code."""

    name = "trees"
    choices = TreeChoices
    rules: Mapping[str, Rule] = {"tree_code_missing": Rule("error")}
    findings: Mapping[str, Mapping[str, str]] = {
        "tree_code_missing": {"says": "the row has no tree code", "do": "give each tree one"}
    }
    sentences: Mapping[str, str] = {"trees_without_code": "{file} has no column tree_code; say which column holds it."}
    asked = (Asked("only_street", "Street trees only", when_sent=True),)
    words = Words(
        heading="Send trees",
        label="File of trees",
        accepts="A CSV with a code for each tree",
        effect="A code that is there already is kept twice.",
        column="column of trees",
        loaded="Everybody sees the trees.",
        withdrawn="The trees no longer count.",
        for_steward="A steward of your organisation decides about trees.",
        before_withdrawing="Stumps stay.",
        changes={"added": "planted"},
    )

    @property
    def fields(self) -> Fields:
        """A code and a species."""
        return (("Trees", {"tree_code": "which tells trees apart", "species": "as botanists call it"}),)

    def understand(self, path: Path, row: Any, choices: TreeChoices, max_rows: int | None) -> Understanding:  # noqa: ARG002 (trees are alike)
        """The columns are called what they are, unless somebody says otherwise."""
        with open_layer(path, choices.reading(max_rows)) as layer:
            columns = layer.columns
        held = {field: column for column, field in choices.columns.items()}
        held = {name: held.get(name, name) for name in ("tree_code", "species") if held.get(name, name) in columns}
        matched = [Matched(column, name, "sure", (Message("called_so"),)) for name, column in held.items()]
        return Understanding(columns, matched, (), "\n".join(f"{name} = '{column}'" for name, column in held.items()))

    def used_columns(self, choices: TreeChoices) -> Mapping[str, str]:
        """As `understand` wrote them down."""
        return tomllib.loads(choices.profile or "")

    def load(
        self,
        connection: Connection,
        path: Path,
        row: Any,
        choices: TreeChoices,
        options: LoadOptions,
        progress: Progress,  # noqa: ARG002 (trees are few)
    ) -> LoadResult:
        """Every row with a code becomes a tree."""
        read = choices.reading(options.max_rows)

        def rows() -> RowsRead:
            findings, trees, rows_read = Findings(), [], 0
            held = self.used_columns(choices)
            if "tree_code" not in held:
                raise MissingColumn("trees_without_code", file=path.name)
            with open_layer(path, read) as layer:
                for batch in layer.batches:
                    codes, species = (batch.columns[held[name]].to_pylist() for name in ("tree_code", "species"))
                    missing = np.array([not code for code in codes])
                    findings.add("tree_code_missing", batch.row_numbers[missing], field="tree_code")
                    trees += [each for each in zip(codes, species, strict=True) if each[0]]
                    rows_read += len(codes)
            result = replace(count_rows(findings, rows_read), read_as=layer.read_as)
            return RowsRead(result, {"trees": dict(held)}, partial(_write, connection, trees))

        target = Target(find_city(connection, row["city"]), self.name)
        return load_places(connection, path, target, read=read, rows=rows, options=options)

    def lock(self, connection: Connection, row: Any) -> None:
        """One change of a city's trees at a time."""
        lock_city(connection, row["city_id"])

    def take_back(self, connection: Connection, row: Any) -> None:
        """Felled."""
        connection.execute(text("UPDATE tree SET is_live = false WHERE upload_id = :id"), {"id": row["id"]})


def _write(connection: Connection, trees: list[tuple[str, str]], upload_id: int) -> PlaceChanges:
    insert = text("INSERT INTO tree (upload_id, code, species) VALUES (:id, :code, :species)")
    for code, species in trees:
        connection.execute(insert, {"id": upload_id, "code": code, "species": species})
    return PlaceChanges(added=len(trees), changed=0, unchanged=0)

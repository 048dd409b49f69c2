"""A publication's part of the table of figures: a partition, made and dropped without touching any other."""

import pandas as pd
from psycopg import sql
from sqlalchemy import Connection

from geo.database import copy_frame, driver_of
from geo.database.schema.publications import published_figure

_KEY = ("publication_id", "block", "place", "group_name")


def _name(publication_id: int) -> sql.Identifier:
    return sql.Identifier(f"published_figure_{publication_id}")


def add_part(connection: Connection, publication_id: int, figures: pd.DataFrame) -> None:
    """Writes the figures of a new publication; readers of others wait for nothing."""
    driver, name = driver_of(connection), _name(publication_id)
    driver.execute(sql.SQL("CREATE TABLE {} (LIKE published_figure INCLUDING ALL)").format(name))
    copy_frame(connection, published_figure, figures.assign(publication_id=publication_id), into=name)
    check = sql.SQL("ALTER TABLE {} ADD CHECK (publication_id = {})").format(name, sql.Literal(publication_id))
    driver.execute(check)
    driver.execute(
        sql.SQL("ALTER TABLE published_figure ATTACH PARTITION {} FOR VALUES IN ({})").format(
            name, sql.Literal(publication_id)
        )
    )
    driver.execute(sql.SQL("ANALYZE {}").format(name))


def drop_part(connection: Connection, publication_id: int) -> None:
    """Drops the figures of a publication."""
    driver_of(connection).execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_name(publication_id)))

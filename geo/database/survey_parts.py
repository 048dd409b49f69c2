"""A survey's part of a table that is partitioned by survey.

Its rows are copied into a table beside, which is indexed and attached last: an index is built at once and foreign keys
are checked by one join each, where rows that go into an attached part pay for both one by one.
"""

from psycopg import sql
from sqlalchemy import Connection, MetaData, Table, func, select
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql import quoted_name

from geo.database.copying import driver_of


def part_name(whole: Table, survey_id: int) -> str:
    """What the survey's part of a table is called."""
    return f"{whole.name}_{survey_id}"


def has_part(connection: Connection, whole: Table, survey_id: int) -> bool:
    """Whether the survey has a part of the table, attached or beside it."""
    return connection.execute(select(func.to_regclass(part_name(whole, survey_id)))).scalar_one() is not None


def create_beside(connection: Connection, whole: Table, survey_id: int) -> None:
    """Makes the table that is to become the survey's part.

    It takes no other survey's rows, so that attaching it need not look through them.
    """
    driver_of(connection).execute(
        sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS, CHECK (survey_id = {}))").format(
            sql.Identifier(part_name(whole, survey_id)), sql.Identifier(whole.name), sql.Literal(survey_id)
        )
    )


def index_part(connection: Connection, whole: Table, survey_id: int) -> None:
    """Indexes it as the whole is, so that attaching it has no index left to build."""
    name = part_name(whole, survey_id)
    key = sql.SQL(", ").join(sql.Identifier(column.name) for column in whole.primary_key)
    driver_of(connection).execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(sql.Identifier(name), key))
    for each in whole.to_metadata(MetaData(), name=name).indexes:
        each.name = quoted_name(str(each.name).replace(whole.name, name, 1), quote=None)
        connection.execute(CreateIndex(each))


def attach_part(connection: Connection, whole: Table, survey_id: int) -> None:
    """Makes it the survey's part; the tables it refers to are locked from then on until the transaction ends."""
    statement = sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES IN ({})").format(
        sql.Identifier(whole.name), sql.Identifier(part_name(whole, survey_id)), sql.Literal(survey_id)
    )
    connection.exec_driver_sql(statement.as_string(driver_of(connection)))

"""`vasti account`, `vasti grant` and `vasti audit`: who may do what, and what was done."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import pandas as pd
import typer
from sqlalchemy import Connection

from geo.base import PageRequest
from geo.database.schema.access import KeyRole, Role
from geo.people import (
    add_account,
    change_account,
    end_grant,
    find_account,
    find_account_by_id,
    find_audit,
    grant_survey,
    list_accounts,
    make_key,
    make_link,
)
from geo.places import find_city
from geo.settings import Settings
from geo.surveys import find_survey
from service.cli import options as o
from service.cli.load import noted, open_database, reading_database
from service.cli.output import print_frame

account_app = typer.Typer(
    name="account",
    add_completion=False,
    help="Accounts: add, list, change; links that set a password; API keys.",
    no_args_is_help=True,
)

EmailArgument = Annotated[str, typer.Argument(help="The account's e-mail address.")]
RoleOption = Annotated[
    Role,
    typer.Option(
        "--role",
        help="viewer sees full figures; contributor loads; steward publishes, manages accounts; operator runs it.",
    ),
]


@account_app.command("add")
def add(
    email: EmailArgument,
    name: Annotated[str, typer.Option("--name", help="The person's name.")],
    role: RoleOption,
    organisation: Annotated[
        str | None,
        typer.Option("--organisation", help="Whose account it is. Default: the organisation of the settings."),
    ] = None,
) -> None:
    """Add an account, and print the link with which the person sets a password."""
    settings = Settings()
    of = organisation or settings.organisation
    with open_database(settings) as connection:
        account_id = add_account(connection, email, name, role, of)
        account = find_account_by_id(connection, account_id)
        _note(connection, account, "account added", after={"role": role, "name": account["name"]})
        link = _link(connection, account_id, settings)
    typer.echo(f"{account['email']} is {_a(role)} of {of}. {link}")


@account_app.command("list")
def list_command(output: o.FormatOption = "table") -> None:
    """List all accounts."""
    with reading_database(Settings()) as connection:
        accounts = list_accounts(connection)
    columns = ["organisation", "email", "name", "role", "is_active", "created_at"]
    rows = [{**row, "created_at": row["created_at"].isoformat(timespec="minutes")} for row in accounts]
    print_frame(pd.DataFrame(rows, columns=columns), output, title="Accounts")


@account_app.command("link")
def link(email: EmailArgument) -> None:
    """Print a new link that sets the account's password, once: for a new person, or a forgotten password."""
    settings = Settings()
    with open_database(settings) as connection:
        account = find_account(connection, email)
        _note(connection, account, "password link made")
        told = _link(connection, account["id"], settings)
    typer.echo(told)


@account_app.command("role")
def role(email: EmailArgument, role: RoleOption) -> None:
    """Give an account another role."""
    with open_database(Settings()) as connection:
        account = find_account(connection, email)
        change_account(connection, account["id"], role=role)
        _note(connection, account, "account changed", before={"role": account["role"]}, after={"role": role})
    typer.echo(f"{account['email']} is {_a(role)} of {account['organisation']}.")


@account_app.command("close")
def close(
    email: EmailArgument,
    reopen: Annotated[bool, typer.Option("--reopen", help="Open it again.")] = False,
) -> None:
    """Close an account: nobody can sign in to it, and its sessions and keys end at once."""
    with open_database(Settings()) as connection:
        account = find_account(connection, email)
        change_account(connection, account["id"], is_active=reopen)
        before = {"is_active": account["is_active"]}
        _note(connection, account, "account changed", before=before, after={"is_active": reopen})
    typer.echo(f"The account {account['email']} is {'open again' if reopen else 'closed'}.")


@account_app.command("key")
def key(
    email: EmailArgument,
    name: Annotated[str, typer.Option("--name", help="What the key is for.")],
    role: Annotated[
        KeyRole,
        typer.Option("--role", help="The most it may do; a monitor, of an operator's account, reads /metrics alone."),
    ],
    days: Annotated[int, typer.Option("--days", help="For how many days it is valid.")] = 90,
) -> None:
    """Make an API key of an account, for a program, and print it: it cannot be shown again."""
    with open_database(Settings()) as connection:
        account = find_account(connection, email)
        token, made = make_key(connection, account["id"], name, role, days)
        _note(connection, account, "key made", after={name: made[name] for name in ("name", "role", "prefix")})
    typer.echo(f"Valid until {made['expires_at']:%Y-%m-%d}. Keep it as you would a password; it is shown this once:")
    typer.echo(token)


def grant(
    city: o.CityOption,
    survey: o.SurveyOption,
    to: Annotated[str, typer.Option("--to", help="The organisation's slug.")],
    end: Annotated[bool, typer.Option("--end", help="Share them no longer.")] = False,
) -> None:
    """Share a survey's full figures with another organisation, such as a city."""
    with open_database(Settings()) as connection:
        row = find_survey(connection, find_city(connection, city), survey)
        changed = (end_grant if end else grant_survey)(connection, row["id"], to)
        if changed:
            action = "grant ended" if end else "grant given"
            noted(
                connection, action, f"survey {city}/{survey}", organisation_id=row["organisation_id"], after={"to": to}
            )
    done = "no longer shared with" if end else "shared with"
    typer.echo(f"The full figures of {survey} of {city} are {done} {to}{'' if changed else ', as before'}.")


def audit(
    after: Annotated[int, typer.Option("--after", min=0, help="Only what came after the one of this number.")] = 0,
    output: o.FormatOption = "table",
) -> None:
    """Print what was done, by whom and when."""
    with reading_database(Settings()) as connection:
        page = find_audit(connection, PageRequest(limit=None), after=after)
    columns = ["id", "at", "organisation", "actor", "action", "subject", "before", "after"]
    frame = pd.DataFrame([{**row._mapping, "at": row.at.isoformat(timespec="seconds")} for row in page.rows])
    frame = frame.reindex(columns=columns)
    if output != "json":
        facts = ["before", "after"]
        frame[facts] = frame[facts].map(lambda of: None if of is None else json.dumps(of, ensure_ascii=False))
    print_frame(frame, output, title="Audit")


def _link(connection: Connection, account_id: int, settings: Settings) -> str:
    made, expires_at = make_link(connection, account_id)
    return (
        f"With this link the person sets a password, once, until {expires_at:%Y-%m-%d %H:%M} UTC:\n"
        f"{settings.base_url}/password#link={made}"
    )


def _note(connection: Connection, account: Mapping[str, Any], action: str, **facts: Any) -> None:
    noted(connection, action, f"account {account['email']}", organisation_id=account["organisation_id"], **facts)


def _a(role: str) -> str:
    """A role with its article."""
    return f"an {role}" if role == "operator" else f"a {role}"

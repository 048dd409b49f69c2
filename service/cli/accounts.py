"""`vasti account`, `vasti grant` and `vasti audit`: who may do what, and what was done."""

import json
from datetime import datetime
from typing import Annotated, Any

import pandas as pd
import typer

from geo.base import PageRequest
from geo.database.schema.access import KeyRole, Role
from geo.people import find_account, find_audit, list_accounts
from geo.settings import Settings
from service.actions import accounts as actions
from service.actions.inputs import AccountChange
from service.actions.surveys import end_grant, grant_survey
from service.cli import options as o
from service.cli.load import operating, reading_database
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
    with operating(settings) as done:
        account, link, expires_at = actions.add_account(done, email, name, role, organisation)
    told = _told_of_link(link, expires_at, settings)
    typer.echo(f"{account['email']} is {_a(role)} of {account['organisation']}. {told}")


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
    with operating(settings) as done:
        _, link, expires_at = actions.make_link(done, find_account(done.connection, email)["id"])
    typer.echo(_told_of_link(link, expires_at, settings))


@account_app.command("role")
def role(email: EmailArgument, role: RoleOption) -> None:
    """Give an account another role."""
    account = _change(email, AccountChange(role=role))
    typer.echo(f"{account['email']} is {_a(role)} of {account['organisation']}.")


@account_app.command("close")
def close(
    email: EmailArgument,
    reopen: Annotated[bool, typer.Option("--reopen", help="Open it again.")] = False,
) -> None:
    """Close an account: nobody can sign in to it, and its sessions and keys end at once."""
    account = _change(email, AccountChange(is_active=reopen))
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
    with operating(Settings()) as done:
        token, made = actions.make_key(done, find_account(done.connection, email)["id"], name, role, days)
    typer.echo(f"Valid until {made['expires_at']:%Y-%m-%d}. Keep it as you would a password; it is shown this once:")
    typer.echo(token)


def grant(
    city: o.CityOption,
    survey: o.SurveyOption,
    to: Annotated[str, typer.Option("--to", help="The organisation's slug.")],
    end: Annotated[bool, typer.Option("--end", help="Share them no longer.")] = False,
) -> None:
    """Share a survey's full figures with another organisation, such as a city."""
    with operating(Settings()) as done:
        changed = (end_grant if end else grant_survey)(done, city, survey, to)
    now = "no longer shared with" if end else "shared with"
    typer.echo(f"The full figures of {survey} of {city} are {now} {to}{'' if changed else ', as before'}.")


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


def _change(email: str, change: AccountChange) -> Any:
    with operating(Settings()) as done:
        return actions.change_account(done, find_account(done.connection, email)["id"], change)


def _told_of_link(link: str, expires_at: datetime, settings: Settings) -> str:
    return (
        f"With this link the person sets a password, once, until {expires_at:%Y-%m-%d %H:%M} UTC:\n"
        f"{settings.base_url}/password#link={link}"
    )


def _a(role: str) -> str:
    """A role with its article."""
    return f"an {role}" if role == "operator" else f"a {role}"

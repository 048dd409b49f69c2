"""What sessions, accounts, keys and the audit are answered by, as OpenAPI describes them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from service.body_fields import Body, Email, KeyRoleField, Password, RoleField, Text
from service.http.bodies import Link


class SignIn(Body):
    """An address and its password."""

    email: Email
    password: Password


class NewPassword(Body):
    """A link that was made for an account, and the password it shall have."""

    link: Annotated[Text, Field(max_length=200, description="As it was handed over.")]
    password: Password


class Who(Body):
    """Who is asking."""

    email: Email
    name: Annotated[str, Field(description="The person's name.", examples=["Asha"])]
    organisation: Annotated[str, Field(description="Whose account it is.", examples=["shelter"])]
    role: RoleField
    via: Annotated[Literal["session", "key"], Field(description="Signed in with a password, or with an API key.")]
    csrf: Annotated[
        str | None,
        Field(description="What changes bring along in the header X-CSRF-Token, where a cookie says who asks."),
    ]


class Account(Body):
    """An account."""

    id: Annotated[int, Field(description="Its number.", examples=[3])]
    email: Email
    name: Annotated[str, Field(description="The person's name.", examples=["Asha"])]
    organisation: Annotated[str, Field(description="Whose account it is.", examples=["shelter"])]
    role: RoleField
    is_active: Annotated[bool, Field(description="Whether anybody can sign in to it.")]
    created_at: datetime


class Accounts(Body):
    """The accounts of the organisation; the operator sees all."""

    accounts: list[Account]


class PasswordLink(Body):
    """A link that sets an account's password, once."""

    link: Annotated[str, Field(description="What POST /api/v1/password takes beside the password.")]
    expires_at: datetime


class AddedAccount(Body):
    """An account that was added, and the link with which the person sets a password."""

    account: Account
    password_link: PasswordLink


class Key(Body):
    """An API key, without the key."""

    id: Annotated[int, Field(description="Its number.", examples=[5])]
    name: Annotated[str, Field(description="What it is for.", examples=["dashboard"])]
    role: KeyRoleField
    prefix: Annotated[str, Field(description="Its first letters, to know it by.", examples=["vasti_q1w2e3"])]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_on: date | None


class Keys(Body):
    """The account's API keys, the newest first."""

    keys: list[Key]


class MadeKey(Body):
    """A key that was made: the only time it is shown."""

    key: Key
    token: Annotated[str, Field(description="The key itself, for the header `Authorization: Bearer`.")]


class Done(Body):
    """Something that was done."""

    id: int
    at: datetime
    organisation: str | None
    actor: Annotated[str, Field(description="Who did it.", examples=["asha@shelter.org"])]
    action: Annotated[str, Field(description="What.", examples=["state set"])]
    subject: Annotated[str, Field(description="To what.", examples=["survey pune/2024"])]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Audit(Body):
    """What was done, the oldest first."""

    audit: list[Done]
    total: int
    note: Annotated[str | None, Field(description="That `limit` was above the most, where it was.")]
    returned: int
    links: list[Link]

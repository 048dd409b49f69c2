"""What accounts, keys, grants and the audit are asked with and answered by, as OpenAPI describes them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from geo.database.schema.access import KeyRole, Role
from geo.fields import Unit
from geo.messages import Message
from geo.people import MAX_KEY_DAYS, MAX_PASSWORD
from geo.places import Answer
from geo.surveys import MODE_ASKED, Mode
from service.body_fields import Text
from service.http.bodies import Body, Link

_LONGEST_NAME = 200


Name = Annotated[Text, Field(min_length=1, max_length=_LONGEST_NAME)]
Email = Annotated[Text, Field(max_length=254, description="An e-mail address.", examples=["asha@shelter.org"])]
Slug = Annotated[Text, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)]
Password = Annotated[Text, Field(max_length=MAX_PASSWORD, description="A password.")]
RoleField = Annotated[Role, Field(description="What it may do: each may what those before it may.")]


KeyRoleField = Annotated[
    KeyRole, Field(description="The most it may do; a monitor, which an operator makes, reads `/metrics` alone.")
]


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


class NewAccount(Body):
    """An account to be added."""

    email: Email
    name: Name
    role: RoleField
    organisation: Annotated[
        Slug | None, Field(description="Whose: the operator may name any; without it, the account's own.")
    ] = None


class AccountChange(Body):
    """What is to be changed of an account."""

    role: RoleField | None = None
    is_active: Annotated[bool | None, Field(description="Whether anybody can sign in to it.")] = None


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


class NewKey(Body):
    """A key to be made."""

    name: Name
    role: KeyRoleField
    days: Annotated[int, Field(ge=1, le=MAX_KEY_DAYS, description="For how many days it is valid.")] = 90


class MadeKey(Body):
    """A key that was made: the only time it is shown."""

    key: Key
    token: Annotated[str, Field(description="The key itself, for the header `Authorization: Bearer`.")]


class NewSurvey(Body):
    """A survey round to be opened, as a draft."""

    city: Slug
    slug: Slug
    name: Name | None = None
    starts_on: date
    ends_on: date
    unit: Unit = "household"
    mode: Annotated[
        Mode,
        Field(
            description=f"Of households: {Message(MODE_ASKED['household']).say('api')} "
            f"Of settlements: {Message(MODE_ASKED['settlement']).say('api')}"
        ),
    ]
    licence: Name | None = None


class SurveyRow(Body):
    """A survey round of the account's organisation, or one whose full figures are shared with it."""

    city: str
    slug: str
    name: str
    organisation: str
    starts_on: date
    ends_on: date
    unit: Unit
    mode: Mode
    licence: str | None
    state: Literal["draft", "published"]


class OwnSurveys(Body):
    """The survey rounds whose full figures one may see."""

    surveys: list[SurveyRow]


class SurveyChange(Body):
    """What is to be changed of a round."""

    state: Annotated[Literal["draft", "published"], Field(description="Whether everybody may read its figures.")]


class Grant(Body):
    """An organisation a survey's full figures are shared with."""

    organisation: Annotated[str, Field(description="Its slug.", examples=["pune-city"])]
    granted_at: datetime


class Grants(Body):
    """With whom a survey's full figures are shared."""

    grants: list[Grant]


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


class SettlementChange(Body):
    """What is to be changed of a settlement."""

    ended_on: Annotated[
        date | None, Field(description="The first day on which it is no more; null: it is there, or there again.")
    ]


class SettlementEnd(Body):
    """A settlement, and since when it is no more."""

    city: Annotated[str, Field(description="Its city's slug.", examples=["khandesh"])]
    code: Annotated[str, Field(description="Its code.", examples=["S01"])]
    name: Annotated[str, Field(description="Its name.", examples=["शांती नगर"])]
    ended_on: Annotated[date | None, Field(description="The first day on which it is no more; null: it is there.")]


class NewCity(Body):
    """A city to be added."""

    slug: Slug
    name: Name


class AddedCity(Body):
    """A city that was added."""

    slug: Annotated[str, Field(description="Its name in addresses.", examples=["pimpri"])]
    name: Annotated[str, Field(description="Its name.", examples=["Pimpri"])]


_Remark = Annotated[Text, Field(max_length=1_000)]


class NewCityRequest(NewCity):
    """A city to be asked for."""

    note: Annotated[_Remark | None, Field(description="What the operator should know.")] = None


class CityAnswer(Body):
    """What an operator answers to a request for a city."""

    state: Annotated[Answer, Field(description="The city is added as it was asked for, or the request declined.")]
    reason: Annotated[_Remark | None, Field(description="What the steward is told with that.")] = None


class CityRequest(Body):
    """A city that a steward asked for."""

    id: Annotated[int, Field(description="The request's number.", examples=[3])]
    organisation: Annotated[str, Field(description="Whose steward asked.", examples=["shelter"])]
    slug: Annotated[str, Field(description="The city's name in addresses.", examples=["pimpri"])]
    name: Annotated[str, Field(description="The city's name.", examples=["Pimpri"])]
    note: Annotated[str | None, Field(description="What the steward told the operator.")]
    asked_by: Email
    asked_at: datetime
    state: Annotated[Literal["asked", "added", "declined"], Field(description="`asked`: it waits for the operator.")]
    reason: Annotated[str | None, Field(description="What the operator answered.")]
    decided_at: datetime | None


class CityRequests(Body):
    """Requests for cities: open ones, the oldest first; then those that were answered, the newest first."""

    requests: list[CityRequest]

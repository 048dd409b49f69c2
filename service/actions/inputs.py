"""What people give to have something done, checked alike for programs and for pages."""

from datetime import date
from typing import Annotated

from pydantic import Field

from geo.fields import Unit
from geo.messages import Message
from geo.people import MAX_KEY_DAYS
from geo.places import Answer
from geo.surveys import MODE_ASKED, Mode
from service.body_fields import Body, Email, KeyRoleField, Name, RoleField, Slug, Text


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


class NewKey(Body):
    """A key to be made."""

    name: Name
    role: KeyRoleField
    days: Annotated[int, Field(ge=1, le=MAX_KEY_DAYS, description="For how many days it is valid.")] = 90


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


class NewCity(Body):
    """A city to be added."""

    slug: Slug
    name: Name


_Remark = Annotated[Text, Field(max_length=1_000)]


class NewCityRequest(NewCity):
    """A city to be asked for."""

    note: Annotated[_Remark | None, Field(description="What the operator should know.")] = None


class CityAnswer(Body):
    """What an operator answers to a request for a city."""

    state: Annotated[Answer, Field(description="The city is added as it was asked for, or the request declined.")]
    reason: Annotated[_Remark | None, Field(description="What the steward is told with that.")] = None


class SettlementChange(Body):
    """What is to be changed of a settlement."""

    ended_on: Annotated[
        date | None, Field(description="The first day on which it is no more; null: it is there, or there again.")
    ]

"""What an organisation's rounds and grants are answered by, as OpenAPI describes them."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from geo.fields import Unit
from geo.surveys import Mode, Publishing
from service.body_fields import MAX_NOTE, Body, Text

_PUBLISHING = (
    "Whether the next publication is made by itself when what the last one rests on changes, or when a steward asks."
)


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
    publishing: Annotated[Publishing, Field(description=_PUBLISHING)]


class OwnSurveys(Body):
    """The survey rounds whose full figures one may see."""

    surveys: list[SurveyRow]


class SurveyChange(Body):
    """What is to be changed of a round."""

    state: Annotated[
        Literal["draft", "published"] | None,
        Field(
            description="Whether everybody may read its figures. `published` of a published round asks for its next "
            "publication."
        ),
    ] = None
    publishing: Annotated[Publishing | None, Field(description=_PUBLISHING)] = None
    correction: Annotated[
        bool,
        Field(
            description="With `published`: whether the next publication says what is right also where fewer than 10 "
            "households changed since the last one, though who has that can work out what these answered."
        ),
    ] = False
    note: Annotated[
        Text | None,
        Field(
            min_length=1,
            max_length=MAX_NOTE,
            description="With `published`: why it is published anew. Everybody reads it in the list of publications.",
        ),
    ] = None


class Grant(Body):
    """An organisation a survey's full figures are shared with."""

    organisation: Annotated[str, Field(description="Its slug.", examples=["pune-city"])]
    granted_at: datetime


class Grants(Body):
    """With whom a survey's full figures are shared."""

    grants: list[Grant]

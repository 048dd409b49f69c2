"""What cities and settlements are answered by that somebody changes, as OpenAPI describes them."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from service.body_fields import Body, Email


class AddedCity(Body):
    """A city that was added."""

    slug: Annotated[str, Field(description="Its name in addresses.", examples=["pimpri"])]
    name: Annotated[str, Field(description="Its name.", examples=["Pimpri"])]


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


class SettlementEnd(Body):
    """A settlement, and since when it is no more."""

    city: Annotated[str, Field(description="Its city's slug.", examples=["khandesh"])]
    code: Annotated[str, Field(description="Its code.", examples=["S01"])]
    name: Annotated[str, Field(description="Its name.", examples=["शांती नगर"])]
    ended_on: Annotated[date | None, Field(description="The first day on which it is no more; null: it is there.")]

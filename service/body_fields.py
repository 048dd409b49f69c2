"""What bodies are made of: texts as a database can hold them, and fields that several bodies have."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from geo.base import is_storable
from geo.database.schema.access import KeyRole, Role
from geo.errors import Fault
from geo.people import MAX_PASSWORD


class Body(BaseModel):
    """What every body has in common: no more than what is described."""

    model_config = ConfigDict(extra="forbid")


def _storable(text: str) -> str:
    if not is_storable(text):
        raise Fault("text_unstorable")
    return text


Text = Annotated[str, AfterValidator(_storable)]

_LONGEST_NAME = 200

MAX_NOTE = 500
"""How long a note may be on why something is published anew."""

Name = Annotated[Text, Field(min_length=1, max_length=_LONGEST_NAME)]
Email = Annotated[Text, Field(max_length=254, description="An e-mail address.", examples=["asha@shelter.org"])]
Slug = Annotated[Text, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)]
Password = Annotated[Text, Field(max_length=MAX_PASSWORD, description="A password.")]
RoleField = Annotated[Role, Field(description="What it may do: each may what those before it may.")]
KeyRoleField = Annotated[
    KeyRole, Field(description="The most it may do; a monitor, which an operator makes, reads `/metrics` alone.")
]

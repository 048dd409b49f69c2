"""What an output format is: a module of this package that writes rows, and says of itself what is told of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from service.formats.rows import Rows

Needs = Literal["shapes", "points"]
"""What rows need to have so that a format can hold them: boundaries, or the columns longitude and latitude."""

TEXT: Mapping[str, Any] = {"type": "string"}
"""The body of a format that people can read too: OpenAPI shows an example of it."""

BYTES: Mapping[str, Any] = {"type": "string", "format": "binary"}
"""The body of one that they cannot."""


@dataclass(frozen=True)
class Format:
    """An output format."""

    name: str
    """What `format=` says, and the suffix of a file."""
    media_type: str
    about: str
    """What a reader gets, in a few words."""
    write: Callable[[Rows], bytes]
    needs: Needs | None = None
    saved: Literal["attachment", "inline"] | None = None
    """Whether a browser saves it as a file, or shows it and offers the name of a file; None: neither."""
    is_paged: bool = False
    """Whether its readers follow links from page to page. The others get all rows at once."""
    schema: Mapping[str, Any] = field(default_factory=lambda: BYTES)
    """Its body as OpenAPI describes it; of JSON each route describes its own."""

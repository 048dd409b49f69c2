"""Settings, read from `VASTI_*` environment variables. Only entry points build them; the core is handed them."""

import os
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from geo.errors import Fault

ROOT_STATE_DIR = Path("/var/lib/vasti")


def default_state_dir() -> Path:
    """The folder for the private cluster and kept originals: the user's state folder, or /var/lib/vasti as root."""
    if os.geteuid() == 0:
        return ROOT_STATE_DIR
    return Path(platformdirs.user_state_dir("vasti", appauthor=False))


Said = Annotated[str | None, BeforeValidator(lambda value: value or None)]
"""A text that may be unset; an empty variable, as a list of them in a file has it, is as good as none."""


def _read_public_url(url: str | None) -> str | None:
    """An address without a slash at its end.

    Raises:
        ValueError: it is none, or its path could be taken for one of the service's own.
    """
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Fault("public_url_invalid")
    if not _PATH.fullmatch(parts.path.rstrip("/")):
        raise Fault("public_url_path_invalid")
    first = parts.path.split("/")[1:2]
    if first and first[0] in OWN_PATHS:
        raise Fault("public_url_path_taken", path=f"/{first[0]}")
    return url.rstrip("/")


OWN_PATHS = (
    *("api", "maps", "static", "healthz", "readyz", "metrics"),
    *("surveys", "cities", "city-requests", "uploads", "accounts", "keys", "sign-in", "sign-out", "password"),
)
"""What the service's own paths begin with."""

_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")


class Settings(BaseSettings):
    """Everything an installation can set. Each field is the environment variable `VASTI_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="VASTI_", extra="forbid")

    database_url: str | None = Field(
        default=None,
        description="PostgreSQL URL of a PostGIS database. Unset: a private cluster on this machine is used.",
    )
    service_password: SecretStr | None = Field(
        default=None,
        description="Password of the account vasti_service in a database of your own; the service connects as it.",
    )
    reader_password: SecretStr | None = Field(
        default=None,
        description="Password of the account vasti_reader, which `vasti db reader` makes for tools that speak SQL.",
    )
    state_dir: Path = Field(
        default_factory=default_state_dir,
        description="Folder of the private cluster and, unless storage_url is set, of the kept originals.",
    )
    storage_url: str | None = Field(
        default=None,
        description="fsspec URL under which uploaded originals are kept, such as s3://bucket/originals.",
    )
    organisation: str = Field(
        default="local", description="Slug of the organisation whose surveys the command line loads."
    )
    host: str = Field(default="127.0.0.1", description="Address `vasti serve` listens on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port `vasti serve` listens on.")
    upload_max_mb: int = Field(default=2_000, ge=1, description="Largest file the service takes, in MB.")
    upload_memory_mb: int = Field(
        default=4_000,
        ge=500,
        description="Memory for reading one uploaded file, in MB; one that needs more is refused.",
    )
    upload_minutes: int = Field(
        default=60, ge=1, description="Time for reading one uploaded file; one that needs more is refused."
    )
    upload_rows: int = Field(
        default=5_000_000, ge=1, description="Rows of one uploaded file; one that has more is refused."
    )
    incoming_mb: int = Field(
        default=10_000, ge=1, description="Room for the files one account is sending in parts, in MB."
    )
    originals_mb: int = Field(
        default=100_000, ge=1, description="Room for the files that are kept of one organisation, in MB."
    )
    uploads_per_hour: int = Field(
        default=200, ge=1, description="How many files one address of the network may send an hour."
    )
    sign_ins_per_minute: int = Field(
        default=30, ge=1, description="How often one address of the network may try to sign in, a minute."
    )
    questions_per_minute: int = Field(
        default=600,
        ge=1,
        description="How many public questions that must be worked out anew one address of the network may ask, a "
        "minute.",
    )
    answers_at_once: int = Field(
        default=4, ge=1, description="How many public answers are worked out at once; more questions wait their turn."
    )
    public_url: Annotated[Said, AfterValidator(_read_public_url)] = Field(
        default=None,
        description="The address people reach the service under, such as https://vasti.example.org.",
    )
    contact_name: Said = Field(default=None, description="Who answers questions about the published figures.")
    contact_email: Said = Field(default=None, description="Their e-mail address.")
    contact_url: Said = Field(default=None, description="A page that tells how to reach them.")
    licence: Said = Field(
        default=None, description="The licence of the published figures, such as CC-BY-4.0, where a round has no other."
    )
    licence_url: Said = Field(default=None, description="Where its text is.")
    worker: bool = Field(default=True, description="Whether `vasti serve` runs a worker beside the API.")

    kobo_token: SecretStr | None = Field(default=None, description="API token that `vasti kobo pull` signs in with.")
    odk_email: str | None = Field(default=None, description="Account that `vasti odk pull` signs in with.")
    odk_password: SecretStr | None = Field(default=None, description="Password of that account.")

    @property
    def base_url(self) -> str:
        """The address people reach the service under, without a slash at its end."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def base_path(self) -> str:
        """The path in front of all others where people reach the service under one; else empty."""
        return urlsplit(self.base_url).path

    @property
    def upload_max_bytes(self) -> int:
        """Largest file the service takes, in bytes."""
        return self.upload_max_mb * 1_000_000

    @property
    def incoming_dir(self) -> Path:
        """The folder of files that are on their way in."""
        return self.state_dir / "incoming"

    @property
    def originals_url(self) -> str:
        """The fsspec URL of the folder of originals."""
        return self.storage_url or str(self.state_dir / "originals")

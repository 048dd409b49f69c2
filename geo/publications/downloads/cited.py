"""What is said of a publication beside its figures: whose it is, of when, under which licence."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from geo.database.schema.places import city, organisation
from geo.database.schema.publications import publication
from geo.database.schema.surveys import survey
from geo.settings import Settings


@dataclass(frozen=True)
class Cited:
    """A publication as it is cited."""

    id: int
    number: int
    made_at: datetime
    sha256: str | None
    """Of its canonical CSV; None: it has not been worked out yet."""
    survey: str
    survey_name: str
    starts_on: date
    ends_on: date
    city: str
    city_name: str
    organisation_name: str
    licence: str | None
    """The round's, or else the installation's; None: neither has any."""
    licence_url: str | None
    address: str | None
    """Where people find the publication, where the installation has an address."""

    @property
    def title(self) -> str:
        """What it is called."""
        return f"{self.city_name}, {self.survey_name}: coverage figures of informal settlements"

    @property
    def version(self) -> str:
        """Which publication of its round."""
        return f"publication {self.number}"


def cite(connection: Connection, publication_id: int, settings: Settings) -> Cited:
    """A publication as it is cited; the settings say what an installation says of itself."""
    row = connection.execute(
        select(
            *(publication.c[name] for name in ("id", "number", "made_at", "sha256")),
            *(survey.c.slug.label("survey"), survey.c.name.label("survey_name"), survey.c.starts_on, survey.c.ends_on),
            *(
                city.c.slug.label("city"),
                city.c.name.label("city_name"),
                organisation.c.name.label("organisation_name"),
            ),
            survey.c.licence,
        )
        .join(survey, survey.c.id == publication.c.survey_id)
        .join(city, city.c.id == survey.c.city_id)
        .join(organisation, organisation.c.id == survey.c.organisation_id)
        .where(publication.c.id == publication_id)
    ).one()
    facts = row._asdict()
    of_settings = facts["licence"] in (None, settings.licence)
    facts["licence"] = facts["licence"] or settings.licence
    below = f"/api/v1/values?city={row.city}&survey={row.survey}&publication={row.number}"
    return Cited(
        **facts,
        licence_url=settings.licence_url if of_settings else None,
        address=f"{settings.public_url}{below}" if settings.public_url else None,
    )

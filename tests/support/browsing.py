"""What a browser sends of somebody who has signed in."""

from service.http.access import COOKIE, csrf_of
from tests.support.two_organisations import TwoOrganisations

HTML = {"accept": "text/html"}


def cookie(two: TwoOrganisations, role: str, organisation: str = "north") -> dict[str, str]:
    """What a browser sends of somebody who has signed in."""
    return HTML | {"cookie": f"{COOKIE}={two.token(role, organisation)}"}


def token(two: TwoOrganisations, role: str, organisation: str = "north") -> dict[str, str]:
    """What a form of theirs brings along."""
    return {"csrf": csrf_of(two.token(role, organisation))}

"""The kinds of figures there are. A new one is a module beside these, and a line."""

from fastapi import APIRouter

from service.api.figures import changes, gaps, trends, values
from service.api.figures.route import add_route

KINDS = (
    values.KIND,
    changes.KIND,
    gaps.KIND,
    trends.KIND,
)

router = APIRouter()
for _kind in KINDS:
    add_route(router, _kind)

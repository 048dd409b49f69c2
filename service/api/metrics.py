"""`/metrics`: counts for Prometheus, which brings a monitor's API key."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from geo.ingestion.uploads import count_states
from service.http.access import reading_in_full
from service.http.described import private_responses
from service.http.responses import NO_STORE
from service.work.queue import count_jobs

router = APIRouter()


@router.get(
    "/metrics",
    responses=private_responses(None) | {200: {"description": "The counts.", "content": {"text/plain": {}}}},
    response_class=Response,
    summary="Counts for Prometheus",
)
def metrics(request: Request) -> Response:
    """Requests and how long they took, the queue, and uploads by state."""
    with reading_in_full(request, "monitor") as reading:
        jobs, uploads = count_jobs(reading.connection), count_states(reading.connection)
    return Response(request.app.state.metrics.text(jobs, uploads), headers=NO_STORE, media_type=CONTENT_TYPE_LATEST)

"""What the service counts of itself, for Prometheus: requests, how long they take, the queue, uploads by state."""

from collections.abc import Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 600.0)


class Metrics:
    """The counts of one process since it started. Labels are routes and states: never an address somebody asked for."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "vasti_requests", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "vasti_request_seconds",
            "How long answers took, to their last byte.",
            ["method", "route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        # Finding the count of some labels takes longer than counting; of these there are few.
        self._requests_of, self._seconds_of = cache(self._requests.labels), cache(self._seconds.labels)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts a request that has been answered."""
        self._requests_of(method, route, status).inc()
        self._seconds_of(method, route).observe(seconds)

    def text(self, jobs: Mapping[tuple[str, str], int], uploads: Mapping[str, int]) -> bytes:
        """All of it in Prometheus' text format, with the jobs by task and status and the uploads by state."""
        moment = CollectorRegistry()
        of_queue = Gauge("vasti_jobs", "Jobs of the queue.", ["task", "status"], registry=moment)
        for (task, status), n in jobs.items():
            of_queue.labels(task, status).set(n)
        of_uploads = Gauge("vasti_uploads", "Uploads by state.", ["state"], registry=moment)
        for state, n in uploads.items():
            of_uploads.labels(state).set(n)
        return generate_latest(self._registry) + generate_latest(moment)

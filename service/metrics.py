"""Prometheus metrics: requests as they come, the ledger's counts when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from service.ledger.overview import Overview

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)


class Metrics:
    """Everything that `/metrics` shows."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "datagen_http_requests", "Requests answered.", ("method", "route", "status"),
            registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "datagen_http_request_seconds", "Time to the end of an answer.", ("method", "route"),
            buckets=BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._jobs = self._gauge("jobs", "Jobs by state.", ("state",))
        self._tasks = self._gauge("tasks", "Tasks by state.", ("state",))
        self._attempts = self._gauge("task_attempts", "Attempts at tasks that are in the ledger.")
        self._failures = self._gauge("task_failures", "Failed attempts at tasks in the ledger.")
        self._oldest = self._gauge("oldest_queued_seconds", "Age of the oldest queued job.")
        self._bytes = self._gauge("dataset_bytes", "Bytes of all datasets.")
        self._free = self._gauge("disk_free_bytes", "Bytes free on the data folder's disk.")
        self._beat = self._gauge("dispatcher_beat_seconds", "Seconds since the dispatcher's beat.")
        self._streams = self._gauge("event_streams", "Open event streams.")

    def _gauge(self, name: str, meaning: str, labels: Iterable[str] = ()) -> Gauge:
        return Gauge(f"datagen_{name}", meaning, labels, registry=self._registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self, overview: Overview, *, free_bytes: int, streams: int) -> bytes:
        """The metrics in Prometheus' text format."""
        for gauge, counts in ((self._jobs, overview.jobs), (self._tasks, overview.tasks)):
            gauge.clear()
            for state, count in counts.items():
                gauge.labels(state).set(count)
        self._attempts.set(overview.attempts)
        self._failures.set(overview.failures)
        self._oldest.set(overview.oldest_queued_seconds)
        self._bytes.set(overview.dataset_bytes)
        self._beat.set(overview.beat_seconds if overview.beat_seconds is not None else float("inf"))
        self._free.set(free_bytes)
        self._streams.set(streams)
        return generate_latest(self._registry)

"""What is counted and measured, as Prometheus reads it: counters of this program, and what the database holds.

One process keeps its counters in memory. With `--workers`, each writes them to a file of its own in the folder that
PROMETHEUS_MULTIPROC_DIR names, and whichever worker is asked answers for all of them (see `bot.server`).
"""

import os
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from storage.measuring import Measured, Queue
from storage.outbox import Kind
from webhooks.problems import REASONS

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that prometheus-client reads when it is imported: set, counters are shared by files."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

MISTAKES = ("delivery", "job", "request", "slack_request", "task")
"""Where an error of our own code was caught."""

SLACKS = ("200", "400", "401", "413", "500", "503")
"""What Slack is answered with."""

REASONS_KEPT = 100
"""How many reasons are told apart: some are Slack's own words, and each is a series of its own for ever."""

A_REASON = re.compile(r"[a-z0-9_]{1,60}", re.IGNORECASE)

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
"""Seconds; what waits for Slack's pace, or for Slack, may wait for long."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which nobody reads


class Metrics:
    """Counts what happens. One for each process; nothing here raises or waits."""

    def __init__(self) -> None:
        """Counts from 0; those whose labels are known stand there from the beginning, so that a first rise is seen."""
        self._registry = registry = CollectorRegistry()
        self._reasons: set[str] = set()
        self._by_route: dict[str, Counter] = {}
        self._accepted = _counter(registry, "webhooks_accepted", "Webhooks stored and answered.", "route")
        self._refused = _counter(registry, "webhooks_refused", "Webhooks refused.", "reason")
        self._ingested = _counter(registry, "webhooks_ingested", "Stored webhooks read.")
        self._not_understood = _counter(registry, "webhooks_not_understood", "Stored webhooks that could not be read.")
        self._slack = _counter(registry, "slack_requests", "Requests of Slack answered.", "status")
        self._sockets = _counter(registry, "socket_failures", "Connections of Socket Mode that did not open.", "reason")
        self._delivered = _counter(registry, "deliveries_done", "Said to Slack or Thumbtack.", "kind")
        self._retried = _counter(registry, "deliveries_retried", "Not said yet, tried again.", "kind", "reason")
        self._dead = _counter(registry, "deliveries_dead", "Given up.", "kind", "reason")
        self._jobs = _counter(registry, "job_failures", "Jobs that did not do what they are for.", "job")
        self._mistakes = _counter(registry, "mistakes", "Errors of our own code.", "where")
        self._ack = _histogram(registry, "ack_seconds", "From a webhook's arrival to our answer.", FAST)
        self._ingest = _histogram(registry, "ingest_seconds", "From a webhook's arrival to its rows.", SLOW)
        self._to_slack = _histogram(
            registry, "webhook_to_slack_seconds", "From a webhook's arrival to its post in Slack.", SLOW, "kind"
        )
        self._known_from_the_beginning()
        if not _shared():
            ProcessCollector(registry=registry)

    def _known_from_the_beginning(self) -> None:
        beginning: tuple[tuple[Iterable[str], Counter], ...] = (
            (REASONS, self._refused),
            (SLACKS, self._slack),
            (MISTAKES, self._mistakes),
            (Kind, self._delivered),  # "nothing was said" can be told only of what is there
        )
        for known, counter in beginning:
            for label in known:
                counter.labels(label)

    # Thumbtack's webhooks: `webhooks.counting.Counts`

    def accepted(self, route: str, *, seconds: float) -> None:
        """A webhook by this route was stored and is answered, so many seconds after it came."""
        by_route = self._by_route.get(route)
        if by_route is None:  # looking it up costs as much as all the rest, before each acknowledgement
            by_route = self._by_route[route] = self._accepted.labels(route)
        by_route.inc()
        self._ack.observe(seconds)

    def refused(self, reason: str) -> None:
        """A webhook was refused for a reason of `webhooks.problems.REASONS`."""
        self._refused.labels(reason).inc()

    def ingested(self, *, seconds: float) -> None:
        """A stored webhook was read, so many seconds after it came."""
        self._ingested.inc()
        self._ingest.observe(max(0.0, seconds))

    def not_understood(self) -> None:
        """A stored webhook could not be read and is kept for a person."""
        self._not_understood.inc()

    # Slack, deliveries, jobs

    def slack_answered(self, status: int) -> None:
        """A request of Slack (or of somebody who says so) was answered."""
        self._slack.labels(str(status)).inc()

    def socket_failed(self, reason: str) -> None:
        """A connection of Socket Mode did not open; it is tried again."""
        self._sockets.labels(self._known(reason)).inc()

    def delivered(self, kind: str, *, news_since: datetime | None, now: datetime) -> None:
        """Something was said. `news_since`: when the webhook that it tells of came, None where it tells of none."""
        self._delivered.labels(kind).inc()
        if news_since is not None:
            self._to_slack.labels(kind).observe(max(0.0, (now - news_since).total_seconds()))

    def retried(self, kind: str, reason: str) -> None:
        """Something was not said, or it is not known whether it was; it is tried again."""
        self._retried.labels(kind, self._known(reason)).inc()

    def died(self, kind: str, reason: str) -> None:
        """Something will not be said any more, and a person is told."""
        self._dead.labels(kind, self._known(reason)).inc()

    def job_failed(self, job: str) -> None:
        """A job did not do what it is for; its next time is another chance."""
        self._jobs.labels(job).inc()

    def mistake(self, where: str) -> None:
        """An error of our own code was caught, in one of `MISTAKES`; the log says which."""
        self._mistakes.labels(where).inc()

    def _known(self, reason: str) -> str:
        """A reason as a label: codes alone, and not without end."""
        if reason in self._reasons:
            return reason
        if len(self._reasons) >= REASONS_KEPT or not A_REASON.fullmatch(reason):
            return "other"
        self._reasons.add(reason)
        return reason

    def written(self, measured: Measured | None, *, now: datetime) -> bytes:
        """Everything in Prometheus's text format 0.0.4. `measured`: None where the database does not answer."""
        held, counted = CollectorRegistry(), self._registry
        held.register(_Held(measured, now))
        if _shared():
            counted = CollectorRegistry()
            MultiProcessCollector(counted)  # type: ignore[no-untyped-call]  # prometheus-client types it not
        return generate_latest(counted) + generate_latest(held)


def _shared() -> bool:
    """Whether the counters of several workers are kept in files, and read from there."""
    return FOLDER in os.environ


def _counter(registry: CollectorRegistry, name: str, means: str, *labels: str) -> Counter:
    return Counter(name, means, labels, namespace="corkboard", registry=registry)


def _histogram(
    registry: CollectorRegistry, name: str, means: str, buckets: tuple[float, ...], *labels: str
) -> Histogram:
    return Histogram(name, means, labels, namespace="corkboard", buckets=buckets, registry=registry)


class _Held(Collector):
    """What the database holds, as it was measured for one answer."""

    def __init__(self, measured: Measured | None, now: datetime) -> None:
        self._measured = measured
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """The families, those of the database only where it answered: an old figure would say that all is well."""
        yield _labelled("build_info", "The version that runs.", "version", [(version("corkboard"), 1)])
        yield _gauge("database_up", "Whether the database answered.", self._measured is not None)
        if self._measured is not None:
            yield from self._families(self._measured)

    def _families(self, measured: Measured) -> Iterator[Metric]:
        yield from self._queue("inbox", "Webhooks", measured.inbox)
        yield from self._queue("outbox", "Deliveries", measured.outbox)
        yield _gauge("outbox_parked", "Replies that wait for a person's choice.", measured.parked)
        yield _gauge("held_channels", "Channels where something waits and cannot be posted.", measured.held_channels)
        yield _gauge("socket_connections", "Processes that hear Slack over Socket Mode.", measured.socket_connections)
        yield _gauge("silent_businesses", "Businesses for which nothing comes any more.", measured.silent)
        unsteady = 0.0 if measured.unsteady_since is None else self._age(measured.unsteady_since)
        yield _gauge("unsteady_seconds", "Since when no process stayed for five minutes.", unsteady)
        if measured.back_at is not None:
            yield _gauge("back_age_seconds", "Since the last absence was over.", self._age(measured.back_at))
        connections = sorted(measured.connections.items())
        yield _labelled("connections", "Connections to Thumbtack.", "state", connections)
        ages = [(str(name), self._age(at)) for name, at in sorted(measured.granted.items())]
        yield _labelled("token_age_seconds", "Age of the oldest refresh token in use.", "generation", ages)
        if measured.last_webhook_at is not None:
            age = self._age(measured.last_webhook_at)
            yield _gauge("last_webhook_age_seconds", "Since Thumbtack last told something new.", age)

    def _queue(self, name: str, what: str, queue: Queue) -> Iterator[Metric]:
        yield _gauge(f"{name}_waiting", f"{what} that wait to be done now.", queue.waiting)
        age = 0.0 if queue.oldest is None else self._age(queue.oldest)
        yield _gauge(f"{name}_oldest_seconds", f"{what}: how long the first of those waits.", age)
        yield _gauge(f"{name}_dead", f"{what} given up, until somebody tries them again.", queue.dead)

    def _age(self, at: datetime) -> float:
        return max(timedelta(), self._now - at).total_seconds()


def _gauge(name: str, means: str, value: float) -> Metric:
    return GaugeMetricFamily(f"corkboard_{name}", means, value=float(value))


def _labelled(name: str, means: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(f"corkboard_{name}", means, labels=[label])
    for value, figure in values:
        family.add_metric([value], figure)
    return family

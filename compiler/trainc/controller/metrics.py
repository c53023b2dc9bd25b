"""What Prometheus may know: jobs by state, reconciling, the queue, requests and progress."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client import generate_latest as _text
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from trainc.controller.conditions import finished
from trainc.controller.state import STATES, state_of
from trainc.controller.view import TrainJobView

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """All metrics of one controller."""

    def __init__(self, trainjobs: Callable[[], Iterable[TrainJobView]]) -> None:
        """``trainjobs`` gives those known; they are counted when somebody asks."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(_Jobs(trainjobs))
        self.reconciled = Histogram(
            "trainc_reconcile_seconds",
            "Time to reconcile one job.",
            registry=self.registry,
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
        )
        self.errors = Counter(
            "trainc_reconcile_errors", "Reconciles that failed.", registry=self.registry
        )
        self.queued = Gauge(
            "trainc_queue_depth", "Jobs that wait to be reconciled.", registry=self.registry
        )
        self.requests = Counter(
            "trainc_api_requests",
            "Requests to the API server.",
            ("verb", "code"),
            registry=self.registry,
        )
        self.leading = Gauge(
            "trainc_leader", "1 while this one is the leader.", registry=self.registry
        )
        self.posts = Counter(
            "trainc_progress_posts", "Progress reports.", ("code",), registry=self.registry
        )
        self.written = Counter(
            "trainc_progress_writes", "Progress reports written.", registry=self.registry
        )

    def counted(self, verb: str, code: int) -> None:
        """Counts a request to the API server."""
        self.requests.labels(verb, str(code)).inc()

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return _text(self.registry)


class _Jobs(Collector):
    """Counts the jobs when it is asked."""

    def __init__(self, trainjobs: Callable[[], Iterable[TrainJobView]]) -> None:
        self._trainjobs = trainjobs

    def collect(self) -> Iterator[Metric]:
        """Jobs by state, and the progress of those that run and report."""
        states = GaugeMetricFamily("trainc_trainjobs", "TrainJobs by state.", labels=["state"])
        progress = GaugeMetricFamily(
            "trainc_trainjob_progress_percent",
            "Last reported progress of unfinished TrainJobs.",
            labels=["namespace", "name"],
        )
        tally: Tally[str] = Tally(dict.fromkeys(STATES, 0))
        for trainjob in self._trainjobs():
            tally[state_of(trainjob.conditions, trainjob.jobs)] += 1
            percent = (trainjob.progress or {}).get("progressPercentage")
            if percent is not None and not finished(trainjob.conditions):
                progress.add_metric([trainjob.namespace, trainjob.name], percent)
        for state, count in sorted(tally.items()):
            states.add_metric([state], count)
        yield states
        yield progress

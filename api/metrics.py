"""The service's counters in Prometheus' text form: what was taken, what was refused and why, and how long it took.

Guarantees: a registry of its own (nothing of other libraries leaks in); labels come from closed lists, never from what a
peer sent. The RADIUS process writes its figures to `DATA/radius-stats.json`; `RadiusStats` shows them as gauges and
says how old they are, so that a silent process is visible.
"""

import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

RADIUS_FRESH_S: Final = 5.0
"""Older figures than this mean that the RADIUS process is not well."""
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0)


class Metrics:
    """All counters of the API process."""

    def __init__(self, data: Path, clock: Callable[[], float] = time.time) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._others: dict[str, CollectorRegistry] = {}
        self.messages = self._counter("ingest_messages", "Signed messages of agents that were recorded", "kind")
        self.repeated = self._counter("ingest_repeated", "Messages whose id was known already", "kind")
        self.refused = self._counter("evidence_refused", "Messages of agents that were refused", "reason")
        self.executions = self._counter("executions", "Starts of executables by their verdict", "verdict")
        self.moves = self._counter("moves_decided", "Hosts whose access was tightened by a start")
        self.contained = self._counter("starts_contained", "Starts contained by hash instead of moving the host")
        self.enrolments = self._counter("enrolments", "Enrolments by outcome", "outcome")
        self.logins = self._counter("logins", "Logins by outcome", "outcome")
        self.failures = self._counter("background_failures", "Failures of background work", "task")
        self.certificate = Gauge(
            "pratique_certificate_ends_seconds",
            "When the server's certificate ends (Unix time)",
            registry=self.registry,
        )
        self.seconds = Histogram(
            "pratique_ingest_seconds",
            "From the whole body read to the answer made",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.radius = RadiusStats(data / "radius-stats.json", clock)
        self.registry.register(self.radius)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"pratique_{name}", text, labels, registry=self.registry)

    def fresh(self, name: str) -> CollectorRegistry:
        """A registry of its own for a background task, in place of the one that this task had before it was restarted."""
        made = self._others[name] = CollectorRegistry(auto_describe=False)
        return made

    def text(self) -> bytes:
        """What `GET /metrics` answers."""
        return b"".join(generate_latest(registry) for registry in (self.registry, *self._others.values()))


class RadiusStats(Collector):
    """The figures of the RADIUS process, read when asked. Nested names are joined by `_`; what is no number is left out."""

    def __init__(self, file: Path, clock: Callable[[], float]) -> None:
        self._file = file
        self._clock = clock

    def age(self) -> float | None:
        """Seconds since the figures were written; None when there are none."""
        try:
            return max(0.0, self._clock() - self._file.stat().st_mtime)
        except FileNotFoundError:
            return None

    def figures(self) -> dict[str, float]:
        """Name → number; empty when there is no file or it is damaged (then `age` and `readable` tell)."""
        try:
            data = msgspec.json.decode(self._file.read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            return {}
        return dict(_flat(data, "")) if isinstance(data, dict) else {}

    def collect(self) -> Iterable[Any]:
        age = self.age()
        up = GaugeMetricFamily("pratique_radius_up", "Whether the RADIUS process wrote its figures lately")
        up.add_metric([], float(age is not None and age <= RADIUS_FRESH_S))
        yield up
        if age is not None:
            aged = GaugeMetricFamily("pratique_radius_stats_age_seconds", "Age of the RADIUS process' figures")
            aged.add_metric([], age)
            yield aged
        for name, value in sorted(self.figures().items()):
            gauge = GaugeMetricFamily(f"pratique_radius_{name}", "Figure of the RADIUS process")
            gauge.add_metric([], value)
            yield gauge


def _flat(data: dict[str, Any], before: str) -> Iterable[tuple[str, float]]:
    for key, value in data.items():
        name = before + re.sub(r"[^a-z0-9_]", "_", str(key).lower())
        if isinstance(value, dict):
            yield from _flat(value, name + "_")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield name, float(value)

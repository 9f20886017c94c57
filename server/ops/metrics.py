"""What `/metrics` says (Prometheus text). A registry of its own for each application: no globals.

Counters of campus are kept here; figures of lessons, workers and recorder come from the live service at
the time of asking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Figures = Callable[[], Mapping[str, float]]


class _LiveFigures(Collector):
    """Turns `name -> value` into gauges `lianke_{name}`."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        for name, value in sorted(self._figures().items()):
            gauge = GaugeMetricFamily(f"lianke_{name}", name.replace("_", " "))
            gauge.add_metric([], value)
            yield gauge

    def describe(self) -> Iterable[Metric]:
        return []


class Metrics:
    """`responses` by method and status, `refused` by code."""

    def __init__(self, figures: Figures) -> None:
        self._registry = CollectorRegistry()
        self.responses = Counter(
            "lianke_http_responses", "HTTP responses", ["method", "status"], registry=self._registry
        )
        self.refused = Counter(
            "lianke_http_problems", "Problem details sent, by code", ["code"], registry=self._registry
        )
        self._registry.register(_LiveFigures(figures))

    def text(self) -> bytes:
        return generate_latest(self._registry)

"""What a command did, as figures in Prometheus's text format; never with a customer's name in them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from connector.reports.escape import printable
from connector.reports.log_line import LogLine

THROTTLED = 429

Figures = Mapping[Any, int | Decimal]


@dataclass(slots=True)
class Tally:
    """Counts what the story of a command tells."""

    planned: Counter[str] = field(default_factory=Counter)
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    unresolved: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    money: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    requests: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    throttled: Counter[str] = field(default_factory=Counter)

    def count(self, line: LogLine) -> None:
        """Count one line; most have nothing to count."""
        if line.event == "request":
            self._request(line)
        elif line.event in {"change", "changes", "held"}:
            self._change(line)
        elif line.event == "unresolved" and line.code:
            self.unresolved[line.code] += 1
            for currency, amount in line.money:
                self.money[printable(currency, width=12), line.code] += Decimal(amount)

    def _request(self, line: LogLine) -> None:
        vendor = line.vendor or ""
        status = f"{line.status // 100}xx" if line.status is not None else "none"
        self.requests[vendor, line.method or "", status] += 1
        self.throttled[vendor] += line.status == THROTTLED

    def _change(self, line: LogLine) -> None:
        kind, count = line.kind or "", line.count or 1
        if line.outcome == "planned":
            self.planned[kind] += count
            return
        self.changes[kind, line.outcome or ""] += count
        if line.event == "held":
            self.held[line.code or ""] += 1
        else:
            self.planned[kind] -= count

    @property
    def by_outcome(self) -> dict[tuple[str, str], int]:
        """The changes by kind and outcome; one that nobody tried to make is only planned."""
        planned = {(kind, "planned"): count for kind, count in self.planned.items() if count > 0}
        return {**self.changes, **planned}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; `last_success` is the last time that billing left nothing undone, if ever."""

    at: datetime
    seconds: float
    exit_code: int
    last_success: datetime | None


def metrics_text(ended: Ended, tally: Tally) -> bytes:
    """Return all figures, each with its help and its type."""
    registry = CollectorRegistry()  # of our own: the library's global one would add what this process is
    registry.register(_Figures(ended, tally))
    return generate_latest(registry)


@dataclass(slots=True, eq=False)
class _Figures:
    ended: Ended
    tally: Tally

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        ended, tally = self.ended, self.tally
        yield _one("last_run_timestamp_seconds", "When the last command ended.", ended.at.timestamp())
        if ended.last_success is not None:
            yield _one(
                "last_success_timestamp_seconds",
                "When billing last ended with exit code 0.",
                ended.last_success.timestamp(),
            )
        yield _one("run_duration_seconds", "How long the last command took.", round(ended.seconds, 3))
        yield _one("exit_code", "The exit code of the last command.", ended.exit_code)
        yield _gauge("changes", "Changes of the last command.", ("kind", "outcome"), tally.by_outcome)
        yield _gauge(
            "unresolved", "Usage that is billed to nobody, or waits for a price.", ("code",), tally.unresolved
        )
        yield _gauge("held", "Changes that wait for a person.", ("code",), tally.held)
        yield _gauge(
            "money_at_stake",
            "What Sophos charges for what is billed to nobody, as far as it is known.",
            ("currency", "code"),
            tally.money,
        )
        yield _counter(
            "api_requests",
            "Requests of the last command, repetitions included.",
            ("vendor", "method", "status"),
            tally.requests,
        )
        yield _counter(
            "throttled",
            "Requests of the last command that the vendor was too busy for.",
            ("vendor",),
            tally.throttled,
        )


def _one(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(f"connector_{name}", told, value=value)


def _gauge(name: str, told: str, labels: tuple[str, ...], figures: Figures) -> Metric:
    family = GaugeMetricFamily(f"connector_{name}", told, labels=labels)
    for values, figure in sorted(figures.items()):
        family.add_metric(_labels(values), float(figure))
    return family


def _counter(name: str, told: str, labels: tuple[str, ...], figures: Figures) -> Metric:
    family = CounterMetricFamily(f"connector_{name}", told, labels=labels)
    for values, figure in sorted(figures.items()):
        family.add_metric(_labels(values), float(figure))
    return family


def _labels(values: str | tuple[str, ...]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else values

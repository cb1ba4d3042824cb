"""The bench's figures as Markdown and as JSON."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bench.kinds import KINDS
from bench.scenarios import Night, Weather

SCHEMA = "connector.bench/1"
BEGIN, END = "<!-- bench -->", "<!-- end of bench -->"


def markdown(nights: Sequence[Night], scripts: Sequence[Night], weather: Weather) -> str:
    """Return all tables, each figure beside what it is measured against."""
    parts = [_conditions(weather), _table(_summary(nights))]
    if any(not night.real_time for night in nights):
        parts.append(
            "° measured without latency or limits. The time in brackets is worked out, not measured: with "
            "them no run that makes these requests can be quicker."
        )
    parts += ["Requests made/fewest possible:", _table(_by_kind(nights))]
    if scripts:
        parts += ["The same quiet night by an MSP's own script:", _table(_against(nights, scripts))]
    faults = [f"- {_name(night)}: {fault}" for night in (*nights, *scripts) for fault in night.faults]
    if faults:
        parts += ["**Not as it must be, so no figures:**", "\n".join(faults)]
    return "\n\n".join(parts) + "\n"


def document(nights: Sequence[Night], scripts: Sequence[Night], weather: Weather) -> dict[str, Any]:
    """Return the same as one JSON document."""
    return {
        "schema": SCHEMA,
        "machine": _machine(),
        "python": platform.python_version(),
        "latency_ms": round(weather.latency * 1000),
        "limits": weather.limits,
        "nights": [_night(night) for night in nights],
        "baseline": [
            _night(script) | {"times_slower": {each.mode: times for each, times in _times(nights, script)}}
            for script in scripts
        ],
    }


def put_into(page: str, tables: str) -> str:
    """Return a page with these tables in place of those between its markers."""
    before, rest = page.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n\n{tables}\n{END}{after}"


def _conditions(weather: Weather) -> str:
    limits = "the vendors' limits on" if weather.limits else "no limits"
    day = datetime.now(UTC).date()
    latency = round(weather.latency * 1000)
    return (
        f"{day}, {_machine()}, Python {platform.python_version()}; {latency} ms for each request, {limits}."
    )


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"


def _summary(nights: Sequence[Night]) -> list[list[str]]:
    heads = [
        "tenants", "scenario", "additions by", "requests", "fewest", "ratio", "writes", "429", "wall", "CPU",
        "CPU per line", "peak", "again: python -m bench",
    ]  # fmt: skip
    return [heads, *(_summarised(night) for night in nights)]


def _summarised(night: Night) -> list[str]:
    cost = night.cost
    wall = f"{cost.wall_seconds:,.1f} s"
    if not night.real_time:
        wall += f"° (at least {_long(night.shortest_seconds)})"
    return [
        f"{night.tenants:,}",
        night.scenario,
        night.mode,
        f"{sum(night.requests.values()):,}",
        f"{sum(night.fewest.values()):,}",
        f"{night.ratio:.2f}",
        f"{night.requests.get('writes', 0):,}",
        f"{night.throttled:,} ({night.share_throttled:.1%})",
        wall,
        "not measured" if cost.cpu_seconds is None else f"{cost.cpu_seconds:,.1f} s",
        "not measured" if cost.cpu_seconds is None else f"{cost.cpu_seconds / night.lines * 1e6:,.0f} µs",
        "not measured" if cost.peak_mib is None else f"{cost.peak_mib:,.0f} MiB",
        f"`{_again(night)}`",
    ]


def _again(night: Night) -> str:
    """Return the options that measure a night again, as it was measured."""
    which = f"--tenants {night.tenants} --scenarios {night.scenario} --mode {night.mode}"
    return which if night.real_time else f"{which} --no-limits"


def _by_kind(nights: Sequence[Night]) -> list[list[str]]:
    rows = [["tenants", "scenario", "additions by", *KINDS]]
    for night in nights:
        counts = [
            f"{night.requests.get(kind, 0):,}/{night.fewest.get(kind, 0):,}"
            if night.requests.get(kind, 0) or night.fewest.get(kind, 0)
            else ""
            for kind in KINDS
        ]
        rows.append([f"{night.tenants:,}", night.scenario, night.mode, *counts])
    return rows


def _against(nights: Sequence[Night], scripts: Sequence[Night]) -> list[list[str]]:
    rows = [["tenants", "its requests", "429", "its wall", "the connector's wall", "times slower"]]
    for script in scripts:
        own = [
            f"{script.tenants:,}",
            f"{sum(script.requests.values()):,}",
            f"{script.throttled:,}",
            f"{script.cost.wall_seconds:,.1f} s",
        ]
        for night, times in _times(nights, script):
            rows.append([*own, f"{night.cost.wall_seconds:,.1f} s ({night.mode})", f"{times:.1f}"])
    return rows


def _times(nights: Sequence[Night], script: Night) -> list[tuple[Night, float]]:
    """Return the quiet nights of that size under the same conditions, and how much longer the script took."""
    return [
        (night, script.cost.wall_seconds / night.cost.wall_seconds)
        for night in nights
        if (night.tenants, night.scenario, night.real_time) == (script.tenants, "quiet", script.real_time)
    ]


def _night(night: Night) -> dict[str, Any]:
    said = asdict(night)
    for name in ("requests", "fewest"):
        counts: Mapping[str, int] = said[name]
        said[name] = {kind: counts[kind] for kind in KINDS if counts.get(kind)}
    more = ("lines", "ratio", "share_throttled", "shortest_seconds")
    return said | {name: getattr(night, name) for name in more}


def _name(night: Night) -> str:
    return f"{night.tenants:,} tenants, {night.scenario}, {night.mode}"


def _long(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a Markdown table, columns aligned for people who read it in a terminal."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])

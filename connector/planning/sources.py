"""Where a month's usage comes from, in our words and in people's."""

from collections.abc import Mapping
from typing import Literal

Source = Literal["sophos-api", "file", "live"]

API: Source = "sophos-api"
FILE: Source = "file"
LIVE: Source = "live"

OPTIONS: Mapping[str, Source] = {"api": API, "file": FILE, "live": LIVE}
"""What `--source` takes."""

_TOLD: Mapping[str, str] = {
    API: "Sophos's billing usage (--source api)",
    FILE: "a consumption file (--source file)",
    LIVE: "live counts (--source live)",
}


def source_named(text: str) -> Source:
    """Return a source by the name that plans carry."""
    return next(source for source in OPTIONS.values() if source == text)


def told_source(source: str) -> str:
    """Say what a source is, with the option that chooses it."""
    return _TOLD[source]


def source_option(source: str) -> str:
    """Return what a command needs to say to plan from this source again; nothing for the usual one."""
    return "" if source == API else f" --source {source}"


def replaces(source: str, applied: str) -> bool:
    """Whether usage of a source may follow what was applied: an invoice ends live counts."""
    return applied in {source, LIVE}

"""`--log-format`, `--log-file` and `--metrics`, and the settings that say the same."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from connector.cli.story_log import StoryLog

Format = Literal["text", "json"]

LogFormat = Annotated[
    Format | None,
    typer.Option("--log-format", help="Lines for people or for programs. [CONNECTOR_LOG_FORMAT, else text]"),
]
LogPath = Annotated[
    Path | None,
    typer.Option("--log-file", metavar="PATH", help="Log to this file, too. [CONNECTOR_LOG_FILE]"),
]
MetricsPath = Annotated[
    Path | None,
    typer.Option("--metrics", metavar="FILE", help="Leave figures for Prometheus. [CONNECTOR_METRICS]"),
]


@dataclass(frozen=True, slots=True)
class Logging:
    """What was said before the command of where its story goes, and what takes it there."""

    log: "StoryLog"
    command: str
    format: Format | None = None
    file: Path | None = None
    metrics: Path | None = None

    def begin(self, get: Callable[[str], str | None], folder: Path, home: Path, state: Path) -> None:
        """Join that with the settings; raises SettingsFault.

        Paths that a person types begin in `folder`, those of settings at `home`.
        """
        self.log.meter(self.command, _path(self.metrics, get("CONNECTOR_METRICS"), folder, home), state)
        file = _path(self.file, get("CONNECTOR_LOG_FILE"), folder, home)
        self.log.write(file, as_json=(self.format or _format(get)) == "json")


def _format(get: Callable[[str], str | None]) -> str:
    from connector.errors import SettingsFault
    from connector.reports.escape import printable

    said = get("CONNECTOR_LOG_FORMAT") or "text"
    if said not in {"text", "json"}:
        raise SettingsFault(
            f"CONNECTOR_LOG_FORMAT is {printable(said, width=40)!r}; it is text or json.",
            "Leave it out to take text.",
        )
    return said


def _path(given: Path | None, said: str | None, folder: Path, home: Path) -> Path | None:
    if given is not None:
        return folder / given
    return home / said if said else None

"""Nights of an MSP's job, as the command does them, with people who are told of them."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from months.msp import Msp

from connector.mappings.load import parse_mappings
from connector.planning.findings import Options
from connector.reports.night import NightReport
from connector.runs.nightly import Nightly
from connector.runs.session import Setup
from connector.runs.story import Silence
from connector.runs.telling.delivery import Timings
from connector.runs.telling.notify import Notifier
from connector.settings import Surroundings, read_settings
from connector.simulator import Simulator

QUICK = Timings(answer=1.0, whole=10.0)


@dataclass
class Nights:
    """One state folder and its nights."""

    simulator: Simulator
    msp: Msp
    folder: Path
    addresses: list[str] = field(default_factory=list)
    heartbeat: str = ""
    profile: str = ""
    said: list[str] = field(default_factory=list)
    report: NightReport | None = None

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / "state folder"

    def setup(self, day: date) -> Setup:
        """Return what a night is made of."""
        environment = self.simulator.settings() | {"CONNECTOR_NOTIFY": " ".join(self.addresses)}
        environment |= {"CONNECTOR_HEARTBEAT_URL": self.heartbeat, "CONNECTOR_TIMEOUT": "2"}
        text = self.msp.text()
        return Setup(
            settings=read_settings(Surroundings(environment, self.folder)),
            mappings=parse_mappings(text.encode(), "mappings.yaml"),
            state=self.state,
            today=day,
            now=lambda: datetime(day.year, day.month, day.day, 2, tzinfo=UTC),
            who="job@here",
            pid=1,
            command="connector nightly",
            story=Silence(),
            map_text=text,
            profile=self.profile,
        )

    def night(self, day: date | None = None, options: Options | None = None) -> tuple[str, ...]:
        """Let a night pass and tell people; return the warnings."""
        day = day or self.msp.world.today
        if day > self.msp.world.today:
            self.msp.world.advance(day)
        setup = self.setup(day)
        self.report = Nightly(setup, options or Options()).run()
        return self.tell(setup, self.report)

    def tell(self, setup: Setup, report: NightReport) -> tuple[str, ...]:
        """Tell people of a night."""
        notifier = Notifier.of(setup)
        notifier.timings = QUICK
        warnings = notifier.tell(report)
        self.said += warnings
        return warnings

    def without_its_ledger(self, setup: Setup) -> Setup:
        """Return a setup whose state folder is a file."""
        (self.folder / "no folder").write_text("")
        return replace(setup, state=self.folder / "no folder")

"""Everything a run needs, opened in the right order and closed whatever happens."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from connector import __version__
from connector.errors import ConnectorError, StateFault
from connector.ledger import Ledger
from connector.model import Mappings
from connector.planning.findings import Options
from connector.planning.sources import API, FILE, Source
from connector.reports.log_line import LogLine, error_line
from connector.runs.journal import Journal
from connector.runs.lock import one_run_at_a_time
from connector.runs.pipeline import Pipeline
from connector.runs.reading import Sophos
from connector.runs.story import Story
from connector.settings import Settings
from connector.vendors.connectwise import ConnectWiseClient
from connector.vendors.connectwise_session import connectwise_pace
from connector.vendors.pace import Pace
from connector.vendors.sophos import SophosClient
from connector.vendors.sophos_session import sophos_pace
from connector.vendors.transport import Patience, Trace

INTERRUPTED = 130
IN_FLIGHT_SECONDS = 10.0
"""So long after a request left, it may still be carried out although nobody waits for its answer. How long we
wait for answers says nothing about that."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run is made of: settings, the map, the state folder, the clock, and who runs it.

    `map_text` is mappings.yaml to the letter, for the ledger; `profile` is the one that was asked for.
    `pace` is that of all its clients of ConnectWise, and `sophos_pace` of Sophos: a night of several months
    and sources has one limit, not several.
    """

    settings: Settings
    mappings: Mappings
    state: Path
    today: date
    now: Callable[[], datetime]
    who: str
    pid: int
    command: str
    story: Story
    trace: Trace | None = None
    map_text: str = ""
    profile: str = ""
    pace: Pace = field(default_factory=connectwise_pace)
    sophos_pace: Pace = field(default_factory=sophos_pace)

    def sophos(self) -> SophosClient:
        """Return a client of Sophos."""
        said = self.settings.sophos
        return SophosClient(
            client_id=said.client_id,
            client_secret=said.client_secret,
            auth_url=said.auth_url,
            api_url=said.api_url,
            pace=self.sophos_pace,
            patience=self.patience,
            trace=self.trace,
        )

    def connectwise(self) -> ConnectWiseClient:
        """Return a client of ConnectWise."""
        said = self.settings.connectwise
        return ConnectWiseClient(
            url=said.url,
            company=said.company,
            public_key=said.public_key,
            private_key=said.private_key,
            client_id=said.client_id,
            patience=self.patience,
            trace=self.trace,
            pace=self.pace,
        )

    @property
    def patience(self) -> Patience:
        """How long to wait for a vendor."""
        return Patience(timeout_read=self.settings.timeout_seconds)


@contextmanager
def begun(
    setup: Setup, kind: str, options: Options, source: Source = API, *, sophos: Sophos | None = None
) -> Iterator[Pipeline]:
    """Begin a run: take the lock, open the ledger, write the run down, then make the clients.

    `sophos` is a client that several runs share; without it the run makes its own.

    What cannot be written down is not begun. However the block ends, the run's end is recorded; the block
    records a good one itself, because only it knows the exit code.
    """
    own = setup.sophos() if sophos is None and source != FILE else None
    connectwise = setup.connectwise()
    with (
        one_run_at_a_time(setup.state, who=setup.who, pid=setup.pid, command=setup.command, now=setup.now()),
        Ledger(setup.state, now=setup.now) as ledger,
    ):
        run = ledger.begin_run(kind, options, who=setup.who, version=__version__, today=setup.today)
        journal = Journal(ledger, run, setup.story, setup.now)
        journal.begin(kind, setup.who)
        try:
            if setup.map_text:
                ledger.record_map(run, setup.map_text)
            yield Pipeline(
                sophos_client=sophos if sophos is not None else own,
                connectwise=connectwise,
                ledger=ledger,
                mappings=setup.mappings,
                today=setup.today,
                run=run,
                story=journal,
                sleep=time.sleep,
                now=setup.now,
                in_flight_seconds=IN_FLIGHT_SECONDS,
            )
        except ConnectorError as error:
            with suppress(StateFault):  # what ended the run is what must be told
                ledger.finish_run(run, error.exit_code, error.code)
            journal.said(error_line(error, "run.end"))
            raise
        except KeyboardInterrupt:
            with suppress(StateFault):
                ledger.finish_run(run, INTERRUPTED, "INTERRUPTED")
            journal.said(LogLine("run.end", f"Run {run} was interrupted.", "error", exit_code=INTERRUPTED))
            raise
        finally:
            connectwise.close()  # before the lock is let go: no thread of this run may send anything after
            if own is not None:
                own.close()
            journal.close()

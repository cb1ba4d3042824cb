"""Tells people what a night left to them: one message, a ticket for each cause, and a heartbeat.

Nothing of it changes what the night did or its exit code: whatever fails here is a warning.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from connector.errors import ConnectorError, StateFault
from connector.ledger import Ledger
from connector.ledger.notices import (
    finished_months,
    forget_told,
    known_tickets,
    record_settled,
    record_told,
    settled_causes,
    told_causes,
)
from connector.model import Mappings
from connector.planning.causes.cause import Cause, cause_of_error
from connector.planning.causes.news import Looked, News, Told, news_of
from connector.reports.escape import printable
from connector.reports.night import DONE, TO_DECIDE, NightReport
from connector.reports.notice import NOBODY, Whose, news_text, news_title, success_text, success_title
from connector.reports.outcome import Run
from connector.runs.session import Setup
from connector.runs.telling.delivery import Message, Timings, deliver
from connector.runs.telling.heartbeat import beat
from connector.runs.telling.night_causes import causes_of_night, looked_at
from connector.runs.telling.tickets import TicketDesk, Tickets, proposed_name, ticket_desk
from connector.settings import NotifySettings

LOCK_NAME = "connector.telling.lock"
Known = frozenset[str]
"""The ids of the causes that somebody knows of."""


@dataclass(slots=True)
class Notifier:
    """Whom to tell, and what they know already.

    `desk` returns the desk where tickets are opened; it is called only where the map asks for tickets, and
    a night that could not even read its settings has none.
    """

    settings: NotifySettings
    state: Path
    now: Callable[[], datetime]
    mappings: Mappings = field(default_factory=Mappings)
    desk: Callable[[], TicketDesk] | None = None
    proposed: str = ""
    timings: Timings = field(default_factory=Timings)
    whose: Whose = NOBODY

    @classmethod
    def of(cls, setup: Setup) -> Self:
        """Return the notifier of a night that has begun."""
        return cls(
            settings=setup.settings.notify,
            state=setup.state,
            now=setup.now,
            mappings=setup.mappings,
            desk=lambda: ticket_desk(setup),
            proposed=proposed_name(setup),
            whose=Whose(setup.settings.connectwise.company, setup.profile),
        )

    def tell(self, report: NightReport) -> tuple[str, ...]:
        """Tell what a night left to people; return a line for each thing that failed in doing so."""
        warnings: list[str] = []
        told = False
        with self._turn(warnings) as mine:
            if mine:
                told = self._told(report, warnings)
        # 3 leaves something to people: that is well only if they know of it.
        well = report.exit_code == DONE or (report.exit_code == TO_DECIDE and told)
        if well and self.settings.heartbeat:
            with _warned("The heartbeat", warnings):
                warnings += [line for line in (beat(self.settings.heartbeat, self.timings),) if line]
        return tuple(warnings)

    def tell_error(self, error: ConnectorError) -> tuple[str, ...]:
        """Tell why a night could not even begin; return what failed in doing so."""
        warnings: list[str] = []
        cause = cause_of_error(error)
        if cause is None:
            return ()
        with self._turn(warnings) as mine:
            if mine:
                with self._memory(warnings) as ledger, _warned("Notifications", warnings):
                    self._message((cause,), Looked(faulted=True), [], ledger, warnings)
        return tuple(warnings)

    def _told(self, report: NightReport, warnings: list[str]) -> bool:
        """Send the message and bring the tickets in line; return whether each cause is known to somebody."""
        known: Known = frozenset()
        with self._memory(warnings) as ledger:
            found: list[tuple[tuple[Cause, ...], Looked]] = []
            with _warned("Notifications", warnings):
                causes = causes_of_night(report, self.mappings, ledger)
                looked = looked_at(report, finished_months(ledger) if ledger is not None else ())
                found.append((causes, looked))
                runs = [step.run for step in report.steps if step.run is not None]
                known |= self._message(causes, looked, runs, ledger, warnings)
            for causes, looked in found:
                with _warned("Tickets", warnings):
                    known |= self._tickets(causes, looked, ledger, warnings)
        return bool(found) and all(cause.id in known for causes, _ in found for cause in causes)

    # The message ---------------------------------------------------------------------------------

    def _message(
        self,
        causes: Sequence[Cause],
        looked: Looked,
        runs: Sequence[Run],
        ledger: Ledger | None,
        warnings: list[str],
    ) -> Known:
        """Send what people do not know yet; return what they know now."""
        if not self.settings.addresses:
            return frozenset()
        news, settled = _remembered(causes, looked, ledger)
        known = frozenset(cause.id for cause in news.same)
        if news.to_tell:
            message = Message(news_title(news, self.whose), news_text(news, runs, settled, self.whose))
        elif self._worth_a_digest(runs):
            text = success_text(runs, settled, self.whose, still_open=len(news.same))
            message = Message(success_title(runs, self.whose), text, urgent=False)
        else:
            return known
        taken, failed = deliver(self.settings.addresses, message, self.timings)
        warnings += failed
        if taken and ledger is not None:
            record_told(ledger, (*news.new, *news.changed), settled)
            forget_told(ledger, news.passed)
        return known | {cause.id for cause in news.to_tell} if taken else known

    def _worth_a_digest(self, runs: Sequence[Run]) -> bool:
        billed = any(result.outcome == "done" for run in runs for result in run.results)
        return self.mappings.notify.success and billed

    # Tickets -------------------------------------------------------------------------------------

    def _tickets(
        self, causes: Sequence[Cause], looked: Looked, ledger: Ledger | None, warnings: list[str]
    ) -> Known:
        """Bring the tickets in line; return what has one now."""
        rules = self.mappings.notify.ticket
        if rules is None or ledger is None or self.desk is None:
            return frozenset()
        tickets = Tickets(self.desk(), ledger, rules, self.proposed, warnings, self.whose)
        tickets.settle(causes, looked)
        return frozenset(name for name, each in known_tickets(ledger).items() if not each.settled)

    @contextmanager
    def _turn(self, warnings: list[str]) -> Iterator[bool]:
        """Wait while another night tells, so that nothing is told twice; yield False where it takes long."""
        try:
            self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(self.state / LOCK_NAME, timeout=self.timings.turn, mode=0o600)
            lock.acquire()
        except Timeout:
            warnings.append("Another night is telling people still: what is new is told the next time.")
            yield False
            return
        except (OSError, ValueError):  # people must hear that the state folder is broken, too
            yield True
            return
        try:
            yield True
        finally:
            lock.release()

    @contextmanager
    def _memory(self, warnings: list[str]) -> Iterator[Ledger | None]:
        """Open the ledger, or go on without: people must hear that the state folder is broken, too."""
        try:
            ledger = Ledger(self.state, now=self.now)
        except StateFault as fault:
            warnings.append(f"What people were told cannot be remembered: {printable(fault.message)}")
            yield None
            return
        with ledger:
            yield ledger


def _remembered(
    causes: Sequence[Cause], looked: Looked, ledger: Ledger | None
) -> tuple[News, tuple[Told, ...]]:
    """Return the news, and what has been settled since the last message."""
    if ledger is None:
        return news_of(causes, {}, looked), ()
    news = news_of(causes, told_causes(ledger), looked)
    record_settled(ledger, news.gone)
    forget_told(ledger, news.closed)
    ids = {cause.id for cause in causes}
    return news, tuple(each for each in settled_causes(ledger) if each.id not in ids)


@contextmanager
def _warned(what: str, warnings: list[str]) -> Iterator[None]:
    """Make a warning of whatever goes wrong; of an error that is not ours, only its kind is safe to tell."""
    try:
        yield
    except ConnectorError as error:
        warnings.append(f"{what}: {printable(' '.join(error.message.split()), width=500)}")
    except Exception as error:  # noqa: BLE001  # its words may hold an address
        warnings.append(f"{what} broke off: {type(error).__name__}")

"""Tells people what a night left to them: one message, a ticket for each cause, and a heartbeat.

Nothing of it changes what the night did or its exit code: whatever fails here is a warning.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from connector.errors import ConnectorError, StateFault
from connector.ledger import Ledger
from connector.ledger.notices import record_settled, record_told, settled_causes, told_causes
from connector.model import Mappings
from connector.planning.causes import Cause, cause_of_error
from connector.planning.news import Looked, News, Told, news_of
from connector.reports.escape import printable
from connector.reports.night import DONE, TO_DECIDE, NightReport
from connector.reports.notice import news_text, news_title, success_text, success_title
from connector.reports.outcome import Run
from connector.runs.delivery import Message, Timings, deliver
from connector.runs.heartbeat import beat
from connector.runs.night_causes import causes_of_night, looked_at
from connector.runs.session import Setup
from connector.runs.tickets import TicketDesk, Tickets, proposed_name, ticket_desk
from connector.settings import NotifySettings


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
        )

    def tell(self, report: NightReport) -> tuple[str, ...]:
        """Tell what a night left to people; return a line for each thing that failed in doing so."""
        warnings: list[str] = []
        with self._memory(warnings) as ledger:
            causes: tuple[Cause, ...] = ()
            told = False
            with _warned("Notifications", warnings):
                causes = causes_of_night(report, self.mappings, ledger)
                runs = [step.run for step in report.steps if step.run is not None]
                told = self._message(causes, looked_at(report), runs, ledger, warnings)
            with _warned("Tickets", warnings):
                self._tickets(causes, looked_at(report), ledger, warnings)
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
        with self._memory(warnings) as ledger, _warned("Notifications", warnings):
            if cause is not None:
                self._message((cause,), Looked(faulted=True), [], ledger, warnings)
        return tuple(warnings)

    # The message ---------------------------------------------------------------------------------

    def _message(
        self,
        causes: Sequence[Cause],
        looked: Looked,
        runs: Sequence[Run],
        ledger: Ledger | None,
        warnings: list[str],
    ) -> bool:
        """Send what people do not know yet; return False where there is such a thing and nobody took it."""
        if not self.settings.addresses:
            return True
        news, settled = _remembered(causes, looked, ledger)
        if news.to_tell:
            message = Message(news_title(news), news_text(news, runs, settled))
        elif self._worth_a_digest(news, runs):
            message = Message(success_title(runs), success_text(runs, settled), urgent=False)
        else:
            return True
        taken, failed = deliver(self.settings.addresses, message, self.timings)
        warnings += failed
        if taken and ledger is not None:
            record_told(ledger, news.to_tell, settled)
        return taken or not news.to_tell

    def _worth_a_digest(self, news: News, runs: Sequence[Run]) -> bool:
        billed = any(result.outcome == "done" for run in runs for result in run.results)
        return self.mappings.notify.success and billed and not news.same

    # Tickets -------------------------------------------------------------------------------------

    def _tickets(
        self, causes: Sequence[Cause], looked: Looked, ledger: Ledger | None, warnings: list[str]
    ) -> None:
        rules = self.mappings.notify.ticket
        if rules is None or ledger is None or self.desk is None:
            return
        tickets = Tickets(self.desk(), ledger, rules, self.proposed, warnings)
        tickets.settle(causes, looked)

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

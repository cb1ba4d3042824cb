"""One night of the unattended job: bill what is due, look again at what was billed, and say what came of it.

Each month is a run of its own, with its own lock and its own record, so that a night that breaks off has
finished what it has finished.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain

from connector.errors import ConnectorError, StateFault
from connector.ledger import Ledger
from connector.ledger.billed import billed_month, usage_read
from connector.ledger.health import record_night
from connector.ledger.nights import night_history
from connector.model import Firewall, Mappings, Period, Tenant, UsagePage
from connector.planning.findings import Options, Unresolved
from connector.planning.pricing import uses_prices
from connector.planning.resolve import Off, item_for
from connector.planning.restatement import find_restated, restatement_findings
from connector.planning.schedule import Due, Night, first_night, next_month, plan_night
from connector.planning.sources import API, LIVE
from connector.reports.log_line import LogLine
from connector.reports.night import DONE, PARTLY, TO_DECIDE, NightReport, Step
from connector.runs.draft import finder_of, names_of
from connector.runs.pipeline import Pipeline
from connector.runs.reading import Sophos
from connector.runs.session import Setup, begun
from connector.vendors.sophos_licences import LicenceCount

_GOES_ON = frozenset({DONE, TO_DECIDE, PARTLY})
"""The exit codes of a month after which a later one may be billed."""


@dataclass(slots=True)
class Nightly:
    """Does one night."""

    setup: Setup
    options: Options = field(default_factory=Options)

    def night(self) -> Night:
        """Return what is due tonight."""
        with Ledger(self.setup.state, now=self.setup.now) as ledger:
            return plan_night(self.setup.mappings.schedule, self.setup.today, night_history(ledger))

    def run(self) -> NightReport:
        """Do it; whatever ends a month's run is in the report, and no later month goes before an earlier.

        Raises KeyboardInterrupt where nothing was written: else that has to be told, as far as it came.
        """
        night = self.night()
        sophos = OnceANight(self.setup.sophos)
        steps: list[Step] = []
        interrupted = False
        try:
            for step in chain(self._bill(night, sophos), self._look_again(night, sophos)):
                steps.append(step)
                interrupted = step.run is not None and step.run.interrupted
                if interrupted:
                    break
        except KeyboardInterrupt:
            if not any(step.wrote for step in steps):
                raise
            interrupted = True
        finally:
            sophos.close()
        note = "interrupted; the rest of it waits for the next night" if interrupted else self._note(night)
        report = NightReport(night.day, tuple(steps), note, interrupted)
        # What was written must be told, also where the night itself cannot be written down any more.
        with suppress(StateFault), Ledger(self.setup.state, now=self.setup.now) as ledger:
            record_night(ledger, night.day, report.exit_code)
        return report

    def _bill(self, night: Night, sophos: "OnceANight") -> Iterator[Step]:
        billed: set[Period] = set()
        stopped = ""
        for due in night.due:
            if due.source == LIVE and due.period in billed:
                continue
            waits = stopped if due.source == API else ""
            if due.waits_for is not None:
                waits = f"live counts begin the night after {due.waits_for} is billed"
            if waits:
                yield Step(due.period, due.source, note=waits, overdue=due.overdue, waits=True)
                continue
            step = self._month(due, sophos)
            if step.run is not None:
                billed.add(due.period)
            # A line that refused its quantity would refuse the next month's, too: it holds back no other.
            if due.source == API and (step.error is not None or step.exit_code not in _GOES_ON):
                stopped = f"it waits until {due.period} is billed"
            yield step

    def _month(self, due: Due, sophos: "OnceANight") -> Step:
        try:
            client = sophos if due.source == API else None
            with begun(self.setup, "nightly", self.options, due.source, sophos=client) as pipeline:
                plan = pipeline.plan(due.period, self.options, due.source)
                run = pipeline.apply(plan, plan.digest)
                pipeline.finish(run.exit_code)
        except ConnectorError as error:
            return Step(due.period, due.source, error=error, overdue=due.overdue)
        return Step(due.period, due.source, run=run, overdue=due.overdue)

    def _look_again(self, night: Night, sophos: "OnceANight") -> Iterator[Step]:
        for period in night.look_again:
            try:
                with begun(self.setup, "look-again", Options(), API, sophos=sophos) as pipeline:
                    restated = look_again(pipeline, period)
                    pipeline.finish(TO_DECIDE if restated else DONE)
            except ConnectorError as error:
                yield Step(period, API, error=error)
            else:
                yield Step(period, API, restated=restated, note="" if restated else "as it was billed")

    def _note(self, night: Night) -> str:
        if not night.idle:
            return ""
        with Ledger(self.setup.state, now=self.setup.now) as ledger:
            applied = night_history(ledger).applied
        coming = Period.of(night.day) if applied is None else next_month(applied)
        return f"nothing is due; {coming} is from {first_night(self.setup.mappings.schedule, coming)} on"


def look_again(pipeline: Pipeline, period: Period) -> tuple[Unresolved, ...]:
    """Read a billed month once more, store it, and return what has changed since; ConnectWise is not asked.

    What the map has off is not told.
    """
    billed = billed_month(pipeline.ledger, period, API, pipeline.today, passed=True)
    usage = pipeline.reader.read(API, period)
    now = usage_read(pipeline.ledger, pipeline.run)
    if billed is None or billed.usage == now:
        return ()
    finder = finder_of(usage, pipeline.mappings)
    priced = uses_prices(pipeline.mappings)
    restated = find_restated(billed.rows, usage.rows, finder.tenant_of, priced=priced)
    told = [
        each
        for each in restated
        if each.tenant_id is None or not _is_off(pipeline.mappings, each.tenant_id, each.product_code)
    ]
    findings = restatement_findings(
        told,
        period,
        API,
        names_of(usage, pipeline.mappings),
        newer=pipeline.ledger.newest_applied(),
        compare=f"connector usage compare {billed.usage} {now}",
    )
    for each in findings:
        pipeline.story.said(
            LogLine(
                "unresolved",
                each.message,
                "warning",
                period=str(period),
                code=each.code,
                tenant=each.tenant_id,
                next=each.next_step,
            )
        )
    return findings


def _is_off(mappings: Mappings, tenant_id: str, product_code: str) -> bool:
    tenant = mappings.tenants.get(tenant_id)
    if tenant is not None and not tenant.sync:
        return True
    return isinstance(item_for(mappings, tenant, product_code), Off)


class OnceANight:
    """A client of Sophos that asks for its lists once, however many months a night looks at."""

    def __init__(self, make: Callable[[], Sophos]) -> None:
        """`make` returns the client; it is called when something is asked for the first time."""
        self._make = make
        self._client: Sophos | None = None
        self._tenants: tuple[Tenant, ...] | None = None
        self._firewalls: tuple[Firewall, ...] | None = None

    def tenants(self) -> tuple[Tenant, ...]:
        """Return every tenant."""
        if self._tenants is None:
            self._tenants = self._sophos.tenants()
        return self._tenants

    def firewalls(self) -> tuple[Firewall, ...]:
        """Return every firewall licence record."""
        if self._firewalls is None:
            self._firewalls = self._sophos.firewalls()
        return self._firewalls

    def billing_pages(self, period: Period) -> Iterator[UsagePage]:
        """Yield a month page by page; raises NotPublished in place of the first."""
        return self._sophos.billing_pages(period)

    def licence_counts(self, tenant_id: str) -> tuple[LicenceCount, ...] | None:
        """Return what a tenant's monthly licences count today, or None where it may not be seen."""
        return self._sophos.licence_counts(tenant_id)

    def close(self) -> None:
        """Let nothing more leave, whatever threads of a month that broke off still read."""
        if self._client is not None:
            self._client.close()

    @property
    def _sophos(self) -> Sophos:
        if self._client is None:
            self._client = self._make()
        return self._client

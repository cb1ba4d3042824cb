"""One month's usage from one source: Sophos's billing, a consumption file, or live counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from connector.errors import CommandFault, NotImported, Refused
from connector.ledger import Ledger
from connector.ledger.arrival import Arrival, take_in
from connector.ledger.billed import applied_sources, billed_month, record_planned_from, usage_read
from connector.ledger.imports import FailedRow, bind_run, imported_periods, newest_import
from connector.ledger.months import pruned_on
from connector.ledger.recall import listed_last
from connector.model import Period
from connector.planning.findings import Options, Unresolved
from connector.planning.pricing import uses_prices
from connector.planning.resolve import Off, Placer
from connector.planning.restatement import find_restated, restatement_findings
from connector.planning.sources import API, FILE, LIVE, Source, told_source
from connector.runs.draft import finder_of, names_of
from connector.runs.live import count_tenants
from connector.runs.reading import Sophos, Usage, read_usage
from connector.runs.story import Story

MEND = "mend the row in the file of failed rows and import that: connector usage import FILE"


@dataclass(frozen=True, slots=True)
class Reader:
    """What reading a month takes; `sophos` is called where the source is there."""

    sophos: Callable[[], Sophos]
    ledger: Ledger
    run: int
    today: date
    story: Story

    def read(self, source: Source, period: Period | None, found: Callable[[], None] = lambda: None) -> Usage:
        """Return a month from a source, written down as what this run works with.

        `found` hears as soon as it is sure that there is one. Raises NotPublished or NotImported where there
        is none, and Refused for live counts of a month that was billed from the invoice.
        """
        read: Mapping[Source, Callable[[Period | None, Callable[[], None]], Usage]] = {
            API: self._billing,
            FILE: self._file,
            LIVE: self._live,
        }
        return read[source](period, found)

    def _billing(self, period: Period | None, found: Callable[[], None]) -> Usage:
        usage = read_usage(self.sophos(), period, self.today, self.story, keep=self._arrival, published=found)
        self.ledger.record_seen(usage.tenants, usage.firewalls)
        return usage

    def _arrival(self, month: Period) -> Arrival:
        return Arrival(self.ledger, self.run, month, API)

    def _live(self, period: Period | None, found: Callable[[], None]) -> Usage:
        month = Period.of(self.today)
        if period not in {None, month}:
            raise CommandFault(
                f"Live counts are those of today, so of {month}; there are none of {period}.",
                f"Leave the month out, or plan from the invoice: connector plan {period}",
            )
        invoiced = next((each for each in applied_sources(self.ledger, month) if each != LIVE), None)
        if invoiced is not None:
            raise Refused(
                f"{month} was billed from {told_source(invoiced)}, and live counts never touch such a month. "
                "Nothing was written.",
                f"Leave out --source live, or wait until {month} is over.",
            )
        usage = count_tenants(self.sophos(), self.ledger, self.today, self.story)
        found()  # not before: counting many customers takes hours, and what ConnectWise shows would be as old
        rows = take_in(self.ledger, self.run, usage.period, LIVE, tuple(usage.rows))
        self.ledger.record_seen(usage.tenants, usage.firewalls)
        return replace(usage, rows=rows)

    def _file(self, period: Period | None, found: Callable[[], None]) -> Usage:
        self.story.stage("Reading the imported file")
        if period is not None and self._far(period):
            raise CommandFault(
                f"{period} is more than a month ahead; billing it would keep out every month before it.",
                "Look for a wrong year in the file, and import it again: connector usage import FILE",
            )
        listed = (each for each in imported_periods(self.ledger) if not self._far(each))
        wanted = period or next(listed, None)
        imported = newest_import(self.ledger, wanted) if wanted is not None else None
        if imported is None:
            pruned = pruned_on(self.ledger, wanted) if wanted is not None else None
            gone = f" The usage of {wanted} was pruned on {pruned}." if pruned is not None else ""
            raise NotImported(
                f"No consumption file was imported for {period or 'any month up to now'}.{gone}",
                "Import one: connector usage import FILE",
            )
        found()
        bind_run(self.ledger, self.run, imported)
        return Usage(
            imported.period,
            imported.rows,
            *listed_last(self.ledger),
            source=FILE,
            failed=tuple(failed_entry(row) for row in imported.failed),
        )

    def _far(self, period: Period) -> bool:
        """Whether a month is later than the next one."""
        return period.previous > Period.of(self.today)

    def as_billed(self, usage: Usage, placer: Placer, options: Options) -> Usage:
        """Return the month as it was billed, with what has changed since; --restate takes it as it is now.

        Live counts change every day and are billed so.
        """
        if options.restate or usage.source == LIVE:
            return usage
        billed = billed_month(self.ledger, usage.period, usage.source, self.today)
        if billed is None or billed.usage == usage_read(self.ledger, self.run):
            return usage
        finder = finder_of(usage, placer.mappings)
        priced = uses_prices(placer.mappings)
        restated = find_restated(billed.rows, usage.rows, finder.tenant_of, priced=priced)
        if not restated:
            return usage
        record_planned_from(self.ledger, self.run, billed)
        names = names_of(usage, placer.mappings)
        # What is off is not told, and yet not billed as it is now, should it be turned on again.
        told = [
            each
            for each in restated
            if each.tenant_id is None or not isinstance(placer.place(each.tenant_id, each.product_code), Off)
        ]
        findings = restatement_findings(
            told, usage.period, usage.source, names, newer=self.ledger.newest_applied()
        )
        return replace(usage, rows=billed.rows, restated=findings)


def failed_entry(row: FailedRow) -> Unresolved:
    """Return a row of a file that could not be imported as what a person must look at."""
    whose = f" ({row.tenant})" if row.tenant else ""
    return Unresolved(
        code=row.code,
        message=f"row {row.number} of the file{whose} was not imported: {row.reason}",
        tenant_id=None,
        product_code=row.product_code,
        quantity=row.quantity if row.quantity is not None else Decimal(0),
        next_step=MEND,
    )

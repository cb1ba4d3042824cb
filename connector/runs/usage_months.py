"""A month of usage for people to look at: as stored, else as Sophos has it now; nothing is stored here."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from connector.errors import CommandFault, NotImported, NotPublished, SettingsFault
from connector.ledger import Ledger
from connector.ledger.history import tenant_names
from connector.ledger.months import every_snapshot, pruned_on, snapshot_rows
from connector.ledger.recall import listed_last
from connector.model import Mappings, Period, UsageRow
from connector.planning.snapshots import Snapshot
from connector.planning.sources import API, OPTIONS
from connector.planning.tenant_finder import TenantFinder
from connector.runs.draft import finder_of, names_of
from connector.runs.reading import Sophos, Usage, read_usage
from connector.runs.story import Story

_MAKE = {
    "file": "Import one: connector usage import FILE",
    "live": "Count one: connector plan --source live",
}


@dataclass(frozen=True, slots=True)
class UsageMonth:
    """A month's rows and what finds whose they are; `snapshot` is None where Sophos was asked just now."""

    period: Period
    source: str
    rows: tuple[UsageRow, ...]
    finder: TenantFinder
    names: Mapping[str, str]
    snapshot: Snapshot | None = None


@dataclass(slots=True)
class UsageMonths:
    """Finds months; `sophos` makes a client, and is asked only for what is not stored."""

    ledger: Ledger
    mappings: Mappings
    today: date
    sophos: Callable[[], Sophos]
    story: Story
    _every: tuple[Snapshot, ...] | None = field(default=None, init=False)

    @property
    def every(self) -> tuple[Snapshot, ...]:
        """Every snapshot, the newest first, also those that were pruned."""
        if self._every is None:
            self._every = every_snapshot(self.ledger)
        return self._every

    @property
    def stored(self) -> tuple[Snapshot, ...]:
        """Every snapshot that has its rows, the newest first."""
        return tuple(each for each in self.every if each.pruned_at is None)

    def month(self, period: Period | None, source: str | None = None) -> UsageMonth:
        """Return a month from a source, else from the one that was found last; raises NotPublished.

        Without a period it is the newest that Sophos has published, or that the source has.
        """
        if period is None:
            return self._newest(source)
        found = self._in_force(period, source)
        if found is not None:
            return self._recalled(found)
        if source in _MAKE:
            pruned = pruned_on(self.ledger, period)
            gone = f" What was, was pruned on {pruned}." if pruned is not None else ""
            raise NotImported(
                f"No usage of {period} is stored from the source `{source}`.{gone}", _MAKE[source]
            )
        return self._read(period)

    def named(self, text: str | None, source: str | None = None) -> UsageMonth:
        """Return what a command names: `2026-10`, `2026-10:file`, a snapshot's number; None is the newest.

        Raises CommandFault for what is none of these.
        """
        if text is None:
            return self.month(None, source)
        if re.fullmatch(r"\d{1,9}", text, re.ASCII):
            if source is not None:
                raise CommandFault("A snapshot has its source already.", "Leave --source out.")
            return self._numbered(int(text))
        month, colon, named = text.partition(":")
        if colon and (named not in OPTIONS or source not in {None, named}):
            raise CommandFault(
                f"{text!r} names no source of usage.",
                f"Write it as 2026-10:SOURCE, one of: {', '.join(OPTIONS)}.",
            )
        try:
            return self.month(Period.parse(month), named or source)
        except ValueError as error:
            raise CommandFault(
                f"PERIOD: {error}.", "Write the month as YYYY-MM, such as 2026-10, or a snapshot's number."
            ) from None

    def _numbered(self, number: int) -> UsageMonth:
        for each in self.every:
            if each.number == number and each.pruned_at is not None:
                raise CommandFault(
                    f"Snapshot {number}, of {each.period}, was pruned on {each.pruned_at[:10]}.",
                    "See what is stored: connector usage months",
                )
            if each.number == number:
                return self._recalled(each)
        raise CommandFault(f"No snapshot has the number {number}.", "Copy it from: connector usage months")

    def _newest(self, source: str | None) -> UsageMonth:
        newest = self._in_force(None, source)
        if source in _MAKE and newest is None:
            raise NotImported(f"No usage is stored from the source `{source}`.", _MAKE[source])
        if source in _MAKE and newest is not None:
            return self._recalled(newest)
        try:
            return self._published(source)
        except (NotPublished, SettingsFault):
            if newest is None:  # who has no access to the API sees what there is
                raise
            return self._recalled(newest)

    def _published(self, source: str | None) -> UsageMonth:
        """Return this month, else the last one: as stored, else as Sophos has it."""
        this = Period.of(self.today)
        for period in (this, this.previous):
            found = self._in_force(period, source)
            if found is not None:
                return self._recalled(found)
            try:
                return self._read(period)
            except NotPublished as error:
                missing = error
        raise NotPublished(f"Sophos has published neither {this} nor {this.previous}.", missing.next_step)

    def _in_force(self, period: Period | None, source: str | None) -> Snapshot | None:
        """Return what was stored last of a month, or of any, from a source, or from any."""
        wanted = OPTIONS[source] if source is not None else None
        for each in self.stored:
            if each.in_force and period in {None, each.period} and wanted in {None, each.source}:
                return each
        return None

    def _read(self, period: Period) -> UsageMonth:
        usage = read_usage(self.sophos(), period, self.today, self.story)
        return UsageMonth(usage.period, API, tuple(usage.rows), *self._whose(usage))

    def _recalled(self, snapshot: Snapshot) -> UsageMonth:
        tenants, firewalls = listed_last(self.ledger)
        rows = snapshot_rows(self.ledger, snapshot.number)
        usage = Usage(snapshot.period, rows, tenants, firewalls)
        return UsageMonth(snapshot.period, snapshot.source, rows, *self._whose(usage), snapshot)

    def _whose(self, usage: Usage) -> tuple[TenantFinder, dict[str, str]]:
        """Return what finds whose a row is, as a plan does, and what any tenant was ever called."""
        known = {tenant_id: name for tenant_id, name in tenant_names(self.ledger).items() if name}
        return finder_of(usage, self.mappings), known | names_of(usage, self.mappings)

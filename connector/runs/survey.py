"""Looks at one month from both sides, for the commands that show it; writes nothing anywhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from connector.errors import NotPublished
from connector.ledger import Ledger
from connector.ledger.history import codes_seen
from connector.ledger.recall import StoredMonth
from connector.model import Firewall, Mappings, Period, Tenant, UsageRow
from connector.planning.change import KnownAddition
from connector.planning.resolve import Placer
from connector.planning.successors import Successor, find_successors, not_followed
from connector.planning.summing import usage_parts
from connector.planning.survey import Survey
from connector.planning.tenant_finder import TenantFinder
from connector.runs.reading import ConnectWise, Sophos, Usage, read_directory, read_usage
from connector.runs.story import Story


@dataclass(frozen=True, slots=True)
class Look:
    """A survey, and the month that it is of; None where Sophos has published none yet."""

    period: Period | None
    survey: Survey


@dataclass(frozen=True, slots=True)
class Surveyor:
    """What looking at a month takes."""

    sophos: Sophos
    connectwise: ConnectWise
    ledger: Ledger
    mappings: Mappings
    today: date
    story: Story

    def look(self, period: Period | None) -> Look:
        """Read both sides; a month that was not asked for by name may be one without usage yet."""
        usage = self._usage(period)
        if usage is None:
            return self._beside(None, (), self.sophos.tenants(), self.sophos.firewalls())
        return self._beside(usage.period, tuple(usage.rows), usage.tenants, usage.firewalls)

    def recall(self, stored: StoredMonth) -> Look:
        """Read ConnectWise alone, and put it beside the month that a run has stored."""
        return self._beside(stored.period, stored.rows, stored.tenants, stored.firewalls)

    def _beside(
        self,
        period: Period | None,
        rows: tuple[UsageRow, ...],
        tenants: tuple[Tenant, ...],
        firewalls: tuple[Firewall, ...],
    ) -> Look:
        directory = read_directory(self.connectwise, self.ledger, (self.mappings,), self.today, self.story)
        called = {code: (seen.name, seen.group) for code, seen in codes_seen(self.ledger).items()}
        return Look(period, Survey(rows, tenants, firewalls, Placer(self.mappings, directory), called))

    def _usage(self, period: Period | None) -> Usage | None:
        try:
            return read_usage(self.sophos, period, self.today, self.story)
        except NotPublished:
            if period is not None:
                raise
            return None


def suspected_successors(
    known: Iterable[KnownAddition], rows: Iterable[UsageRow], finder: TenantFinder, mappings: Mappings
) -> tuple[Successor, ...]:
    """Return the codes of our lines that an unmapped one may have replaced in this month's usage."""
    lines = (each for each in known if not each.closed and each.ended is None)
    before = [part for line in lines for part in line.parts if part.quantity > 0]
    used = usage_parts(rows, finder)
    return find_successors(not_followed(before, used, mappings), used, mappings)


def successors_in(look: Look, ledger: Ledger) -> tuple[Successor, ...]:
    """Return the same for a look at a month; a month before the last one applied tells nothing of it."""
    newest = ledger.newest_applied()
    if look.period is None or (newest is not None and look.period < newest):
        return ()
    survey = look.survey
    known = ledger.known_additions().values()
    return suspected_successors(known, survey.rows, survey.finder, survey.mappings)

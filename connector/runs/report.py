"""Gathers a month's report: what was examined, beside what the ledger has of it and of earlier months."""

from datetime import datetime

from connector import __version__
from connector.ledger import Ledger
from connector.ledger.history import codes_seen
from connector.ledger.months import snapshot_rows
from connector.ledger.period_run import period_run
from connector.ledger.totals import month_sums, months_before
from connector.planning.month_report import MonthReport
from connector.planning.month_trends import months_through, movers, product_trends, sums_of
from connector.planning.survey import Survey
from connector.planning.usage_views import usage_lines
from connector.runs.diagnose import Examination
from connector.runs.draft import finder_of

MOST_MONTHS = 12


def month_report(examination: Examination, ledger: Ledger, made_at: datetime) -> MonthReport:
    """Return the report of a month that was examined; nothing is asked of a vendor, nothing is stored."""
    usage, placer, names = examination.usage, examination.placer, examination.names
    period, source = usage.period, usage.source
    stored = months_before(ledger, period, source)
    finder = finder_of(usage, placer.mappings)
    lines = usage_lines(usage.rows, finder, names)
    before = stored.get(period.previous)
    if before is not None and before.pruned_at is not None:
        before = None  # its sums are known, and not whose usage it was
    earlier = usage_lines(snapshot_rows(ledger, before.number), finder, names) if before is not None else ()
    this_year = sorted(stored)[-(MOST_MONTHS - 1) :]
    months = months_through(
        (*(month_sums(ledger, stored[each]) for each in this_year), sums_of(period, source, usage.rows)),
        MOST_MONTHS,
    )
    called = {code: (seen.name, seen.group) for code, seen in codes_seen(ledger).items()}
    survey = Survey(tuple(usage.rows), usage.tenants, usage.firewalls, placer, called)
    products = {code: name for code, (name, _) in called.items()} | {
        line.product_code: line.product for line in lines if line.product
    }
    return MonthReport(
        diagnosis=examination.diagnosis,
        plan=examination.plan,
        made_at=made_at,
        version=__version__,
        usage=lines,
        firewalls=survey.firewall_states(),
        months=months,
        trends=product_trends(months, products),
        movers=movers(earlier, lines) if before is not None else (),
        compared=period.previous if before is not None else None,
        run=period_run(ledger, period),
        names=names,
    )

"""`usage pull`: reads a month of Sophos and stores it, and says whether it moved since it was read last."""

from collections.abc import Iterable, Iterator

from connector.ledger.months import snapshots
from connector.ledger.stored_rows import stored_rows
from connector.model import Period
from connector.planning.snapshots import Pulled, Snapshot
from connector.planning.sources import API
from connector.planning.usage_comparison import Side, compare
from connector.runs.draft import finder_of
from connector.runs.pipeline import Pipeline


def pull(pipeline: Pipeline, period: Period | None) -> Pulled:
    """Store a month as Sophos has it now; without a period the newest that it has published."""
    ledger = pipeline.ledger
    stored = snapshots(ledger)
    usage = pipeline.reader.read(API, period)
    (now,) = _in_force(snapshots(ledger), usage.period)
    before = next(_in_force(stored, usage.period), None)
    if before is None or before.number == now.number:
        return Pulled(pipeline.run, "new" if before is None else "same", now, before, None)
    finder = finder_of(usage, pipeline.mappings)
    was = Side(stored_rows(ledger, before.number), finder)
    return Pulled(pipeline.run, "restated", now, before, compare(was, Side(usage.rows, finder)))


def _in_force(stored: Iterable[Snapshot], period: Period) -> Iterator[Snapshot]:
    return (each for each in stored if each.in_force and (each.period, each.source) == (period, API))

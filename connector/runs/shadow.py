"""A shadow run: both sides are read and compared, and the result is kept for the next one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from connector.ledger import Ledger
from connector.ledger.shadows import newest_shadow, record_shadow
from connector.model import Mappings, Period
from connector.planning.findings import Options
from connector.planning.resolve import Placer
from connector.planning.shadow import Shadow, Trend, trend
from connector.planning.shadow_comparison import compare
from connector.planning.sources import Source
from connector.reports.document import json_text
from connector.reports.shadow import earlier_of, shadow_document
from connector.runs.draft import inputs_of
from connector.runs.reading import Reads, Sophos, agreements_that_matter, read_additions, read_directory
from connector.runs.sources import Reader
from connector.runs.story import Story


@dataclass(frozen=True, slots=True)
class Shadowing:
    """Everything that a shadow run works with. Hold the state folder's lock while you use it."""

    sophos: Callable[[], Sophos]
    connectwise: Reads
    ledger: Ledger
    mappings: Mappings
    today: date
    run: int
    story: Story

    def compare(self, period: Period | None, source: Source) -> tuple[Shadow, Trend]:
        """Read and compare a month, keep the result, and say what has changed since the last run of it.

        Nothing becomes ours by it, and the month does not count as applied.
        """
        reader = Reader(self.sophos, self.ledger, self.run, self.today, self.story)
        usage = reader.read(source, period)
        directory = read_directory(self.connectwise, self.ledger, (self.mappings,), self.today, self.story)
        placer = Placer(self.mappings, directory)
        wanted = (placer.agreement_ids() | agreements_that_matter(self.ledger)) & directory.agreements.keys()
        additions = read_additions(self.connectwise, wanted, self.story)
        usage = reader.as_billed(usage, placer, Options())
        inputs = inputs_of(usage, placer, additions, self.ledger, options=Options(), today=self.today)
        self.ledger.record_items(directory.items.values())
        self.ledger.record_agreements(directory.agreements[each] for each in additions)
        shadow = compare(inputs)
        before = newest_shadow(self.ledger, shadow.period, shadow.source)
        moved = trend(shadow, earlier_of(*before) if before is not None else None)
        record_shadow(self.ledger, self.run, json_text(shadow_document(shadow, moved, self.run)))
        return shadow, moved

"""What this mappings.yaml would change in a plan, beside the one that was last used to write."""

from dataclasses import dataclass
from datetime import date

from connector.ledger import Ledger
from connector.ledger.history import last_applied_map
from connector.mappings import parse_mappings
from connector.model import Mappings, Period
from connector.planning.change import Plan
from connector.planning.comparison import Comparison
from connector.planning.findings import Options
from connector.planning.resolve import Placer
from connector.runs.draft import draft
from connector.runs.reading import (
    ConnectWise,
    Sophos,
    agreements_that_matter,
    read_additions,
    read_directory,
    read_usage,
)
from connector.runs.story import Story


@dataclass(frozen=True, slots=True)
class MapDiff:
    """The comparison, and the run whose map it was made with; None where no run has written yet."""

    run: int | None
    comparison: Comparison


def map_diff(  # noqa: PLR0913  # both vendors, and what a plan is made of
    sophos: Sophos,
    connectwise: ConnectWise,
    ledger: Ledger,
    *,
    mappings: Mappings,
    period: Period | None,
    today: date,
    story: Story,
) -> MapDiff:
    """Plan a month with both maps from one reading of both vendors; stores and writes nothing.

    Where no run has written yet, everything is compared with an empty map.
    """
    used = last_applied_map(ledger)
    earlier = parse_mappings(used.text.encode(), "the map last used") if used is not None else Mappings()
    usage = read_usage(sophos, period, today, story)
    maps = (earlier, mappings)
    # One directory for each map: it also collects what it noticed about the map's names.
    directory = read_directory(connectwise, ledger, maps, today, story)
    placers = [Placer(each, directory.anew()) for each in maps]
    wanted = agreements_that_matter(ledger).union(*(placer.agreement_ids() for placer in placers))
    additions = read_additions(connectwise, wanted & directory.agreements.keys(), story)

    def plan(placer: Placer) -> Plan:
        return draft(usage, placer, additions, ledger, options=Options(), today=today)

    return MapDiff(used.run if used is not None else None, Comparison(*map(plan, placers)))

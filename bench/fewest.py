"""The fewest requests with which a run can do its work, by formula (design, section 6).

    token + whoami + tenants/100 + rows/1000 + firewalls/50
    + companies/1000 + agreements/1000 + catalog
    + additions (see below) + a fresh look for each agreement in which a line is made + writes

Every fraction is rounded up, because an empty page is a request, too. The pages are the largest that the
vendors give. Additions are read in the way that takes fewer requests:

    by calls        one for each mapped agreement
    by the report   its rows/1000 + one for each agreement that is written to, as the report is never
                    trusted for a write + a sample of one of those that it declared quiet

What is learned once and remembered (that the report may be read, what its columns are) costs a night nothing.
"""

from dataclasses import dataclass
from typing import Literal

Mode = Literal["report", "calls"]

SAMPLE = 1
"""The fewest agreements that still are a sample."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to read, as the run finds it."""

    tenants: int
    rows: int
    firewalls: int
    companies: int
    agreements: int
    mapped: int
    """Agreements in which the map bills something."""
    additions: int
    """Lines of all agreements, other people's and ended ones too: the rows of the report."""
    items: int
    """Catalog items that the map names; one condition holds those of an ordinary map."""


@dataclass(frozen=True, slots=True)
class Work:
    """What the run has to do."""

    writes: int = 0
    written_to: int = 0
    """Agreements in which anything changes."""
    made_in: int = 0
    """Agreements in which a line is made."""


def fewest(size: Size, work: Work, mode: Mode) -> dict[str, int]:
    """Return the fewest requests by kind, without the kinds that need none."""
    additions = {"additions": size.mapped}
    if mode == "report":
        sample = min(SAMPLE, size.mapped - work.written_to)
        by_report = {"report": pages(size.additions, 1000), "additions": work.written_to + sample}
        additions = min(by_report, additions, key=lambda requests: sum(requests.values()))
    counts = {
        "token": 1,
        "whoami": 1,
        "tenants": pages(size.tenants, 100),
        "usage": pages(size.rows, 1000),
        "firewalls": pages(size.firewalls, 50),
        "companies": pages(size.companies, 1000),
        "agreements": pages(size.agreements, 1000),
        "catalog": pages(size.items, 1000),
        **additions,
        "fresh looks": work.made_in,
        "writes": work.writes,
    }
    return {kind: count for kind, count in counts.items() if count}


def pages(rows: int, of: int) -> int:
    """Return how many requests a list of so many rows takes."""
    return max(1, -(-rows // of))

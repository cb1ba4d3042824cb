"""Learns again, from the marks in ConnectWise, which additions are ours (contract rule 23)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

from connector.ledger import Ledger
from connector.model import Addition
from connector.planning.change import Feed, carries_mark
from connector.runs.pipeline import READERS, ConnectWise
from connector.runs.story import Story


def rebuild(
    connectwise: ConnectWise, ledger: Ledger, *, run: int, today: date, story: Story
) -> tuple[Addition, ...]:
    """Read every agreement's additions, and put each live marked one that the ledger lacks on record.

    Who feeds them is not in ConnectWise: the next run that applies learns it. What the ledger knows stays.
    """
    story.stage("Reading agreements")
    agreements = [agreement.id for agreement in connectwise.agreements()]
    story.stage("Looking for our marks")
    known = ledger.known_additions()
    found: list[Addition] = []
    with ThreadPoolExecutor(READERS) as readers:
        for count, lines in enumerate(readers.map(connectwise.additions, agreements), start=1):
            story.progress(count, len(agreements))
            found += [
                line for line in lines if carries_mark(line) and line.live(today) and line.id not in known
            ]
    ledger.record_feeds(run, [Feed(line.id, line.key, line.quantity, ()) for line in found])
    return tuple(found)

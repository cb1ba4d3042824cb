"""Learns again, from the marks in ConnectWise, which additions are ours (contract rule 23)."""

from datetime import date

from connector.ledger import Ledger
from connector.model import Addition
from connector.planning.change import Feed, carries_mark
from connector.runs.reading import ConnectWise, read_additions
from connector.runs.story import Story


def rebuild(
    connectwise: ConnectWise, ledger: Ledger, *, run: int, today: date, story: Story
) -> tuple[Addition, ...]:
    """Read every agreement's additions, and put each live marked one that the ledger lacks on record.

    Who feeds them is not in ConnectWise: the next run that applies learns it. What the ledger knows stays.
    """
    story.stage("Reading agreements")
    agreements = [agreement.id for agreement in connectwise.agreements()]
    additions = read_additions(connectwise, agreements, story)
    known = ledger.known_additions()
    found = [
        line
        for agreement_id in agreements
        for line in additions[agreement_id]
        if carries_mark(line) and line.live(today) and line.id not in known
    ]
    ledger.record_feeds(run, [Feed(line.id, line.key, line.quantity, ()) for line in found])
    return tuple(found)

"""Where the lines are that we manage, without reading who feeds each of them."""

from connector.ledger.store import Ledger
from connector.model import Key


def held_keys(ledger: Ledger) -> frozenset[Key]:
    """Return the keys of every line of ours that is not history."""
    rows = ledger.query("SELECT DISTINCT agreement_id, item_id FROM additions WHERE NOT closed")
    return frozenset(Key(row["agreement_id"], row["item_id"]) for row in rows)


def lines_on_record(ledger: Ledger) -> int:
    """Return how many lines are ours, or have been."""
    return int(ledger.query("SELECT count(*) AS lines FROM additions")[0]["lines"])

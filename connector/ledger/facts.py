"""What was found out about ConnectWise, and when: facts age, and whoever asks says how old one may be."""

import json
from datetime import datetime, timedelta
from typing import Any

from connector.ledger.store import Ledger


def fact(ledger: Ledger, name: str, younger_than: timedelta) -> Any:
    """Return what was learned under that name, or None where nothing was, or too long ago."""
    found = ledger.query("SELECT value, learned_at FROM vendor_facts WHERE name = ?", name)
    if not found:
        return None
    age = datetime.fromisoformat(ledger.stamp()) - datetime.fromisoformat(found[0]["learned_at"])
    # One from tomorrow was written by a clock that went wrong.
    return json.loads(found[0]["value"]) if timedelta(0) <= age < younger_than else None


def learn(ledger: Ledger, name: str, value: object) -> None:
    """Remember what is so now, in place of what was learned before."""
    with ledger.transaction() as db:
        db.execute(
            "INSERT OR REPLACE INTO vendor_facts VALUES (?, ?, ?)", (name, json.dumps(value), ledger.stamp())
        )

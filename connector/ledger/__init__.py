"""The SQLite record of every run, every plan and every write: `state/connector.db`."""

from connector.ledger.records import StoredPlan
from connector.ledger.store import Ledger

__all__ = ["Ledger", "StoredPlan"]

"""The SQLite record of every run, every plan and every write: `state/connector.db`."""

from connector.ledger.records import StoredPlan
from connector.ledger.store import Ledger, utc_now

__all__ = ["Ledger", "StoredPlan", "utc_now"]

"""The SQLite record of every run, every plan and every write: `state/connector.db`.

What is named here is loaded when it is asked for: completing a word opens the file without the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connector.ledger.records import StoredPlan
    from connector.ledger.store import Ledger, utc_now

__all__ = ["Ledger", "StoredPlan", "utc_now"]

_HOMES = {"Ledger": "store", "StoredPlan": "records", "utc_now": "store"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

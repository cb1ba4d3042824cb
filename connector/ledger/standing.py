"""Which runs still count as having billed a month: those that wrote it, and that no undo has taken back."""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Protocol

from connector.planning.undo.past import Trace, taken_back, undone_by

# A line that was created otherwise than asked is ours all the same, so that change was made as well.
MADE = (
    "(changes.addition_id IS NOT NULL AND (changes.outcome = 'done' "
    "OR (changes.outcome = 'failed' AND changes.kind = 'create')))"
)

# For a query of `runs`, with `back(ledger)` as its value. An undo bills no month, whatever its period.
STANDING = (
    "(runs.applied = 1 AND json_extract(runs.options, '$.undo') IS NULL "
    "AND runs.id NOT IN (SELECT value FROM json_each(?)))"
)

# Such a run of a plan for every kind of change: one that only took lines over has billed no month. An
# `apply` is asked for by its digest alone: what it was for stands with its plan.
BILLING = (
    f"({STANDING} AND json_extract(runs.options, '$.only') IS NULL AND runs.id NOT IN "  # noqa: S608
    "(SELECT limited.id FROM runs AS limited JOIN plans USING (digest) "
    "WHERE json_extract(plans.options, '$.only') IS NOT NULL))"
)

_TRACES = (
    "WITH undos AS (SELECT id, json_extract(options, '$.undo') AS undoes FROM runs "  # noqa: S608  (our words)
    "WHERE applied = 1 AND json_extract(options, '$.undo') IS NOT NULL) "
    "SELECT changes.id, changes.run, changes.addition_id, undos.undoes "
    "FROM changes LEFT JOIN undos ON undos.id = changes.run "
    f"WHERE {MADE} AND changes.run IN (SELECT id FROM undos UNION SELECT undoes FROM undos) "
    "ORDER BY changes.id"
)

# Runs without a change, between a run of the same month and source and the undo that took it back.
_BETWEEN = (
    "WITH undos AS MATERIALIZED (SELECT id, json_extract(options, '$.undo') AS undoes FROM runs "  # noqa: S608
    "WHERE applied = 1 AND json_extract(options, '$.undo') IS NOT NULL) "
    "SELECT DISTINCT idle.id FROM undos JOIN runs AS made ON made.id = undos.undoes "
    "JOIN runs AS idle ON idle.id > made.id AND idle.id < undos.id "
    "AND idle.period = made.period AND idle.source = made.source AND idle.applied = 1 "
    "WHERE made.id IN (SELECT value FROM json_each(?)) "
    f"AND idle.id NOT IN (SELECT changes.run FROM changes WHERE {MADE})"
)


class Asked(Protocol):
    """What this needs of the ledger."""

    def query(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Return the rows of a SELECT."""
        ...


def back(ledger: Asked) -> str:
    """Return the runs that undos have taken back whole, as JSON.

    A run that made no change is taken back with the one whose figures it found in place.
    """
    undone = taken_back(_histories(ledger))
    if undone:
        undone |= {row["id"] for row in ledger.query(_BETWEEN, json.dumps(sorted(undone)))}
    return json.dumps(sorted(undone))


def undone_changes(ledger: Asked) -> frozenset[int]:
    """Return the changes that an undo has taken back, and that do not stand again."""
    return frozenset(change for history in _histories(ledger) for change in undone_by(history))


def _histories(ledger: Asked) -> Collection[Sequence[Trace]]:
    histories: dict[int, list[Trace]] = defaultdict(list)
    for row in ledger.query(_TRACES):
        histories[row["addition_id"]].append(Trace(row["id"], row["run"], row["undoes"]))
    return histories.values()

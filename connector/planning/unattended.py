"""Which changes the nightly job makes without a person, and how a person lets one of the others go."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal

from connector.model import Allowance, Period, Unattended
from connector.planning.change import Change, unheld

NEEDS_APPROVAL = "NEEDS_APPROVAL"
ZERO = Decimal(0)
_EFFECTIVE_AT = 6
"""Where `writes` of a change has its first day."""


def unless_approved(change: Change, rules: Unattended, period: Period, approved: Collection[str]) -> Change:
    """Return a change, held where it neither goes alone nor is among the fingerprints that people let go."""
    if change.held is not None or goes_alone(change, rules):
        return change
    marks = {fingerprint(period, change.writes), fingerprint(period, change.writes, dated=False)}
    return replace(change, held=NEEDS_APPROVAL) if marks.isdisjoint(approved) else change


def goes_alone(change: Change, rules: Unattended) -> bool:
    """Whether `unattended:` lets a change be made with nobody there.

    A change has to be let go for all that it does: a line that is adopted at another quantity moves it too.
    """
    if change.prices_move and not rules.price:
        return False
    if change.kind == "create":
        return rules.create
    if change.kind == "adopt" and not rules.adopt:
        return False
    before = change.before if change.before is not None else ZERO
    after = ZERO if change.kind == "end" else change.after
    if after == before:
        return True
    return _within(rules.increase if after > before else rules.decrease, before, abs(after - before))


def fingerprint(period: Period, writes: Sequence[str | None], *, dated: bool = True) -> str:
    """Return sixteen hexadecimal digits of exactly this write of a month: what a person approves.

    What holds the change does not count, nor does its first day unless it is `dated`: where a line begins
    on the day that it is made, that is another one on each night.
    """
    named = [str(period), *unheld(writes)]
    if not dated:
        named[1 + _EFFECTIVE_AT] = "today"
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]


def _within(allowance: Allowance | None, before: Decimal, moved: Decimal) -> bool:
    if allowance is None:
        return False
    if allowance.units is not None and moved > allowance.units:
        return False
    # From zero every growth is without bounds, so only a share that is not limited lets it go.
    return allowance.share is None or moved <= allowance.share * abs(before)

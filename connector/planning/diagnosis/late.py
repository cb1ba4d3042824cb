"""What is wrong with a month of which a newer one was billed since: its lines show that one. Pure."""

from decimal import Decimal

from connector.model import Key
from connector.planning.change import plain
from connector.planning.diagnosis.closing import invoiced_because
from connector.planning.diagnosis.discrepancies import Discrepancy
from connector.planning.diagnosis.remedies import Remedies
from connector.planning.diagnosis.sides import Sides
from connector.planning.diagnosis.stakes import billed_units
from connector.planning.diagnosis.written import WrittenThen

ZERO = Decimal(0)


def agreed_then(sides: Sides, then: WrittenThen, key: Key) -> bool:
    """Whether what was written for the month is what was used in it."""
    return then.quantities.get(key, ZERO) == _wanted(sides, key)


def late_item(
    sides: Sides, remedies: Remedies, then: WrittenThen, key: Key, tried: str | None
) -> Discrepancy:
    """Return the finding of a key for which something else was written: no run can mend it any more.

    `tried` is what ConnectWise said to the last change of the month that it refused.
    """
    period, newest = sides.inputs.period, sides.inputs.newest_applied
    wanted, written, live = _wanted(sides, key), then.quantities.get(key, ZERO), sides.live(key)
    amount = "too few" if wanted > written else "too many"
    invoiced = invoiced_because(sides.directory.agreements[key.agreement_id], period, tried)
    included = live[0].less_included if live else ZERO
    return sides.item(
        "PERIOD_CLOSED" if invoiced else _class_of(wanted, written),
        key,
        f"{plain(wanted)} should be billed for {period}, and {plain(written)} was written for it: "
        f"{plain(abs(wanted - written))} {amount}; {newest} was billed since, and the line shows that",
        f"connector explain --addition {live[0].id} --period {period}"
        if live and then.stored
        else sides.command("sync"),
        advice="bill the difference or raise a credit by hand: no run writes an older month any more",
        evidence=(*((invoiced,) if invoiced else ()), *remedies.evidence(key)),
        money=sides.worth(key, billed_units(wanted, included) - billed_units(written, included)),
    )


def _wanted(sides: Sides, key: Key) -> Decimal:
    desired = sides.desired(key)
    return max(desired.quantity, ZERO) if desired is not None else ZERO


def _class_of(wanted: Decimal, written: Decimal) -> str:
    if not written:
        return "NO_ADDITION"
    if not wanted:
        return "ORPHAN_ADDITION"
    return "UNDER_BILLED" if wanted > written else "OVER_BILLED"

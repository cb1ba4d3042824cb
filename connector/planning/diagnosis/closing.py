"""Whether the invoice of a month is certainly out, so that no quantity written now is on it. Pure."""

from connector.model import Agreement, Period

_INVOICED = "invoiced"
_MONTHLY = {"", "monthly"}


def invoiced_because(agreement: Agreement, period: Period, tried: str | None) -> str:
    """Say why the agreement's invoice for a month is out, or "" where that is not certain.

    `tried` is what ConnectWise said to the last change of this month that it refused. An agreement that
    bills in arrears may carry a month on the invoice of the month after; one that bills ahead may not. What
    an invoice of another cycle than a monthly one carries is never certain by its day.
    """
    if tried is not None and _INVOICED in tried.casefold():
        return f"ConnectWise said when it was last tried: {tried}"
    day = agreement.next_invoice
    if day is None:
        return ""
    if not agreement.ahead and agreement.cycle.strip().casefold() not in _MONTHLY:
        return ""
    after = _next(period)
    if day >= (after if agreement.ahead else _next(after)).first_day:
        ahead = "it bills ahead, and " if agreement.ahead else ""
        return f"{ahead}its next invoice is that of {day}"
    return ""


def _next(period: Period) -> Period:
    return Period(period.year + 1, 1) if period.month == 12 else Period(period.year, period.month + 1)

"""What an edit of a product's mapping does to lines that bill, in words and as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connector.planning.aftermath import ItemLine, Touched, TurnedOn
from connector.planning.change import plain
from connector.reports.items import line_document, line_text

_MOST_LINES = 20


def turned_off_notes(code: str, fates: Sequence[tuple[ItemLine, Touched]]) -> list[str]:
    """Say which lines go on billing although their code is off, and how to end them."""
    alone = [line_text(line) for line, touched in fates if not touched.rest]
    falling = [
        f"{line_text(line)}: the next run bills only what {' and '.join(touched.rest)} comes to"
        for line, touched in fates
        if touched.rest
    ]
    notes = _listed(f"No run bills {code} any more, but these additions in ConnectWise go on billing:", alone)
    if alone:
        notes.append(
            "To end one, give it an end date or the quantity 0 in ConnectWise. Until then it is left alone, "
            "and every plan reports it as OFF_STILL_BILLING."
        )
    return notes + _listed("These additions are fed by other codes, too:", falling)


def left_behind_notes(absent: str, fates: Sequence[tuple[ItemLine, Touched]]) -> list[str]:
    """Say what the next run does with lines of the item that the code was mapped to before."""
    told = [
        f"{line_text(line)}: "
        + (f"the next run bills only what {' and '.join(touched.rest)} comes to" if touched.rest else absent)
        for line, touched in fates
    ]
    return _listed("These additions of the item that it was billed as before are still there:", told)


def turned_on_note(code: str, item: str, period: object, on: TurnedOn) -> list[str]:
    """Say how much of this month's usage is billed from the next run on, and how much waits."""
    notes = [
        f"From the next run on, {code} is billed as {item}: "
        f"{plain(on.quantity)} at {_tenants(on.tenants)} in {period}."
        if period is not None
        else f"From the next run on, {code} is billed as {item}."
    ]
    if on.waiting:
        notes.append(
            f"{plain(on.waiting_quantity)} more at {_tenants(on.waiting)} wait until the tenant is mapped: "
            "connector tenants map TENANT"
        )
    return notes


def fates_document(fates: Iterable[tuple[ItemLine, Touched]]) -> list[Mapping[str, Any]]:
    """Return the lines, each with the codes that go on feeding it."""
    return [line_document(line) | {"still_fed_by": list(touched.rest)} for line, touched in fates]


def _listed(title: str, told: Sequence[str]) -> list[str]:
    if not told:
        return []
    left = len(told) - _MOST_LINES
    more = [f"  and {left} more"] if left > 0 else []
    return [title, *(f"  {each}" for each in told[:_MOST_LINES]), *more]


def _tenants(count: int) -> str:
    return "1 tenant" if count == 1 else f"{count} tenants"

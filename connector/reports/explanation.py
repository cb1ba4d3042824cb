"""Why a line bills what it bills, as people read it: the answer first, then rows, map, history and a chart.

Only ASCII of our own, so that every console can show it.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from connector.model import Addition
from connector.planning.change import plain
from connector.planning.explanation import (
    PLACED,
    RULES,
    Event,
    Explanation,
    Fed,
    LineStory,
    MapLine,
    Origin,
    Outlook,
    PlacedRow,
    Unbilled,
    bars,
)
from connector.planning.findings import tenant_label
from connector.planning.sources import FILE, LIVE, told_source
from connector.reports.escape import printable
from connector.reports.explanation_answer import answer_of, moved
from connector.reports.table import Column, table

_BAR = 40
_TEXT = 60
_COLUMNS = (
    Column("Row", right=True),
    Column("Quantity", right=True),
    Column("Serial or account"),
    Column("Sophos calls it", cut=True),
    Column("Order"),
    Column("Order line"),
    Column("From"),
    Column("To"),
    Column("Unit price", right=True),
)
_HISTORY = (
    Column("Month"),
    Column("Run", right=True),
    Column("When"),
    Column("Kind"),
    Column("Before", right=True),
    Column("After", right=True),
    Column("Outcome"),
    Column("Because", cut=True),
)


def explanation_text(explanation: Explanation, width: int | None = None) -> str:
    """Return the whole answer; its first lines say what is billed and why."""
    lines = [_title(explanation)]
    lines += [printable(answer_of(line)) for line in explanation.lines]
    lines += [printable(_lacking(entry)) for entry in explanation.unbilled]
    if not explanation.lines and not explanation.unbilled:
        lines.append("No line bills it, and there is no usage of it in this month.")
    for line in explanation.lines:
        lines += ["", *_line(line, width)]
    for entry in explanation.unbilled:
        lines += ["", *_unbilled(entry, width)]
    return "\n".join(lines)


def _title(explanation: Explanation) -> str:
    told = [f"{printable(explanation.subject)}: usage of {_told(explanation.origin)}"]
    if not explanation.looked:
        told.append("ConnectWise was not looked at")
    return "; ".join(told)


def _told(origin: Origin) -> str:
    """Name a month with its source and when it was read."""
    when = _when(origin.fetched_at)
    match origin.source:
        case "file":
            how = f"imported from {printable(origin.file or 'a file')} {when}"
        case "live":
            how = f"counted live {when}"
        case _:
            how = f"read from Sophos {when}"
    return f"{origin.period} ({how})"


def _when(stamp: str) -> str:
    return f"{stamp[:10]} {stamp[11:16]} UTC"


def _lacking(entry: Unbilled) -> str:
    quantity = plain(entry.quantity) if entry.quantity is not None else "?"
    return f"{_state(entry)}: {quantity} {entry.product_code or ''} ({entry.code}): {entry.message}."


def _state(entry: Unbilled) -> str:
    if entry.still is not None:
        return f"Billed by addition {entry.still}, which no run touches any more"
    return "Not billed"


# One line ----------------------------------------------------------------------------------------


def _line(line: LineStory, width: int | None) -> Iterator[str]:
    where = f'"{printable(line.agreement)}" ({line.key.agreement_id}) of {printable(line.company)}'
    yield f"{printable(line.item)} on {where}, addition {line.addition_id}"
    if line.connectwise is not None:
        yield f"  In ConnectWise{' now' if line.month is not None else ''}: {_there(line.connectwise)}"
    maker = line.maker
    if maker is not None:
        yield from _maker(maker)
        yield from (f"    {_map_line(each)}" for each in line.mapping)
    yield from (f"  Note: {printable(note)}" for note in line.notes)
    if line.origin is not None:
        yield from _usage(line, line.origin, width)
    if line.now is not None:
        yield from _now(line.now)
    if line.history:
        yield "  History:"
        rows = [_history(event) for event in line.history]
        yield from _indented(table(_HISTORY, rows, _less(width)))
    yield from _chart(line)


def _there(line: Addition) -> str:
    less = min(line.less_included, line.quantity)
    told = [plain(line.quantity)]
    if line.less_included:
        told.append(f"{plain(line.less_included)} included, so {plain(line.quantity - less)} billed")
    if line.unit_price is not None:
        told.append(f"price {plain(line.unit_price)}")
    if line.bill_customer != "Billable":
        told.append(printable(line.bill_customer))
    if line.effective is not None:
        told.append(f"from {line.effective}")
    if line.cancelled is not None:
        told.append(f"cancelled {line.cancelled}")
    if line.serial_number:
        told.append(f"serial number {printable(line.serial_number)}")
    return ", ".join(told)


def _maker(event: Event) -> Iterator[str]:
    asked = f", request {printable(event.request_id)}" if event.request_id else ""
    yield (
        f"  Made by run {event.run} for {event.period}, {_when(event.at)}, by {printable(event.who)} "
        f"(version {printable(event.version)}), plan {event.digest}{asked}"
    )
    yield f"    {_kind(event)} {moved(event)}, {event.outcome}: {printable(event.because)}"
    rule = RULES[event.kind] if event.undoes is None else f"run {event.undoes} was taken back"
    yield f"    ({rule})"


def _usage(line: LineStory, origin: Origin, width: int | None) -> Iterator[str]:
    comes = f" = {plain(line.usage)}" if line.usage is not None and line.parts else ""
    state = "Usage" if line.billed else "Usage, which no run has billed on this line"
    yield f"  {state} of {_told(origin)}: {printable(line.sum) or 'none'}{comes}"
    if not line.adds_up:
        yield "    The rows do not come to this quantity: who fed the line that month is not on record."
    for fed in line.parts:
        yield from _fed(fed, origin, width)


def _fed(fed: Fed, origin: Origin, width: int | None) -> Iterator[str]:
    names = {fed.part.tenant_id: fed.tenant}
    label = printable(tenant_label(fed.part.tenant_id, names))
    count = f"{len(fed.rows)} {'row' if len(fed.rows) == 1 else 'rows'}"
    sums = " + ".join(plain(each.row.quantity) for each in fed.rows[:12])
    more = " + ..." if len(fed.rows) > 12 else ""
    added = f": {sums}{more} = {plain(fed.counted)}" if len(fed.rows) > 1 else ""
    yield f"    {label}, {printable(fed.part.product_code)}: {plain(fed.part.quantity)} in {count}{added}"
    yield from _rows(fed.rows, origin, width)
    yield from (f"      {_map_line(each)}" for each in fed.mapping)


def _rows(rows: Sequence[PlacedRow], origin: Origin, width: int | None) -> Iterator[str]:
    if rows:
        yield from _indented(table(_COLUMNS, [_row(each) for each in rows], _less(width)), 6)
    for by in dict.fromkeys(each.placed_by for each in rows):
        if by is not None:
            yield f"      whose it is: {PLACED[by]}"
    yield from (f"      {_map_line(each)}" for each in dict.fromkeys(each.mapping for each in rows) if each)
    if rows and origin.source == FILE:
        numbers = ", ".join(str(each.number) for each in rows)
        yield f"      row {numbers} of {printable(origin.file or 'the file')}"
    if rows and origin.source == LIVE:
        yield f"      from {told_source(LIVE)}, {origin.fetched_at[:10]}"


def _row(placed: PlacedRow) -> tuple[str, ...]:
    said = json.loads(placed.row.received)

    def cell(name: str) -> str:
        value = said.get(name)
        return "" if value is None else str(value)

    price = f"{cell('unitPrice')} {cell('unitPriceCurrency')}".strip()
    return (
        str(placed.number),
        plain(placed.row.quantity),
        placed.row.serial or cell("accountNumberOrSerialNumber"),
        placed.row.description,
        cell("orderNumber") or cell("orderId"),
        cell("orderLineItemNumber"),
        cell("billingStartDate")[:10],
        cell("billingEndDate")[:10],
        price,
    )


def _map_line(line: MapLine) -> str:
    where = line.file if line.line is None else f"{line.file}:{line.line}"
    then = f"   ({printable(line.then)})" if line.then is not None else ""
    return f"{printable(where)}  {printable(line.text, width=_TEXT)}{then}"


def _now(now: Outlook) -> Iterator[str]:
    month = f"from usage of {now.origin.period}, read {_when(now.origin.fetched_at)}"
    if now.change is None and not now.unresolved:
        yield f"  Now: a run would change nothing, {month}."
    if now.change is not None:
        before = "new" if now.change.before is None else plain(now.change.before)
        held = f", held: {now.change.held}" if now.change.held is not None else ""
        moves = f"{now.change.kind} {before} -> {plain(now.change.after)}{held}"
        yield f"  Now: a run would {moves}, {month}: {printable(now.change.because)}"
    for entry in now.unresolved:
        yield f"  Now: {entry.code}, {month}: {printable(entry.message)}"
    yield from (f"  Worth knowing: {each.code}  {printable(each.message)}" for each in now.warnings)
    if now.advice:
        yield f"    do: {printable(now.advice)}"
    if now.next:
        yield f"    next: {printable(now.next)}"


def _kind(event: Event) -> str:
    return event.kind if event.undoes is None else "undo"


def _history(event: Event) -> tuple[str, ...]:
    why = event.because if event.message is None else f"{event.because}; {event.message}"
    return (
        str(event.month),
        str(event.run),
        _when(event.at),
        _kind(event),
        "" if event.before is None else plain(event.before),
        "" if event.after is None else plain(event.after),
        event.outcome if event.held is None else f"{event.outcome}: {event.held}",
        why,
    )


def _chart(line: LineStory) -> Iterator[str]:
    there = line.connectwise.quantity if line.connectwise is not None else None
    found = bars(line.history, Decimal(0) if line.gone or line.over else there)
    largest = max((quantity for _, quantity in found), default=Decimal(0))
    if len(found) > 1 and largest > 0:
        yield "  By month:"
        for label, quantity in found:
            length = round(max(quantity, Decimal(0)) * _BAR / largest)
            bar = "#" * max(length, 1 if quantity > 0 else 0)
            yield f"    {label:<7}  {bar:<{_BAR}}  {plain(quantity)}"


def _unbilled(entry: Unbilled, width: int | None) -> Iterator[str]:
    whose = (
        tenant_label(entry.tenant_id, {entry.tenant_id: entry.tenant}) if entry.tenant_id else entry.tenant
    )
    about = [each for each in (whose, entry.product_code, entry.serial) if each]
    yield f"{_state(entry)}: {printable(', '.join(about))}"
    yield f"  {entry.code}: {printable(entry.message)}"
    if entry.rows:
        yield from _indented(table(_COLUMNS, [_row(each) for each in entry.rows], _less(width)))
    yield from (f"  {_map_line(each)}" for each in entry.mapping)
    yield f"  next: {printable(entry.next)}"


def _indented(text: str, by: int = 4) -> Iterable[str]:
    return (" " * by + line for line in text.split("\n"))


def _less(width: int | None) -> int | None:
    return None if width is None else max(width - 6, 40)

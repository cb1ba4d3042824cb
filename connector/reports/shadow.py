"""A shadow run for people and programs: the headline, what differs, and how to take the lines over."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connector.model import Key
from connector.planning.change import plain, plain_or_none
from connector.planning.shadow import Compared, Earlier, Shadow, State, Trend
from connector.planning.sources import source_option
from connector.reports.document import Document
from connector.reports.escape import printable
from connector.reports.prices import money_document, signed
from connector.reports.survey import money_cells
from connector.reports.table import Column, table

TITLES: Mapping[State, str] = {
    "SAME": "same",
    "OTHER_QUANTITY": "other quantity",
    "NO_LINE": "no line there",
    "WAITS": "waits for a person",
    "NOTHING_FEEDS": "nothing feeds it",
    "SEVERAL_LINES": "several lines",
}

_MOST_GONE = 10
_MOST_WAITING = 10

SHADOW_COLUMNS: Sequence[Column] = (
    Column("COMPANY", cut=True),
    Column("AGREEMENT", cut=True),
    Column("ITEM", cut=True),
    Column("WE BILL", right=True),
    Column("THERE", right=True),
    Column("DIFFERENCE", right=True),
    Column("MONEY", right=True),
    Column("CURRENCY"),
    Column("COMPARED"),
    Column("SINCE"),
    Column("ADDITIONS"),
)


def shadow_document(shadow: Shadow, trend: Trend, run: int) -> Document:
    """Return a shadow run as `connector.shadow/1`."""
    rows = shadow.rows
    return {
        "schema": "connector.shadow/1",
        "run": run,
        "period": str(shadow.period),
        "source": shadow.source,
        "agreed": shadow.agreed,
        "compared": len(shadow.lines),
        "percent": plain_or_none(shadow.share),
        "lines_off": shadow.off,
        "rows": {
            "rows": rows.rows,
            "compared": rows.compared,
            "off": rows.off,
            "unmapped": rows.unmapped,
            "unplaced": rows.unplaced,
        },
        "money": [money_document(each) for each in shadow.money],
        "previous_run": trend.since,
        "runs_agreed": trend.all_agreed,
        "lines": [
            {
                "class": line.state,
                **_named(line.key, _label(line)),
                "ours": plain_or_none(line.wanted),
                "there": plain_or_none(line.there),
                "difference": plain(line.difference),
                "money": money_document(line.money),
                "addition_ids": list(line.addition_ids),
                "managed": line.ours,
                "company": line.company,
                "agreement": line.agreement,
                "item": line.item,
                "from": [
                    {
                        "tenant_id": part.tenant_id,
                        "product_code": part.product_code,
                        "quantity": plain(part.quantity),
                    }
                    for part in line.parts
                ],
                "message": line.message,
                "waits_for": line.waits_for or None,
                "new": line.key in trend.new,
                "runs_agreed": trend.agreed.get(line.key, 0),
            }
            for line in shadow.lines
        ],
        "gone": [_named(key, trend.labels.get(key, "")) for key in trend.gone],
        "next": " ".join(_next(shadow)),
        "exit_code": shadow.exit_code,
    }


def earlier_of(run: int, document: Mapping[str, Any]) -> Earlier:
    """Read back what a shadow run found."""
    lines = {Key(line["agreement_id"], line["item_id"]): line for line in document["lines"]}
    return Earlier(
        run=run,
        states={key: line["class"] for key, line in lines.items()},
        agreed={key: line["runs_agreed"] for key, line in lines.items()},
        all_agreed=document["runs_agreed"],
        labels={key: line["label"] for key, line in lines.items()},
    )


def shadow_text(shadow: Shadow, trend: Trend, width: int | None) -> str:
    """Return what a shadow run found, the headline first and the next step last."""
    return "\n".join(_told(shadow, trend, width))


def shadow_rows(lines: Sequence[Compared], trend: Trend) -> list[list[str]]:
    """Return lines as rows of a table or sheet."""
    return [
        [
            line.company,
            line.agreement,
            line.item,
            plain(line.wanted) if line.wanted is not None else "",
            plain(line.there) if line.there is not None else "",
            plain(line.difference),
            *money_cells(() if line.money is None else (line.money,)),
            TITLES[line.state],
            _since(line, trend),
            " ".join(map(str, line.addition_ids)),
        ]
        for line in lines
    ]


def _told(shadow: Shadow, trend: Trend, width: int | None) -> Iterator[str]:
    if not shadow.lines:
        yield f"Nothing was compared in {shadow.period}: no line is there, and none would be made."
    else:
        share = plain_or_none(shadow.share)
        lines = _count(len(shadow.lines), "line")
        yield f"Both agree on {shadow.agreed} of {lines} ({share} %) in {shadow.period}."
    yield _apart(shadow)
    yield ""
    if shadow.differing:
        yield table(SHADOW_COLUMNS, shadow_rows(shadow.differing, trend), width)
        yield ""
    if shadow.money and shadow.differing:
        unknown = sum(line.money is None for line in shadow.differing)
        more = f"; of {_count(unknown, 'more line')} it is not known" if unknown else ""
        moved = ", ".join(signed(each).removeprefix("+") for each in shadow.money if each.amount)
        yield f"Bills would move by {moved or 'nothing'}, up and down counted alike{more}."
    yield from _waiting(shadow)
    yield from _changed(shadow, trend)
    yield "Nothing was written to ConnectWise."
    yield from _next(shadow)


def _apart(shadow: Shadow) -> str:
    rows = shadow.rows
    off = f"; {_count(shadow.off, 'line')} of what is off {'is' if shadow.off == 1 else 'are'} left out"
    return (
        f"{_count(rows.rows, 'usage row')}: {rows.compared} compared, {rows.off} off, "
        f"{rows.unmapped} unmapped, {rows.unplaced} not placed{off if shadow.off else ''}."
    )


def _waiting(shadow: Shadow) -> Iterator[str]:
    waiting = [line for line in shadow.differing if line.waits_for]
    yield from (f"  {printable(_label(line))}: {printable(line.message)}" for line in waiting[:_MOST_WAITING])
    if len(waiting) > _MOST_WAITING:
        yield f"  and {len(waiting) - _MOST_WAITING} more that wait, which --json names"


def _changed(shadow: Shadow, trend: Trend) -> Iterator[str]:
    if trend.since is None:
        yield f"This is the first shadow run of {shadow.period}; the next one says what has changed since."
        return
    yield f"Since run {trend.since}: {_count(len(trend.new), 'new difference')}, {len(trend.gone)} gone."
    labels = [trend.labels.get(key, str(key)) for key in trend.gone]
    yield from (f"  gone: {printable(label)}" for label in labels[:_MOST_GONE])
    if len(labels) > _MOST_GONE:
        yield f"  and {len(labels) - _MOST_GONE} more, which --json names"
    if trend.all_agreed > 1:
        yield f"Both have agreed on every line for {_count(trend.all_agreed, 'run')} in a row."


def _next(shadow: Shadow) -> Iterator[str]:
    source = source_option(shadow.source)
    if shadow.waiting:
        rows = _count(shadow.waiting, "row")
        month = f"{shadow.period}{source}"
        yield f"{rows} cannot be compared before a person maps or places them: connector plan {month}"
    if shadow.differing:
        yield (
            "Look into each difference first. What the connector would make of the lines that are there: "
            f"{shadow.adoption} --dry-run"
        )
    elif not shadow.lines:
        yield "Map products and tenants first: connector products"
    elif all(line.ours for line in shadow.lines):
        yield f"Every line is the connector's already. To bill: connector sync {shadow.period}{source}"
    elif not shadow.adopts:
        yield (
            "`adopt: never` in mappings.yaml leaves the lines to people. To take them over: set "
            f"`adopt: ask`, turn the other tool off, and run {shadow.adoption}"
        )
    elif not shadow.waiting:
        yield (
            "Ready to adopt: turn the other tool off, so that two never write one line, and take the lines "
            f"over: {shadow.adoption}"
        )


def _since(line: Compared, trend: Trend) -> str:
    if line.same:
        return f"agreed {_count(trend.agreed[line.key], 'run')}"
    return "new" if line.key in trend.new else ""


def _label(line: Compared) -> str:
    return f'{line.item} on "{line.agreement}" ({line.key.agreement_id}) of {line.company}'


def _named(key: Key, label: str) -> Document:
    return {"agreement_id": key.agreement_id, "item_id": key.item_id, "label": label}


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"

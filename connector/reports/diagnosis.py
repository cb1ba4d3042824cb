"""A diagnosis for people, spreadsheets and programs: what was checked comes first, then what is wrong."""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from connector.planning.change import plain, plain_or_none
from connector.planning.diagnosis.discrepancies import CLASSES, Checked, Diagnosis, Discrepancy
from connector.planning.prices import Money
from connector.planning.sources import API, told_source
from connector.reports.escape import printable
from connector.reports.period import month_text
from connector.reports.prices import money_document
from connector.reports.survey import money_text
from connector.reports.table import Column

Row = tuple[str, ...]
_COLUMNS = (
    Column("Class"),
    Column("Money", right=True),
    Column("Currency"),
    Column("Company", cut=True),
    Column("Agreement", cut=True),
    Column("Item", cut=True),
    Column("Tenant", cut=True),
    Column("Product"),
    Column("Serial"),
    Column("Addition", right=True),
    Column("Usage", right=True),
    Column("Written", right=True),
    Column("ConnectWise", right=True),
    Column("Billed", right=True),
)
_DISTRIBUTOR = Column("Distributor", right=True)
_WORDS = (
    Column("Person"),
    Column("Cause", cut=True),
    Column("Evidence", cut=True),
    Column("Do", cut=True),
    Column("Next"),
)


def diagnosis_document(found: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as `connector.diagnosis/1`."""
    coverage = found.coverage
    return {
        "schema": "connector.diagnosis/1",
        "period": str(found.period),
        "source": found.source,
        "coverage": {
            "tenants": coverage.tenants,
            "tenants_checked": coverage.tenants_checked,
            "rows": coverage.rows,
            "rows_checked": coverage.rows_checked,
            "money": [
                {"amount": plain(each.amount), "currency": each.currency, "checked": plain(each.checked)}
                for each in coverage.money
            ],
        },
        "items": [_item(each) for each in found.items],
        "totals": [
            {
                "class": code,
                "items": count,
                "money": [money_document(each) for each in found.at_stake(code)],
            }
            for code, count in counted(found)
        ],
        "exit_code": found.exit_code,
    }


def _item(each: Discrepancy) -> dict[str, Any]:
    return {
        "class": each.code,
        "tenant_id": each.tenant_id,
        "agreement_id": each.key.agreement_id if each.key is not None else None,
        "item_id": each.key.item_id if each.key is not None else None,
        "addition_id": each.addition_id,
        "usage": plain_or_none(each.usage),
        "written": plain_or_none(each.written),
        "connectwise": plain_or_none(each.connectwise),
        "billed": plain_or_none(each.billed),
        "distributor": plain_or_none(each.distributor),
        "money": money_document(each.money),
        "message": each.message,
        "evidence": list(each.evidence),
        "advice": each.advice,
        "next": each.next,
        "needs_person": each.needs_person,
        "product_code": each.product_code,
        "serial": each.serial,
        "tenant": each.tenant or None,
        "company": each.company or None,
        "agreement": each.agreement or None,
        "item": each.item or None,
    }


def counted(found: Diagnosis) -> list[tuple[str, int]]:
    """Return how many items each class has: our own classes in their order, then the plan's codes by name."""
    counts = Counter(item.code for item in found.items)
    order = {code: at for at, code in enumerate(CLASSES)}
    return sorted(counts.items(), key=lambda each: (order.get(each[0], len(order)), each[0]))


# Tables ------------------------------------------------------------------------------------------


def diagnosis_table(found: Diagnosis) -> tuple[tuple[Column, ...], list[Row]]:
    """Return the items as a table; a distributor's numbers have a column where there are any."""
    fourth = any(each.distributor is not None for each in found.items)
    columns = (*_COLUMNS, *((_DISTRIBUTOR,) if fourth else ()), *_WORDS)
    return columns, [_cells(each, fourth=fourth) for each in found.items]


def _cells(each: Discrepancy, *, fourth: bool) -> Row:
    numbers = [
        each.usage,
        each.written,
        each.connectwise,
        each.billed,
        *([each.distributor] if fourth else ()),
    ]
    return (
        each.code,
        plain(each.money.amount) if each.money is not None else "",
        each.money.currency if each.money is not None else "",
        each.company,
        each.agreement,
        each.item,
        each.tenant or each.tenant_id or "",
        each.product_code or "",
        each.serial or "",
        str(each.addition_id or ""),
        *(plain_or_none(number) or "" for number in numbers),
        "yes" if each.needs_person else "no",
        each.message,
        "; ".join(each.evidence),
        each.advice,
        each.next,
    )


# Text --------------------------------------------------------------------------------------------


def diagnosis_text(found: Diagnosis) -> str:
    """Return a diagnosis as a billing admin reads it: coverage, what to do in order of money, totals."""
    lines = [headline(found), ""]
    person = [each for each in found.items if each.needs_person]
    known = [each for each in found.items if not each.needs_person]
    lines += _group("A person must look at:", "!", person)
    lines += _group("Worth knowing:", "*", known)
    lines.append(_totals(found))
    return "\n".join(lines)


def headline(found: Diagnosis) -> str:
    """Say how much of a month was checked: `October 2026: checked 209 of 212 rows, ...`."""
    source = "" if found.source == API else f", from {told_source(found.source)}"
    return f"{month_text(found.period)}{source}: checked {coverage_text(found.coverage)}"


def coverage_text(coverage: Checked) -> str:
    """Say how many rows and tenants and how much money of all there is was checked."""
    told = [
        f"{coverage.rows_checked} of {_plural(coverage.rows, 'row')}",
        f"{coverage.tenants_checked} of {_plural(coverage.tenants, 'tenant')}",
    ]
    told += [
        f"{_amount(each.checked)} of {_amount(each.amount)} {printable(each.currency)}"
        for each in coverage.money
    ]
    return ", ".join(told)


def _group(title: str, sign: str, items: Sequence[Discrepancy]) -> Iterator[str]:
    if not items:
        return
    yield title
    for each in items:
        money = f"  {money_text([each.money])}" if each.money is not None else ""
        yield f"  {sign} {each.code}{printable(money)}  {printable(each.message)}"
        numbers = _numbers(each)
        if numbers:
            yield f"      {numbers}"
        yield from (f"      - {printable(line)}" for line in each.evidence)
        if each.advice:
            yield f"      do: {printable(each.advice)}"
        yield f"      next: {printable(each.next)}"
    yield ""


def _numbers(each: Discrepancy) -> str:
    """Set the numbers of an item side by side."""
    beside = (each.written, each.connectwise, each.distributor)
    if all(number is None for number in beside) and (each.key is None or each.usage is None):
        return f"usage {plain(each.usage)}" if each.usage is not None else ""
    shown = [f"usage {_shown(each.usage)}", f"written {_shown(each.written)}"]
    billed = "" if each.billed in {None, each.connectwise} else f" (billed {_shown(each.billed)})"
    shown.append(f"ConnectWise {_shown(each.connectwise)}{billed}")
    if each.distributor is not None:
        shown.append(f"distributor {_shown(each.distributor)}")
    return " | ".join(shown)


def _totals(found: Diagnosis) -> str:
    if not found.items:
        return "Nothing is wrong." if found.coverage.whole else "Nothing else is wrong."
    told = []
    for code, count in counted(found):
        money = money_text(found.at_stake(code))
        told.append(f"{count} {code}{f' ({money})' if money else ''}")
    return f"{_plural(len(found.items), 'item')}: {printable(', '.join(told))}."


def _shown(quantity: Decimal | None) -> str:
    return "-" if quantity is None else plain(quantity)


def _plural(count: int, one: str) -> str:
    return f"{count} {one if count == 1 else f'{one}s'}"


def _amount(amount: Decimal) -> str:
    return money_text([Money(amount, "")])

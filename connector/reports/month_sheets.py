"""A month's report as five tables, for a workbook or for CSV files: nothing is left out of them."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from connector.model import Key
from connector.planning.change import plain, plain_or_none
from connector.planning.month_report import MonthReport, differing_first, direction_of, is_checked
from connector.planning.prices import Money
from connector.reports.classes import DIRECTION_WORDS
from connector.reports.survey import money_cells
from connector.reports.table import Column
from connector.reports.workbook import Sheet

_Row = tuple[str, ...]

_PLAN = (
    Column("Change"), Column("Company"), Column("Agreement"), Column("Agreement id", right=True),
    Column("Item"), Column("Item id", right=True), Column("Addition id", right=True),
    Column("Before", right=True), Column("After", right=True), Column("Effective"), Column("Held"),
    Column("Bill changes by", right=True), Column("Currency"), Column("Because"),
)  # fmt: skip
_DISCREPANCIES = (
    Column("Class"), Column("Needs a person"), Column("Direction"), Column("At stake", right=True),
    Column("Currency"), Column("Tenant"), Column("Tenant id"), Column("Product"), Column("Serial"),
    Column("Company"), Column("Agreement"), Column("Agreement id", right=True), Column("Item"),
    Column("Item id", right=True), Column("Addition id", right=True), Column("Usage", right=True),
    Column("Written", right=True), Column("ConnectWise", right=True), Column("Billed", right=True),
    Column("Distributor", right=True), Column("Message"), Column("Evidence"), Column("First do"),
    Column("Next"),
)  # fmt: skip
_COVERAGE = (
    Column("What"), Column("All", right=True), Column("Checked", right=True),
    Column("Not checked", right=True), Column("Currency"), Column("Company"), Column("Agreement"),
    Column("Agreement id", right=True), Column("Item"), Column("Item id", right=True),
    Column("Usage", right=True), Column("Written", right=True), Column("ConnectWise", right=True),
    Column("Billed", right=True), Column("Distributor", right=True), Column("Classes"),
)  # fmt: skip
_FIREWALLS = (
    Column("Serial"), Column("Model"), Column("Products"), Column("Quantity", right=True),
    Column("Cost", right=True), Column("Currency"), Column("Tenant"), Column("Tenant id"),
    Column("Agreement id", right=True), Column("Item id", right=True), Column("Last seen"), Column("Note"),
)  # fmt: skip
_USAGE = (
    Column("Tenant"), Column("Tenant id"), Column("Product"), Column("Sophos calls it"), Column("Group"),
    Column("Rows", right=True), Column("Quantity", right=True), Column("Cost", right=True),
    Column("Currency"), Column("Month before", right=True), Column("Cost moves by", right=True),
    Column("Currency (moves)"),
)  # fmt: skip


def month_sheets(report: MonthReport) -> tuple[Sheet, ...]:
    """Return Plan, Discrepancies, Coverage, Firewalls and Usage."""
    return (
        Sheet("Plan", _PLAN, list(_plan(report))),
        Sheet("Discrepancies", _DISCREPANCIES, list(_discrepancies(report))),
        Sheet("Coverage", _COVERAGE, list(_coverage(report))),
        Sheet("Firewalls", _FIREWALLS, list(_firewalls(report))),
        Sheet("Usage", _USAGE, list(_usage(report))),
    )


def _plan(report: MonthReport) -> Iterator[_Row]:
    for change in report.plan.changes:
        yield (
            change.kind,
            change.company,
            change.agreement,
            str(change.key.agreement_id),
            change.item,
            str(change.key.item_id),
            "" if change.addition_id is None else str(change.addition_id),
            plain_or_none(change.before) or "",
            plain(change.after),
            str(change.effective or ""),
            change.held or "",
            *_money(change.money),
            change.because,
        )


def _discrepancies(report: MonthReport) -> Iterator[_Row]:
    for item in report.diagnosis.items:
        yield (
            item.code,
            "yes" if item.needs_person else "no",
            DIRECTION_WORDS[direction_of(item.code)],
            *_money(item.money),
            item.tenant or report.tenant(item.tenant_id),
            item.tenant_id or "",
            item.product_code or "",
            item.serial or "",
            item.company,
            item.agreement,
            *_ids(item.key, item.item),
            "" if item.addition_id is None else str(item.addition_id),
            *_numbers(item.usage, item.written, item.connectwise, item.billed, item.distributor),
            item.message,
            "; ".join(item.evidence),
            item.advice,
            item.next,
        )


def _coverage(report: MonthReport) -> Iterator[_Row]:
    """Yield the three sums of the headline, then every key with its numbers."""
    checked = report.diagnosis.coverage
    nothing = ("",) * (len(_COVERAGE) - 5)
    for what, whole, part, currency in (
        ("tenants", Decimal(checked.tenants), Decimal(checked.tenants_checked), ""),
        ("rows", Decimal(checked.rows), Decimal(checked.rows_checked), ""),
        *(("cost", money.amount, money.checked, money.currency) for money in checked.money),
    ):
        yield (what, plain(whole), plain(part), plain(whole - part), currency, *nothing)
    for each, classes in differing_first(report.diagnosis):
        here = is_checked(classes)
        yield (
            "line",
            "1",
            "1" if here else "0",
            "0" if here else "1",
            "",
            each.company,
            each.agreement,
            *_ids(each.key, each.item),
            *_numbers(each.usage, each.written, each.connectwise, each.billed, each.distributor),
            ", ".join(classes),
        )


def _firewalls(report: MonthReport) -> Iterator[_Row]:
    for each in report.firewalls:
        yield (
            each.firewall.serial,
            each.firewall.model,
            ", ".join(each.codes),
            plain(each.quantity),
            *money_cells(each.cost),
            report.tenant(each.tenant_id) or ("nobody" if each.unassigned else ""),
            each.tenant_id or "",
            *(("", "") if each.key is None else (str(each.key.agreement_id), str(each.key.item_id))),
            each.firewall.last_seen or "",
            each.note,
        )


def _usage(report: MonthReport) -> Iterator[_Row]:
    """Yield the month by tenant and product; what was used in the month before alone is a line as well."""
    moved = {(each.tenant_id, each.product_code): each for each in report.movers}
    for line in report.usage:
        amounts = line.amounts
        mover = moved.pop((line.tenant_id, line.product_code), None)
        before = "" if report.compared is None else plain(amounts.quantity)
        if mover is not None:
            before = plain(mover.before or Decimal(0))
        yield (
            line.tenant,
            line.tenant_id or "",
            line.product_code,
            line.product,
            line.group,
            str(amounts.rows),
            plain(amounts.quantity),
            *money_cells(amounts.cost),
            before,
            *money_cells(() if mover is None else mover.moved),
        )
    for gone in moved.values():
        yield (
            gone.tenant,
            gone.tenant_id or "",
            gone.product_code,
            gone.product,
            "",
            "0",
            "0",
            "",
            "",
            plain(gone.before or Decimal(0)),
            *money_cells(gone.moved),
        )


def _money(money: Money | None) -> tuple[str, str]:
    return money_cells(() if money is None else (money,))


def _ids(key: Key | None, item: str) -> tuple[str, str, str]:
    return ("", item, "") if key is None else (str(key.agreement_id), item, str(key.item_id))


def _numbers(*quantities: Decimal | None) -> Iterable[str]:
    return (plain_or_none(quantity) or "" for quantity in quantities)

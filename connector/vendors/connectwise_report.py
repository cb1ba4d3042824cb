"""The report AgreementAdditions: the lines of all agreements, a thousand a request (reference, section 9).

Nothing of it is documented but its shape, so whatever is not exactly as expected makes it unusable. Who
uses it believes it only where nothing is to be written. POST /system/bundles, the other way to read much at
once, is not used: nobody has shown that it holds for additions.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial
from itertools import count

from connector.errors import RequestRefused, SignInRefused, VendorError
from connector.model import Addition
from connector.vendors.calls import Answer, Call
from connector.vendors.connectwise_json import wide_quantity_in
from connector.vendors.connectwise_lists import AT_ONCE, PAGE, goes_on
from connector.vendors.connectwise_session import ConnectWiseSession
from connector.vendors.fields import (
    Malformed,
    Record,
    as_list,
    as_record,
    count_in,
    day_in,
    quantity_in,
    required_id,
    text_in,
)
from connector.vendors.hands import in_order

RIGHT = "System > API Reports: Inquire ALL"
COLUMNS = {
    "Addition_RecId": "Numeric",
    "AGR_RecID": "Numeric",
    "Product_RecId": "Numeric",
    "Total_Quantity": "Numeric",
    "Less_Included": "Numeric",
    "Unit_Price": "Numeric",
    "Unit_Cost": "Numeric",
    "Effective_Date": "DateTime",
    "Cancelled_Date": "DateTime",
    "Serial_Number": "Text",
}
"""What is asked for, in this order, and what type each must be of."""

_UNCACHED = (list, dict)  # JSON that is no amount and no day; nothing can be looked up by it
_PATH = "/system/reports/AgreementAdditions"
_DOING = "reading the report AgreementAdditions"


class ReportUnusable(Exception):
    """Why the report cannot be used; `lasting` where asking again tomorrow would be answered alike."""

    def __init__(self, why: str, *, lasting: bool) -> None:
        super().__init__(why)
        self.why = why
        self.lasting = lasting


class ReportTooLong(ReportUnusable):
    """It has more pages than reading them could spare."""


@dataclass(frozen=True, slots=True)
class ReportedAdditions:
    """What the report shows: the lines of each agreement that has any, by id, and how many pages it took."""

    by_agreement: Mapping[int, tuple[Addition, ...]]
    pages: int


class AdditionsReport:
    """Reads the report, or says why it cannot be used."""

    def __init__(self, session: ConnectWiseSession) -> None:
        self._session = session

    def probe(self) -> None:
        """Ask whether the report is there and has the columns; raises ReportUnusable."""
        answer = self._get(f"{_PATH}/columns", {})
        try:
            shown = dict(_columns(as_record(answer.document, "the answer")))
        except Malformed as flaw:
            raise ReportUnusable(f"its columns cannot be read: {flaw}", lasting=True) from None
        for name, kind in COLUMNS.items():
            if shown.get(name) != kind:
                found = f"is {shown[name]}, not {kind}" if name in shown else "is missing"
                raise ReportUnusable(f"its column {name} {found}", lasting=True)

    def read(self, expected: int, most: int) -> ReportedAdditions:
        """Return every line; raises ReportUnusable, and ReportTooLong beyond `most` pages.

        `expected` pages are read a few at a time, those behind them one by one.
        """
        lines: dict[int, Addition] = {}
        in_order, last, pages = True, 0, 0
        for number, answer in enumerate(self._pages(min(expected, most)), start=1):
            try:
                page = _lines(answer)
            except Malformed as flaw:
                raise ReportUnusable(f"{flaw} (page {number})", lasting=True) from None
            for line in page:
                if line.id in lines:
                    raise ReportUnusable(f"it lists addition {line.id} twice", lasting=True)
                in_order, last = in_order and line.id > last, line.id
                lines[line.id] = line
            pages = number
            if not page or not goes_on(len(page), answer.headers.get("Link")):
                break
            if number >= most:
                raise ReportTooLong(f"it has more than {most} pages", lasting=False)
        if not (in_order or pages == 1 or len(lines) == self._count()):
            raise ReportUnusable(
                "its pages came in disorder and do not hold all that it counts", lasting=True
            )
        by_agreement: dict[int, list[Addition]] = defaultdict(list)
        for line_id in sorted(lines):
            by_agreement[lines[line_id].agreement_id].append(lines[line_id])
        return ReportedAdditions({each: tuple(found) for each, found in by_agreement.items()}, pages)

    def _pages(self, expected: int) -> Iterator[Answer]:
        yield from in_order(AT_ONCE, (partial(self._page, number) for number in range(1, expected + 1)))
        for number in count(expected + 1):
            yield self._page(number)

    def _page(self, number: int) -> Answer:
        asked = {"columns": ",".join(COLUMNS), "orderBy": "Addition_RecId asc"}
        return self._get(_PATH, {**asked, "pageSize": f"{PAGE}", "page": f"{number}"})

    def _count(self) -> int | None:
        document = self._get(f"{_PATH}/count", {}).document
        return count_in(document, "count") if isinstance(document, dict) else None

    def _get(self, path: str, params: Mapping[str, str]) -> Answer:
        """Return an answer; whatever keeps it away makes the report unusable, not the run."""
        try:
            answer = self._session.find(Call(url=path, doing=_DOING, params=params, right=RIGHT))
        except (SignInRefused, RequestRefused) as error:
            raise ReportUnusable(error.message, lasting=error.status in {400, 403}) from None
        except VendorError as error:
            raise ReportUnusable(error.message, lasting=False) from None
        if answer is None:
            raise ReportUnusable("this ConnectWise has no report AgreementAdditions", lasting=True)
        return answer


def _columns(document: Record) -> list[tuple[str, str]]:
    """Return name and type of each column, in order."""
    found = []
    for definition in as_list(document.get("column_definitions"), "column_definitions"):
        record = as_record(definition, "a column")
        if len(record) != 1:
            raise Malformed("a column has not just one name")
        for name, details in record.items():
            found.append((name, text_in(as_record(details, name), "type")))
    return found


def _lines(answer: Answer) -> list[Addition]:
    """Return the lines of one page; values are positional, so the columns must be just those asked for."""
    document = as_record(answer.document, "the answer")
    if _columns(document) != list(COLUMNS.items()):
        raise Malformed("its columns are not those that were asked for")
    return [_line(row) for row in as_list(document.get("row_values"), "row_values")]


def _line(values: object) -> Addition:
    row = as_list(values, "a row")
    if len(row) != len(COLUMNS):
        raise Malformed("a row has not as many values as columns")
    record = dict(zip(COLUMNS, row, strict=True))
    return Addition(
        id=_id_in(record, "Addition_RecId"),
        agreement_id=_id_in(record, "AGR_RecID"),
        item_id=_id_in(record, "Product_RecId"),
        quantity=_amount_in(record, "Total_Quantity") or Decimal(0),
        cancelled=_day_in(record, "Cancelled_Date"),
        effective=_day_in(record, "Effective_Date"),
        serial_number=text_in(record, "Serial_Number"),
        unit_price=_amount_in(record, "Unit_Price"),
        unit_cost=_amount_in(record, "Unit_Cost"),
        less_included=_amount_in(record, "Less_Included") or Decimal(0),
    )


def _id_in(record: Record, column: str) -> int:
    """Return an id; the report calls it a number, which may come as 118.0."""
    value = record[column]
    if not isinstance(value, int):
        number = quantity_in(record, column, decimals=0, below=16)
        value = None if number is None else int(number)
    return required_id({column: value}, column)


def _amount_in(record: Record, column: str) -> Decimal | None:
    value = record[column]
    return wide_quantity_in(record, column) if isinstance(value, _UNCACHED) else _amount(value, column)


def _day_in(record: Record, column: str) -> date | None:
    value = record[column]
    return day_in(record, column) if isinstance(value, _UNCACHED) else _day(value, column)


# Of a hundred thousand lines, most have one of a few amounts and days.
@lru_cache(maxsize=20_000, typed=True)
def _amount(value: object, column: str) -> Decimal | None:
    return wide_quantity_in({column: value}, column)


@lru_cache(maxsize=5_000, typed=True)
def _day(value: object, column: str) -> date | None:
    return day_in({column: value}, column)

"""Read whole lists of ConnectWise: pages, and the proof that none of their rows is missing."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from connector.vendors.calls import Answer
from connector.vendors.failures import Failures
from connector.vendors.fields import Malformed, Record, as_list, as_record, count_in, required_id
from connector.vendors.hands import in_order

PAGE = 1000
AT_ONCE = 4
"""ConnectWise throttled 12 requests at a time, not 4 (reference, section 5.2)."""

_MOST_PAGES = 10_000
_ROUND = 25

# One link of RFC 8288: its address, which may hold commas and semicolons, then its parameters.
_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[\w*-]+(?:\s*=\s*(?:"[^"]*"|[^\s",;<>]+))?)*)')
_PAGE_NUMBER = re.compile(r"[?&]page=(\d{1,5})(?:&|$)", re.ASCII)
_RELATION = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))', re.IGNORECASE)

Get = Callable[[str, Mapping[str, str]], Answer]
"""Sends a GET of a path below the base, with these query parameters."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One list: where it is, which fields of it, and which rows."""

    path: str
    doing: str
    fields: str
    conditions: str = ""

    def params(self, page: int) -> dict[str, str]:
        """Return the query of one page. Without an order, rows can repeat or be missed."""
        params = {"page": f"{page}", "pageSize": f"{PAGE}", "orderBy": "id asc", "fields": self.fields}
        return params | self.filter()

    def filter(self) -> dict[str, str]:
        """Return the part of the query that chooses rows."""
        return {"conditions": self.conditions} if self.conditions else {}


def read_all(get: Get, listing: Listing, failures: Failures) -> list[Record]:
    """Return every row once, by id. A list that was not in order is counted, and read twice at most."""
    for _ in range(2):
        rows, in_order = _walk(get, listing, failures)
        if in_order or len(rows) == _count(get, listing, failures):
            return list(rows.values())
    raise failures.nonsense(
        listing.doing, f"its pages hold {len(rows)} different rows and its count says otherwise, twice"
    )


def _walk(get: Get, listing: Listing, failures: Failures) -> tuple[dict[int, Record], bool]:
    """Return the rows by id, and whether nothing hints at a repeated or missed one."""
    rows: dict[int, Record] = {}
    in_order = True
    last = 0
    for number, answer in enumerate(_pages(get, listing), start=1):
        with failures.reading(listing.doing, answer):
            page = [as_record(item, "a row") for item in as_list(answer.document, "the answer")]
            known = len(rows)
            for record in page:
                row_id = required_id(record, "id")
                in_order = in_order and row_id > last
                last = row_id
                rows.setdefault(row_id, record)
            if page and len(rows) == known:
                raise Malformed(f"page {number} repeats rows of the pages before")
        if not page or not goes_on(len(page), answer.headers.get("Link")):
            # Disorder within one page misses nothing.
            return rows, in_order or number == 1
    raise failures.nonsense(listing.doing, f"there are more than {_MOST_PAGES} pages")


def _pages(get: Get, listing: Listing) -> Iterator[Answer]:
    """Yield page after page; where the first one names the last, a few of them are read at a time."""
    first = get(listing.path, listing.params(1))
    yield first
    last = min(last_page(first.headers.get("Link", "")), _MOST_PAGES)
    rest = (partial(get, listing.path, listing.params(number)) for number in range(2, last + 1))
    yield from in_order(AT_ONCE, rest)
    for number in range(max(last, 1) + 1, _MOST_PAGES + 1):
        yield get(listing.path, listing.params(number))


def goes_on(rows: int, link: str | None) -> bool:
    """Whether another page must be asked for.

    A server that sends no Link at all may also keep to smaller pages than asked: a round number of rows,
    such as the 25 it gives unasked, may be one of those.
    """
    if link is None:
        return rows % _ROUND == 0
    return rows >= PAGE or has_next(link)


def _count(get: Get, listing: Listing, failures: Failures) -> int:
    answer = get(f"{listing.path}/count", listing.filter())
    with failures.reading(f"counting after {listing.doing}", answer):
        count = count_in(as_record(answer.document, "the answer"), "count")
        if count is None:
            raise Malformed("count is missing")
        return count


def has_next(link: str) -> bool:
    """Whether a Link header tells of a next page. Its address is the server's view, never followed."""
    return bool(_linked(link, "next"))


def last_page(link: str) -> int:
    """Return the number of the last page that a Link header names, 0 where it names none."""
    number = _PAGE_NUMBER.search(_linked(link, "last"))
    return int(number[1]) if number else 0


def _linked(link: str, wanted: str) -> str:
    """Return the first address of that relation in a Link header, or ""."""
    for address, parameters in _LINK.findall(link):
        relation = _RELATION.search(parameters)
        if address and relation and wanted in (relation[1] or relation[2]).lower().split():
            return str(address)
    return ""

"""The client of Sophos Central Partner: tenants, firewall licences, a month's billing usage."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from connector.errors import Nonsense, NotPublished
from connector.model import Firewall, Period, Tenant, UsagePage, UsageRow
from connector.vendors import sophos_wire
from connector.vendors.fields import Malformed, Record, announced_in, as_list, as_record, converted, count_in
from connector.vendors.sophos_licences import LicenceCount, licence_counts
from connector.vendors.sophos_session import SophosCredentials, SophosSession
from connector.vendors.transport import Answer, Call, Pace, Patience, Trace

_Item = TypeVar("_Item")

_MOST_PAGES = 20_000
_USAGE_PAGE = 1000
_TENANTS_PAGE = 100
_FIREWALLS_PAGE = 50  # the documented default; no maximum is documented


class SophosClient:
    """Reads what one partner's customers used; writes nothing."""

    def __init__(  # noqa: PLR0913  # one argument for each setting
        self,
        *,
        client_id: str,
        client_secret: str,
        auth_url: str,
        api_url: str,
        patience: Patience | None = None,
        trace: Trace | None = None,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        credentials = SophosCredentials(client_id, client_secret, auth_url, api_url)
        self._session = SophosSession(credentials, patience=patience, trace=trace, pace=pace, clock=clock)
        self.transport = self._session.transport

    def sign_in(self) -> None:
        """Get a token; raises SignInRefused where the credentials are wrong."""
        self._session.sign_in()

    def whoami(self) -> str:
        """Return the partner's id; anything but a partner's credentials is SignInRefused."""
        return self._session.whoami()

    def close(self) -> None:
        """Let nothing more leave, whatever threads still read."""
        self.transport.close()

    def tenants(self) -> tuple[Tenant, ...]:
        """Return every tenant once, in Sophos's order."""
        call = Call(url="/partner/v1/tenants", doing="reading tenants", right="tenants")
        found: dict[str, Tenant] = {}
        for tenant in self._numbered(call, _TENANTS_PAGE, sophos_wire.tenant):
            found.setdefault(tenant.id, tenant)
        return tuple(found.values())

    def firewalls(self) -> tuple[Firewall, ...]:
        """Return every firewall licence record; a serial listed twice comes twice."""
        call = Call(
            url="/licenses/v1/licenses/firewalls",
            doing="reading firewall licences",
            right="firewall licences",
        )
        return tuple(self._numbered(call, _FIREWALLS_PAGE, sophos_wire.firewall))

    def licence_counts(self, tenant_id: str) -> tuple[LicenceCount, ...] | None:
        """Return what a customer's monthly licences count today, or None where it may not be seen."""
        return licence_counts(self._session, tenant_id)

    def billing_usage(self, period: Period) -> tuple[UsageRow, ...]:
        """Return every row of a month at once; raises as `billing_pages` does."""
        return tuple(row for page in self.billing_pages(period) for row in page.rows)

    def billing_pages(self, period: Period) -> Iterator[UsagePage]:
        """Yield a month page by page, each as soon as it is checked; each is asked for when it is due.

        Raises NotPublished in place of the first page, else why the month cannot be trusted: until the last
        page has come and nothing was raised after it, none of it counts.
        """
        call = Call(
            url=f"/partner/v1/billing/usage/{period.year}/{period.month}",
            doing=f"reading billing usage of {period}",
            right="billing",
            handled=frozenset({404}),
        )
        read = 0
        expected: int | None = None
        pages: int | None = None
        number = 0
        for number, (answer, page) in enumerate(self._keyed(call, period), 1):
            with self.transport.failures.reading(call.doing, answer):
                announced = announced_in(page, "pages/items")
                if announced is not None and expected not in {None, announced}:
                    raise Malformed(f"pages.items was {expected} and is {announced} now; nothing was written")
                expected = announced if announced is not None else expected
                pages = announced_in(page, "pages/total") if number == 1 else pages
                rows = converted(sophos_wire.usage_row, as_list(page.get("items"), "items"), read + 1)
            read += len(rows)
            if expected is not None and read > expected:
                break
            yield UsagePage(rows, read, expected)
        if expected is not None and read != expected:
            raise self._miscounted(call, expected, read)
        if expected is None and pages is not None and number < pages:
            what = f"it announced {pages} pages (pages.total) and sent {number}; nothing was written"
            raise self.transport.failures.nonsense(call.doing, what)

    def _keyed(self, call: Call, period: Period) -> Iterator[tuple[Answer, Record]]:
        """Yield the pages of a month, each found by the key that the one before it gave."""
        key = ""
        seen: set[str] = set()
        while len(seen) < _MOST_PAGES:
            where = {"pageFromKey": key} if key else {"pageTotal": "true"}
            answer = self._session.partner_get(call, {"pageSize": f"{_USAGE_PAGE}"} | where)
            if answer.status == 404 and not key:
                raise NotPublished(
                    f"Sophos has no billing data for {period} yet.",
                    "Sophos publishes a month near its 26th: run the same command again then, or name an "
                    "earlier month.",
                )
            with self.transport.failures.reading(call.doing, answer):
                if answer.status == 404:
                    raise Malformed("a page that it told of does not exist (404); nothing was written")
                page = as_record(answer.document, "the answer")
                key = _next_key(as_record(page.get("pages"), "pages"))
                if key in seen:
                    raise Malformed("the key of the next page was given before; nothing was written")
            seen.add(key)
            yield answer, page
            if not key:
                return
        raise self._endless(call)

    def _numbered(self, call: Call, page_size: int, convert: Callable[[Record], _Item]) -> list[_Item]:
        """Return the items of a list with numbered pages, having made sure that they are all there."""
        found: list[_Item] = []
        before: list[object] = []
        expected: int | None = None
        total: int | None = None
        for number in range(1, _MOST_PAGES + 1):
            params = {"page": f"{number}", "pageSize": f"{page_size}"}
            if number == 1:
                params["pageTotal"] = "true"
            answer = self._session.partner_get(call, params)
            with self.transport.failures.reading(call.doing, answer):
                page = as_record(answer.document, "the answer")
                items = as_list(page.get("items"), "items")
                found += converted(convert, items, len(found) + 1)
                current = count_in(page, "pages/current")
                if current not in {None, number} or (items and items == before):
                    raise Malformed(f"asked for page {number} it sent page {current or number - 1}")
                if number == 1:
                    expected, total = count_in(page, "pages/items"), count_in(page, "pages/total")
                if not items and total is not None and number <= total > 1:
                    raise Malformed(f"page {number} of {total} is empty")
                in_force = min(page_size, count_in(page, "pages/size") or page_size)
            if not items or (len(items) < in_force if total is None else number >= total):
                break
            before = items
        else:
            raise self._endless(call)
        if expected is not None and len(found) != expected:
            raise self._miscounted(call, expected, len(found))
        return found

    def _miscounted(self, call: Call, expected: int, found: int) -> Nonsense:
        what = f"it announced {expected} rows (pages.items) and sent {found}; nothing was written"
        return self.transport.failures.nonsense(call.doing, what)

    def _endless(self, call: Call) -> Nonsense:
        return self.transport.failures.nonsense(call.doing, f"there are more than {_MOST_PAGES} pages")


def _next_key(pages: Record) -> str:
    """Return the key of the next page, "" on the last one; it is opaque and never trimmed."""
    key = pages.get("nextKey")
    if key is None or key == "":
        return ""
    if isinstance(key, bool) or not isinstance(key, str | int):
        raise Malformed("pages.nextKey is no text")
    return str(key)

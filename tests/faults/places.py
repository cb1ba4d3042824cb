"""Every request that a run makes, and every fault that can hit it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from faults.books import Books

from connector.simulator import Fault
from connector.simulator.faults import Kind, Vendor

Sort = Literal["token", "answer", "list of sophos", "list of connectwise", "post", "patch"]

PATIENT = "429 with Retry-After"
"""The fault 429 that says how long to wait; the other one does not."""
KINDS = (*(kind for kind in get_args(Kind) if kind != "body"), PATIENT)
ROWS = {"row-twice", "row-missing", "shuffle-pages"}


@dataclass(frozen=True)
class Place:
    """One request of a run: which it is, and what must go wrong before for it to be made at all."""

    vendor: Vendor
    sort: Sort
    path: Callable[[Books], str]
    method: str = "GET"
    after: int = 0
    first: Callable[[Books], Fault] | None = None
    pages: int = 1000
    """How many rows Sophos gives on a page of billing usage."""
    site: bool = False
    """Whether CONNECTWISE_URL is a site, which has to be asked for its code base."""

    def takes(self, kind: str) -> bool:
        """Whether a fault of that kind can harm this request."""
        if kind == "false-200":
            return self.sort == "patch"
        if kind == "401-expired-token":
            return self.sort != "token"
        if kind in ROWS:
            return self.sort.startswith("list")
        if kind == "wrong-items":
            return self.sort == "list of sophos" and self is not PLACES["billing usage, a later page"]
        if kind == "repeated-nextKey":
            return self is PLACES["billing usage, a later page"]
        return True

    def fault(self, kind: str, books: Books) -> Fault:
        """Return the fault, short enough for a client that waits 0.3 s."""
        made: Kind = next(it for it in get_args(Kind) if it == ("429" if kind == PATIENT else kind))
        return Fault(
            made,
            vendor=self.vendor,
            method=self.method,
            path=self.path(books),
            after=self.after,
            retry_after=7 if kind == PATIENT else None,
            delay=0.1 if kind == "slow-body" else 0.6,
        )


def always(path: str) -> Callable[[Books], str]:
    """Return a path that no world changes."""
    return lambda _: path


def additions_of(what: str) -> Callable[[Books], str]:
    """Return the additions of the agreement on which something is to happen."""
    return lambda books: rf"/agreements/{books.agreement(what)}/additions(\?|$)"


def one_addition_of(what: str) -> Callable[[Books], str]:
    """Return the line that is to be changed."""

    def path(books: Books) -> str:
        (line,) = books.live(books.keys[what])
        return rf"/additions/{line.id}(\?|$)"

    return path


def garbled_patch(books: Books) -> Fault:
    """Make the answer to a change unreadable, so that the line is read again."""
    path = one_addition_of("update")(books)
    return Fault("truncated-json", vendor="connectwise", method="PATCH", path=path)


def unclear_post(books: Books) -> Fault:
    """Make a line and say that it failed, so that the agreement's lines are read again."""
    return Fault("error-after", vendor="connectwise", method="POST", path=additions_of("create")(books))


PLACES: dict[str, Place] = {
    "token": Place("sophos", "token", always("/api/v2/oauth2/token"), "POST"),
    "whoami": Place("sophos", "answer", always("/whoami/v1")),
    "tenants": Place("sophos", "list of sophos", always("/partner/v1/tenants")),
    "billing usage": Place("sophos", "list of sophos", always("/billing/usage/.*pageTotal"), pages=4),
    "billing usage, a later page": Place("sophos", "list of sophos", always("pageFromKey="), pages=4),
    "firewalls": Place("sophos", "list of sophos", always("/licenses/v1/licenses/firewalls")),
    "companyinfo": Place("connectwise", "answer", always("/login/companyinfo/"), site=True),
    "companies": Place("connectwise", "list of connectwise", always("/company/companies")),
    "agreements": Place("connectwise", "list of connectwise", always(r"/finance/agreements\?")),
    "catalog": Place("connectwise", "list of connectwise", always("/procurement/catalog")),
    "report columns": Place("connectwise", "answer", always("/reports/AgreementAdditions/columns")),
    "report": Place("connectwise", "answer", always(r"/reports/AgreementAdditions\?")),
    "additions": Place("connectwise", "list of connectwise", additions_of("update")),
    "additions with a line to adopt": Place("connectwise", "list of connectwise", additions_of("adopt")),
    "additions with our line last": Place("connectwise", "list of connectwise", additions_of("fraction")),
    "additions before a create": Place("connectwise", "list of connectwise", additions_of("create"), after=1),
    "additions after an unclear create": Place(
        "connectwise", "list of connectwise", additions_of("create"), after=2, first=unclear_post
    ),
    "one addition": Place("connectwise", "answer", one_addition_of("update"), first=garbled_patch),
    "create": Place("connectwise", "post", additions_of("create"), "POST"),
    "create, the last one": Place("connectwise", "post", additions_of("create_alone"), "POST"),
    "update": Place("connectwise", "patch", one_addition_of("update"), "PATCH"),
    "zero or end": Place("connectwise", "patch", one_addition_of("stop"), "PATCH"),
    "adopt": Place("connectwise", "patch", one_addition_of("adopt"), "PATCH"),
}

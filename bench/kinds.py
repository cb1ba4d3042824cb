"""What the requests of a run were for."""

import re
from collections import Counter
from collections.abc import Iterable

from connector.simulator import Request

SOPHOS = ("token", "whoami", "tenants", "usage", "firewalls")
CONNECTWISE = ("companies", "agreements", "catalog", "report", "additions", "fresh looks", "writes")
KINDS = (*SOPHOS, *CONNECTWISE, "other")
WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})

_SOPHOS_PATHS = {
    "/api/v2/oauth2/token": "token",
    "/whoami/v1": "whoami",
    "/partner/v1/tenants": "tenants",
    "/licenses/v1/licenses/firewalls": "firewalls",
}
_CONNECTWISE_PATHS = (
    ("/company/companies", "companies"),
    ("/procurement/catalog", "catalog"),
    ("/system/reports", "report"),
)
_ADDITIONS = re.compile(r"/finance/agreements/(\d+)/additions(/\d+)?", re.IGNORECASE)


def by_kind(requests: Iterable[Request]) -> Counter[str]:
    """Count requests by kind, those that were throttled left out.

    The first reading of an agreement's additions is `additions`, each further one a `fresh look`.
    """
    counts: Counter[str] = Counter()
    read: set[str] = set()
    for request in requests:
        if request.status != 429:
            counts[_kind(request, read)] += 1
    return counts


def _kind(request: Request, read: set[str]) -> str:
    if request.vendor == "sophos":
        usage = request.path.startswith("/partner/v1/billing/usage/")
        return "usage" if usage else _SOPHOS_PATHS.get(request.path, "other")
    if request.method in WRITES:
        return "writes"
    additions = _ADDITIONS.search(request.path)
    if additions:
        agreement, one = additions.groups()
        again = one is not None or agreement in read
        read.add(agreement)
        return "fresh looks" if again else "additions"
    for part, kind in _CONNECTWISE_PATHS:
        if part in request.path:
            return kind
    return "agreements" if "/finance/agreements" in request.path else "other"

"""What one customer's licences count today, as Sophos Central Partner answers it (sophos-api.md, 4.2)."""

from dataclasses import dataclass
from decimal import Decimal

from connector.vendors.fields import (
    Malformed,
    Record,
    as_list,
    as_record,
    converted,
    name_in,
    quantity_in,
    text_in,
)
from connector.vendors.sophos_session import SophosSession
from connector.vendors.transport import Call

MONTHLY = "usage"
_MOST = 1000


@dataclass(frozen=True, slots=True)
class LicenceCount:
    """The last counted use of one monthly licence; `count` is None where Sophos has not counted it."""

    product_code: str
    name: str
    count: Decimal | None


def licence_counts(session: SophosSession, tenant_id: str) -> tuple[LicenceCount, ...] | None:
    """Return every monthly licence of a customer, or None where Sophos does not let us see them (403)."""
    call = Call(
        url="/licenses/v1/licenses",
        doing="reading a tenant's licences",
        right="licences",
        handled=frozenset({403}),
    )
    answer = session.tenant_get(call, tenant_id)
    if answer.status == 403:
        return None
    with session.transport.failures.reading(call.doing, answer):
        listed = as_list(as_record(answer.document, "the answer").get("licenses"), "licenses")
        if len(listed) > _MOST:
            raise Malformed(f"one tenant has more than {_MOST} licences")
        return tuple(each for each in converted(_licence, listed) if each is not None)


def _licence(item: Record) -> LicenceCount | None:
    """Return one licence, or None for one that is not billed by the month."""
    if name_in(item, "type") != MONTHLY:
        return None
    code = name_in(item, "product/code")
    if code is None:
        raise Malformed("product/code is missing")
    count = quantity_in(item, "usage/current/count", decimals=6)
    if count is not None and count < 0:
        raise Malformed("usage/current/count is below zero")
    return LicenceCount(code, text_in(item, "product/name"), count)

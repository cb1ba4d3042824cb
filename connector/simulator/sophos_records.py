"""What the simulated Sophos Central Partner holds: tenants, firewalls and billing rows.

Field names and meanings: reference/sophos-api.md, sections 2 to 4.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypedDict

Period = tuple[int, int]
"""Year and month."""


def period_of(period: str | Period) -> Period:
    """Read `2026-10` or `(2026, 10)`."""
    if isinstance(period, tuple):
        return period
    year, month = period.split("-")
    return int(year), int(month)


@dataclass(slots=True)
class Contact:
    """A made-up person at a customer; personal data on the wire (section 3.4)."""

    first_name: str
    last_name: str
    email: str
    street: str = "1 Quay Street"
    city: str = "Dublin"
    country: str = "IE"
    postal_code: str = "D01 X0X0"
    state: str = ""
    phone: str = "+353 1 555 0100"


@dataclass(slots=True)
class Tenant:
    """One customer in Sophos Central (section 2.3)."""

    id: str
    name: str
    show_as: str
    account_number: str
    external_id: str
    billing_type: Literal["usage", "trial", "term"] = "usage"
    status: str = "active"
    geography: str = "IE"
    region: str = "eu01"
    with_api_host: bool = True
    managed: bool = True
    organization_id: str | None = None
    products: tuple[str, ...] = ()
    contact: Contact | None = None


@dataclass(slots=True)
class Licence:
    """One subscription of a firewall or a tenant (section 4.1)."""

    id: str
    identifier: str
    product_code: str
    product_name: str
    type: str = "usage"
    start: str = "2026-03-14"
    end: str | None = None
    quantity: int | None = None
    count: int | None = None
    """Last counted use; None leaves the whole `usage` block out."""


@dataclass(slots=True)
class Firewall:
    """A device in the firewall licences (section 4.1); tenants are given by id."""

    serial: str
    model: str
    tenant: str | None = None
    """Where the device is registered; None is sent as an empty object."""
    billing_tenant: str | None = None
    """To whom the monthly licence is assigned; None is sent as `null`, or left out (see below)."""
    billing_tenant_sent: bool = True
    virtual: bool = False
    licences: list[Licence] = field(default_factory=list)
    last_seen: str | None = "2026-09-30T22:41:07.000Z"


@dataclass(frozen=True, slots=True)
class SophosProduct:
    """A price list entry; the wire has it only as texts and prices on billing rows."""

    code: str
    name: str
    group: Literal["User", "Server", "Device"]
    sku: str
    unit_price: Decimal
    unit_msrp: Decimal


@dataclass(slots=True)
class UsageRow:
    """One row of the monthly billing usage, before it is written out (section 3.4)."""

    key: int
    product: SophosProduct
    quantity: int
    actual: int
    account_id: str | None
    external_id: str | None
    status: str | None
    serial_or_account: str
    customer: str | None
    contact: Contact | None
    order_line: str
    description: str | None = None
    """The whole invoice text; None writes the product's name with the month's price band."""
    wire: dict[str, object] = field(default_factory=dict)
    """Fields of this row to send differently than the rules say; `LEFT_OUT` omits one."""


LEFT_OUT = object()
"""Value in `UsageRow.wire` for a field that the row shall not have."""


class RowOptions(TypedDict, total=False):
    """The optional words of `World.use`."""

    description: str
    actual: int
    serial: str
    account: bool
    external_id: str | None
    customer: str | None
    status: str
    order_line: str
    wire: Mapping[str, object]

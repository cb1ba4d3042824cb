"""What a product code, a tenant or a firewall comes to in a month: the rows that people decide by."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from connector.model import Firewall, Key, Reference
from connector.planning.findings import tenant_label
from connector.planning.prices import Money

State = Literal["on", "off", "new", "fault"]
STATES: tuple[State, ...] = ("on", "off", "new", "fault")


@dataclass(frozen=True, slots=True)
class ProductState:
    """A product code: its usage this month, and the item that bills it.

    `item` is what mappings.yaml says, `item_id` and `identifier` what that is in ConnectWise. `notes` say
    what is wrong, or was renamed.
    """

    code: str
    name: str
    group: str
    tenants: int
    quantity: Decimal
    cost: tuple[Money, ...]
    state: State
    item: Reference | None = None
    item_id: int | None = None
    identifier: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TenantState:
    """A tenant: where mappings.yaml bills it, and whether that works.

    `company` and `agreement` are as mappings.yaml says them; the ids are ConnectWise's.
    """

    id: str
    name: str
    billing_type: str
    status: str
    state: State
    quantity: Decimal
    cost: tuple[Money, ...]
    company: Reference | None = None
    agreement: Reference | None = None
    company_id: int | None = None
    agreement_id: int | None = None
    note: str = ""

    @property
    def label(self) -> str:
        """What people call it, with enough of its id to tell two of one name apart."""
        return tenant_label(self.id, {self.id: self.name})


@dataclass(frozen=True, slots=True)
class FirewallState:
    """A firewall: whom Sophos says it belongs to, and who is billed for it this month.

    `tenant_id` is the tenant it counts for, by contract rule 4; None leaves it unassigned. `key` bills it.
    """

    firewall: Firewall
    codes: tuple[str, ...]
    quantity: Decimal
    cost: tuple[Money, ...]
    tenant_id: str | None
    key: Key | None
    note: str = ""

    @property
    def unassigned(self) -> bool:
        """Whether it is billed by Sophos this month, and to nobody by us."""
        return self.tenant_id is None and bool(self.codes)

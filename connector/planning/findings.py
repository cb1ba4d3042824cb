"""What planning has to tell people: rows that cannot be placed, warnings and objections."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from connector.model import Key


@dataclass(frozen=True, slots=True)
class Part:
    """One tenant's usage of one product code within a key.

    `serials` are the serial numbers of its rows, or the account number where Sophos counts no devices.
    `quantity` is what Sophos counts; a `committed` part bills the tenant's minimum, which is more.
    """

    tenant_id: str
    product_code: str
    quantity: Decimal
    serials: tuple[str, ...] = ()
    committed: bool = False

    @property
    def pair(self) -> tuple[str, str]:
        """The tenant and the product code, which is what mappings.yaml decides on."""
        return (self.tenant_id, self.product_code)


@dataclass(frozen=True, slots=True)
class Desired:
    """What a key should bill: the sum of its parts (contract rule 6), or what allowances make of them.

    `conflict` says which codes disagree on how they add up; the quantity means nothing then. `committed` is
    how many units of the quantity are billed for minimums alone.
    """

    quantity: Decimal
    parts: tuple[Part, ...]
    conflict: str = ""
    committed: Decimal = Decimal(0)

    @property
    def used(self) -> Decimal:
        """The sum of what Sophos counts."""
        return sum((part.quantity for part in self.parts), Decimal(0))

    @property
    def rounded_away(self) -> bool:
        """Whether nothing is billed although something is used."""
        return self.quantity == 0 and self.used > 0


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Usage that is billed to nobody until a person decides, with the code that says why.

    Where it is `billed` nonetheless, only its price waits; `rows` is then 0, for they are billed.
    """

    code: str
    message: str
    tenant_id: str | None
    product_code: str | None
    quantity: Decimal
    serial: str | None = None
    key: Key | None = None
    rows: int = 1
    next_step: str = ""
    billed: bool = False


@dataclass(frozen=True, slots=True)
class Warn:
    """Something a person should know; nothing is held back for it."""

    code: str
    message: str
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a guard stops the whole run (contract rule 18), with its figures and how to go on."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many usage rows are billed, deliberately off, or unresolved; the three add up to `rows`."""

    rows: int
    billed: int
    off: int
    unresolved: int


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asked of one plan beyond mappings.yaml (contract section 3).

    `only` are the kinds of change that the plan is limited to; none means every kind. `unattended` holds
    what the map does not let go without a person.
    """

    tenant: str | None = None
    product: str | None = None
    adopt: bool = False
    recreate: bool = False
    force: frozenset[str] = field(default_factory=frozenset)
    restate: bool = False
    only: frozenset[str] = field(default_factory=frozenset)
    unattended: bool = False

    def makes(self, kind: str) -> bool:
        """Whether the plan is for changes of this kind."""
        return not self.only or kind in self.only

    @property
    def whole(self) -> bool:
        """Whether the plan is for every tenant and product."""
        return self.tenant is None and self.product is None

    def selects(self, tenant_id: str | None, product_code: str | None) -> bool:
        """Whether the plan is for this tenant and product."""
        return self.tenant in {None, tenant_id} and self.product in {None, product_code}

    def releases(self, code: str) -> bool:
        """Whether a person has released this guard or held change."""
        if code == "NEEDS_ADOPTION" and self.adopt:
            return True
        return code in self.force or "all" in self.force


def tenant_label(tenant_id: str, names: Mapping[str, str]) -> str:
    """Return what people call a tenant, with enough of its id to tell two of one name apart."""
    name = names.get(tenant_id, "")
    return f"{name} ({tenant_id[:8]})" if name else tenant_id

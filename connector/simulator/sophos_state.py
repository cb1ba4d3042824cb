"""The Sophos half of a world: change it in the business's words, while the server runs."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Literal, TypedDict, Unpack

from .sophos_records import (
    Contact,
    Firewall,
    Licence,
    Period,
    RowOptions,
    SophosProduct,
    Tenant,
    UsageRow,
    period_of,
)
from .timeline import Timeline

BANDS = ((1000, "1000+"), (500, "500-999"), (200, "200-499"), (100, "100-199"), (50, "50-99"), (25, "25-49"))
UNITS = {"User": "USERS", "Server": "SERVERS", "Device": "DEVICES"}


class TenantOptions(TypedDict, total=False):
    """The optional words of `World.add_tenant`: the fields of a tenant."""

    id: str
    show_as: str
    account_number: str
    external_id: str
    billing_type: Literal["usage", "trial", "term"]
    status: str
    geography: str
    region: str
    with_api_host: bool
    managed: bool
    organization_id: str | None
    products: tuple[str, ...]
    contact: Contact | None


class FirewallOptions(TypedDict, total=False):
    """The optional words of `World.add_firewall`."""

    tenant: str | None
    billing_tenant: str | None
    billing_tenant_sent: bool
    virtual: bool
    licences: list[Licence]
    last_seen: str | None


class SophosSide(Timeline):
    """Tenants, firewalls and the billing usage of each month."""

    def __init__(self, seed: int, today: date, clock: Callable[[], float]) -> None:
        super().__init__(seed, today, clock)
        self.partner_id = "84aa3535-19f6-450b-a5f8-47a8b0285789"
        self.partner_name = "Example MSP Ltd"
        self.sophos_client_id = "5b1c4f0e-8f55-4c0e-9a4c-6f3a2f7d1e90"
        self.sophos_client_secret = f"demo-sophos-secret-{seed}"
        self.id_type: Literal["partner", "organization", "tenant"] = "partner"
        """What whoami says the credentials are (section 1.3)."""
        self.token_lifetime = 3600
        """Seconds; tokens already given keep the lifetime they were given (section 1.1)."""
        self.tokens: dict[str, float] = {}
        """Valid tokens and the clock's second at which each ends."""
        self.sophos_limits = False
        """Switches the request limits of section 5.1 on."""
        self.sophos_retry_after = True
        """Whether a 429 of those limits carries `Retry-After`."""
        self.largest_billing_page = 1000
        self.largest_tenant_page = 100
        self.publish_day = 26
        self.forced_months: dict[Period, bool] = {}
        """Months published or withheld whatever the day; see `publish` and `unpublish`."""
        self.products: dict[str, SophosProduct] = {}
        self.tenants: dict[str, Tenant] = {}
        self.firewalls: dict[str, Firewall] = {}
        self.licences: dict[str, list[Licence]] = {}
        """Licences of tenants as said by `license`; the others have what they use (section 4.2)."""
        self.licences_hidden: set[str] = set()
        """Tenants whose licences answer 403, though they are listed."""
        self.usage: defaultdict[Period, list[UsageRow]] = defaultdict(list)
        """The rows of each month, in the order Sophos lists them."""
        self._rows = 0
        self._line_numbers: dict[str, int] = {}

    def add_product(self, product: SophosProduct) -> SophosProduct:
        """Put a product code on Sophos's price list."""
        self.products[product.code] = product
        self._line_numbers.setdefault(product.code, len(self.products))
        return product

    def add_tenant(self, name: str, **options: Unpack[TenantOptions]) -> Tenant:
        """Add a customer to Sophos Central; what is not said gets a plausible value."""
        with self.lock:
            options.setdefault("id", self.fresh_uuid())
            options.setdefault("external_id", self.fresh_uuid())
            options.setdefault("show_as", name)
            options.setdefault("account_number", str(8004410101 + len(self.tenants)))
            tenant = Tenant(name=name, **options)
            self.tenants[tenant.id] = tenant
            return tenant

    def remove_tenant(self, tenant_id: str) -> Tenant:
        """Take a customer off the tenants list; its billing rows stay (section 3.5, third row)."""
        with self.lock:
            return self.tenants.pop(tenant_id)

    def add_firewall(
        self, serial: str, model: str, product_code: str, **options: Unpack[FirewallOptions]
    ) -> Firewall:
        """Add a device with a monthly licence to the firewall licences."""
        with self.lock:
            firewall = Firewall(serial, model, **options)
            if not firewall.licences:
                number = len(self.firewalls) + 1
                name = f"{self._product(product_code).name} MSP Monthly"
                firewall.licences.append(
                    Licence(
                        f"DEM{number}-AAAA-BBBB-CCC1", f"D59{160000 + number}", product_code, name, count=1
                    )
                )
            self.firewalls[serial] = firewall
            return firewall

    def license(
        self, tenant_id: str, product_code: str, count: int | None, *, kind: str = "usage"
    ) -> Licence:
        """Say which licences a tenant has today, one by one; without a count it was never counted."""
        with self.lock:
            listed = self.licences.setdefault(tenant_id, [])
            listed.append(self._licence(len(listed) + 1, product_code, count, kind))
            return listed[-1]

    def licences_of(self, tenant: Tenant) -> list[Licence]:
        """Return a tenant's licences: as `license` said, else its products, counted as this month's rows say.

        Devices are not among them: a firewall's licence is its own (section 4.1).
        """
        if tenant.id in self.licences:
            return self.licences[tenant.id]
        counts: dict[str, int | None] = dict.fromkeys(tenant.products)
        for row in self.usage.get((self.today.year, self.today.month), []):
            if row.account_id == tenant.id and row.product.group != "Device":
                counts[row.product.code] = (counts.get(row.product.code) or 0) + row.actual
        return [self._licence(n, code, count, "usage") for n, (code, count) in enumerate(counts.items(), 1)]

    def _licence(self, number: int, product_code: str, count: int | None, kind: str) -> Licence:
        product = self.products.get(product_code)
        name = f"{product.name} MSP Monthly" if product else product_code
        said = f"DEM5-AAAA-BBBB-CC{number:02}", f"D59{161000 + number}"
        return Licence(*said, product_code, name, type=kind, count=count)

    def use(
        self,
        period: str | Period,
        tenant_id: str | None,
        product_code: str,
        quantity: int,
        **options: Unpack[RowOptions],
    ) -> UsageRow:
        """Add one billing row to a month; `account=False` leaves the tenant off it, as for firewalls."""
        with self.lock:
            year, month = period_of(period)
            product = self._product(product_code)
            tenant = self.tenants.get(tenant_id or "")
            on_account = options.get("account", True) and tenant_id is not None
            serial = options.get("serial")
            self._rows += 1
            line = f"OrderLine-{year % 100:02}{month:02}" + (
                f"9{self._rows:05}" if serial else f"{self._line_numbers[product_code]:04}"
            )
            row = UsageRow(
                key=self._rows,
                product=product,
                quantity=quantity,
                actual=options.get("actual", quantity),
                account_id=tenant_id if on_account else None,
                external_id=options.get("external_id", tenant.external_id if tenant and on_account else None),
                status=options.get(
                    "status", (tenant.status if tenant else "canceled") if on_account else None
                ),
                serial_or_account=serial or (tenant.account_number if tenant else "8004419999"),
                customer=options.get("customer", tenant.name if tenant else None),
                contact=tenant.contact if tenant and on_account else None,
                order_line=options.get("order_line", line),
                description=options.get("description"),
                wire=dict(options.get("wire", {})),
            )
            self.usage[year, month].append(row)
            return row

    def rows(
        self, period: str | Period, tenant_id: str | None = None, product_code: str | None = None
    ) -> list[UsageRow]:
        """Return the rows of a month, of one tenant or product if asked, to be changed in place."""
        return [
            row
            for row in self.usage.get(period_of(period), [])
            if (tenant_id is None or row.account_id == tenant_id)
            and (product_code is None or row.product.code == product_code)
        ]

    def stop_using(
        self, period: str | Period, tenant_id: str | None = None, product_code: str | None = None
    ) -> None:
        """Drop the rows of a tenant or product from a month: usage 0 is often no row (section 3.7)."""
        with self.lock:
            gone = {row.key for row in self.rows(period, tenant_id, product_code)}
            kept = [row for row in self.usage[period_of(period)] if row.key not in gone]
            self.usage[period_of(period)] = kept

    def publish(self, period: str | Period) -> None:
        """Let Sophos answer for a month now, even without a single row in it."""
        self.forced_months[period_of(period)] = True

    def unpublish(self, period: str | Period) -> None:
        """Let Sophos answer 404 for a month, whatever rows and day there are."""
        self.forced_months[period_of(period)] = False

    def is_published(self, period: str | Period) -> bool:
        """Return whether the month has data: rows, and its publish day has come (section 3.6)."""
        year, month = period_of(period)
        forced = self.forced_months.get((year, month))
        if forced is not None:
            return forced
        return bool(self.usage.get((year, month))) and self.today >= date(year, month, self.publish_day)

    def order_lines(self, period: Period) -> dict[str, tuple[int, Decimal]]:
        """Return units and net price of each order line: the row repeats the whole line (section 3.7)."""
        lines: dict[str, tuple[int, Decimal]] = {}
        for row in self.usage.get(period, []):
            units, net = lines.get(row.order_line, (0, Decimal(0)))
            price = row.product.unit_price
            lines[row.order_line] = (units + row.quantity, net + row.quantity * price)
        return lines

    def revoke_tokens(self) -> None:
        """End every token now, as if all had expired in the middle of a run."""
        self.tokens.clear()

    def _product(self, code: str) -> SophosProduct:
        known = self.products.get(code)
        return known or self.add_product(
            SophosProduct(code, code, "User", f"DEMO-{code}", Decimal("1.40"), Decimal("2.00"))
        )


def invoice_text(product: SophosProduct, units: int) -> str:
    """Name a product with the price band of all its units, so the text moves as the partner grows."""
    band = next((text for least, text in BANDS if units >= least), "1-24")
    if product.group == "Device":
        return f"{product.name} - {band} DEVICES - MSP Monthly"
    return f"{product.name} MSP Monthly - {band} {UNITS[product.group]}"

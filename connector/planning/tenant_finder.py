"""Finds whose a row of usage is (contract rule 4)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from connector.model import Firewall, UsageRow


class TenantFinder:
    """Finds whose a row is (contract rule 4); names never decide."""

    def __init__(
        self, known: Collection[str], mapped: Mapping[str, str], firewalls: Iterable[Firewall]
    ) -> None:
        """`known` are tenant ids of Sophos and mappings.yaml, `mapped` is its `firewalls:` section."""
        self._known = frozenset(known)
        self._by_serial: dict[str, str | None] = {}
        billing: dict[str, set[str]] = defaultdict(set)
        registered: dict[str, set[str]] = defaultdict(set)
        for firewall in firewalls:
            self._by_serial[firewall.serial] = None
            if firewall.billing_tenant_id is not None:
                billing[firewall.serial].add(firewall.billing_tenant_id)
            if firewall.tenant_id is not None:
                registered[firewall.serial].add(firewall.tenant_id)
        for serial in billing.keys() | registered.keys():
            owners = billing.get(serial) or registered[serial]
            # Two records of one serial that name different tenants leave it to a person.
            self._by_serial[serial] = next(iter(owners)) if len(owners) == 1 else None
        self._by_serial.update(mapped)

    def tenant_of(self, row: UsageRow) -> str | None:
        """Return the tenant id of a row, or None where only a person can tell."""
        if row.account_id is not None:
            return row.account_id
        return self.without_account(row.external_id, row.serial)

    def without_account(self, external_id: str | None, serial: str | None) -> str | None:
        """Return the tenant id of a row that names no account, or None where only a person can tell."""
        if external_id is not None and external_id in self._known:
            return external_id
        return self._by_serial.get(serial) if serial is not None else None

    def knows_device(self, row: UsageRow) -> bool:
        """Whether a row's serial number is that of a firewall which Sophos lists or the map places."""
        return row.serial in self._by_serial

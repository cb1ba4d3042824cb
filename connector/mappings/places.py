"""Where mappings.yaml says what: the line of a tenant, a product, an exception, a firewall or a default."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connector.errors import Fault
from connector.mappings.document import Place, Table, read_document
from connector.mappings.import_shape import name_key
from connector.mappings.text import Unreadable, readable_text
from connector.model import serial_of, tenant_id_of

_NORMAL: Mapping[str, Callable[[str], str]] = {
    "products": str.strip,
    "tenants": tenant_id_of,
    "firewalls": serial_of,
    "product_codes": name_key,
}


@dataclass(frozen=True, slots=True)
class Spot:
    """One place of the file: its line, counted from 1, the text of that line, and what stands there.

    `what` is the path, such as `tenants.ID.company`. `value` is empty for a place that holds further keys.
    """

    what: str
    line: int
    text: str
    value: str


class Places:
    """Finds places in one text of mappings.yaml; what is not written there has none."""

    def __init__(self, data: bytes) -> None:
        """Read a file that has been loaded already; in one that cannot be read, nothing is found."""
        faults: list[Fault] = []
        self._lines: list[str] = []
        self._root = Table()
        try:
            text = readable_text(data)
            root = read_document(text, faults)
        except Unreadable:
            return
        # The parser counts these three as line ends; splitlines() would count others, too.
        self._lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if isinstance(root, Table):
            self._root = root

    def tenant(self, tenant_id: str, field: str = "") -> Spot | None:
        """Return a tenant's entry, or one of its keys."""
        return self._find("tenants", tenant_id, *_named(field))

    def product(self, code: str, field: str = "") -> Spot | None:
        """Return what `products:` says of a code."""
        return self._find("products", code, *_named(field))

    def exception(self, tenant_id: str, code: str, field: str = "") -> Spot | None:
        """Return a tenant's exception for a code."""
        return self._find("tenants", tenant_id, "products", code, *_named(field))

    def firewall(self, serial: str) -> Spot | None:
        """Return the line of `firewalls:` that places a serial number."""
        return self._find("firewalls", serial)

    def default(self, name: str) -> Spot | None:
        """Return a line of `defaults:`."""
        return self._find("defaults", name)

    def imported_tenant(self, customer: str) -> Spot | None:
        """Return the line of `import:` that says which tenant a distributor's customer is."""
        imports = self._root.get("import")
        return self._within(imports, ("tenants", customer), ("import",), name_key)

    def _find(self, *path: str) -> Spot | None:
        return self._within(self._root, path, (), None)

    def _within(
        self,
        table: object,
        path: tuple[str, ...],
        above: tuple[str, ...],
        normal: Callable[[str], str] | None,
    ) -> Spot | None:
        """Go down key by key; keys that people choose are compared as the model compares them."""
        compared: Callable[[str], str] = str
        shown = list(above)
        value: object = table
        place: Place | None = None
        for key in path:
            if not isinstance(value, Table):
                return None
            written = _written(value, key, compared)
            if written is None:
                return None
            place, value = value.key_place(written), value[written]
            shown.append(written.strip())
            compared = normal or _NORMAL.get(key, str)
        if place is None:
            return None
        return Spot(".".join(shown), place[0], self._text(place[0]), _said(value))

    def _text(self, line: int) -> str:
        return self._lines[line - 1].strip() if line <= len(self._lines) else ""


def _named(field: str) -> tuple[str, ...]:
    return (field,) if field else ()


def _written(table: Table, key: str, normal: Callable[[str], str]) -> str | None:
    """Return a key as it is written in the file."""
    if key in table:
        return key
    wanted = normal(key)
    return next((each for each in table if normal(each) == wanted), None)


def _said(value: object) -> str:
    """Return what a place says, so that two maps can be compared."""
    if isinstance(value, Table | list) or value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)

"""Both vendors as real HTTP servers over one world: for tests, rehearsals and the demo.

Written from reference/sophos-api.md and reference/connectwise-api.md, never from our clients, so that the
two cannot share a mistake.
"""

from .connectwise_records import Addition, Agreement, Company, Item, Write
from .discrepancies import discrepancies_world
from .faults import Fault
from .generated import generated_world
from .mapping_text import mappings_text
from .rehearsal import Act, Where
from .request_log import Request
from .server import Simulator
from .small import small_world
from .sophos_records import LEFT_OUT, Contact, Firewall, Licence, SophosProduct, Tenant, UsageRow
from .world import World

__all__ = [
    "LEFT_OUT",
    "Act",
    "Addition",
    "Agreement",
    "Company",
    "Contact",
    "Fault",
    "Firewall",
    "Item",
    "Licence",
    "Request",
    "Simulator",
    "SophosProduct",
    "Tenant",
    "UsageRow",
    "Where",
    "World",
    "Write",
    "discrepancies_world",
    "generated_world",
    "mappings_text",
    "small_world",
]

"""The codes that a person may release with --force, and what a wrong one gets."""

import difflib
from collections.abc import Iterable

from connector.errors import CommandFault
from connector.planning.guards import GUARDS
from connector.planning.holds import PRODUCT_CODES, TENANT_CODES
from connector.planning.successors import SUSPECTED
from connector.planning.unattended import NEEDS_APPROVAL
from connector.planning.uncounted import NOT_COUNTED

HELD = frozenset(
    {
        *TENANT_CODES,
        *PRODUCT_CODES,
        SUSPECTED,
        "TENANT_VANISHED",
        "FIREWALL_UNASSIGNED",
        "IMPORT_FAILED",
        "NEGATIVE_QUANTITY",
        "LARGE_INCREASE",
        "NEEDS_ADOPTION",
        "DUPLICATE_ADDITIONS",
        "ENDED_BY_HAND",
        "MOVED_BY_HAND",
        "ITEM_INACTIVE",
        "NO_INVOICE_DATE",
        NEEDS_APPROVAL,
    }
)
FORCEABLE = frozenset({*GUARDS, *HELD, "all"})


def checked_force(names: Iterable[str]) -> frozenset[str]:
    """Return the names of guards and codes, or raise CommandFault for one that nothing is called by."""
    wanted = frozenset(name.strip() for name in names)
    if NOT_COUNTED in wanted:
        raise CommandFault(
            f"--force {NOT_COUNTED}: what nobody has counted cannot be written, so nothing releases it.",
            "Bill the month from the invoice when it is published: connector sync",
        )
    for name in sorted(wanted - FORCEABLE):
        close = difflib.get_close_matches(name, FORCEABLE, n=1)
        hint = f' Did you mean "{close[0]}"?' if close else ""
        raise CommandFault(
            f"--force {name}: no guard and no held change is called that.{hint}",
            f"The guards are {', '.join(GUARDS)}; the codes of held changes are in the plan; or all.",
        )
    return wanted

"""What the commands that show and edit the map work with: both vendors, the ledger and the map's file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.cli.invocation import Invocation
from connector.cli.setup import make_setup
from connector.cli.terminal import Terminal, tell
from connector.reports.escape import printable

if TYPE_CHECKING:
    from connector.ledger import Ledger
    from connector.mappings.file import MappingsFile
    from connector.model import Period
    from connector.runs.session import Setup
    from connector.runs.survey import Look, Surveyor
    from connector.vendors.connectwise import ConnectWiseClient
    from connector.vendors.sophos import SophosClient


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything open for one command of a person. It takes no lock: it writes to no agreement."""

    called: Invocation
    setup: "Setup"
    file: "MappingsFile"
    ledger: "Ledger"
    sophos: "SophosClient"
    connectwise: "ConnectWiseClient"
    terminal: Terminal

    def look(self, period: "Period | None" = None) -> "Look":
        """Read both sides of a month, the newest published one unless it is named."""
        with self.terminal.shown():  # and no longer: a bar that moves would garble a question
            return self._surveyor().look(period)

    def look_for(self, *, tenant: str = "", code: str = "", serial: str = "") -> "Look":
        """Return a look at the newest month that knows what a command names; Sophos is asked only if it must.

        A tenant's id, a product code or a serial number that the last run saw means the same today. A name
        does not: another tenant may have got it since.
        """
        from connector.ledger.recall import newest_month
        from connector.model import serial_of, tenant_id_of

        stored = newest_month(self.ledger)
        if stored is None:
            return self.look()
        serials = {each.serial for each in stored.firewalls} | {row.serial for row in stored.rows}
        known = (
            (not tenant or tenant_id_of(tenant) in {each.id for each in stored.tenants})
            and (not code or code in {row.product_code for row in stored.rows})
            and (not serial or serial_of(serial) in serials)
        )
        if not known:
            return self.look()
        with self.terminal.shown():
            return self._surveyor().recall(stored)

    def _surveyor(self) -> "Surveyor":
        from connector.runs.survey import Surveyor

        return Surveyor(
            sophos=self.sophos,
            connectwise=self.connectwise,
            ledger=self.ledger,
            mappings=self.file.mappings,
            today=self.setup.today,
            story=self.terminal,
        )


@contextmanager
def at_desk(called: Invocation, *, create: bool = False) -> Iterator[Desk]:
    """Check the settings and the map, in this order, and open the ledger.

    With `create` a map that is not there yet counts as an empty one, to be shown or to be begun.
    """
    from connector.ledger import Ledger
    from connector.mappings.file import read_mappings_file
    from connector.model import Mappings

    terminal = Terminal(verbose=called.common.verbose)
    setup = make_setup(called, Mappings(), terminal)
    file = read_mappings_file(called.mappings_path, create=create)
    if not file.exists:
        tell(f"There is no {printable(str(file.path))} yet, so nothing is mapped.")
    with Ledger(setup.state, now=setup.now) as ledger:
        yield Desk(called, setup, file, ledger, setup.sophos(), setup.connectwise(), terminal)

"""Every way the connector gives up, sorted by what the reader should do next.

    ConnectorError            what happened, and what to do about it
    ├── CommandFault          2  the command line asks for something that cannot be
    ├── SettingsFault         2  a setting is missing or malformed
    ├── MappingsFault         2  mappings.yaml is at fault, all its faults together
    ├── StateFault            2  the state folder cannot be read, written or trusted
    ├── Refused               4  the plan or mappings.yaml moved, or another run is in progress
    ├── VendorError           5  a vendor could not be reached or answered nonsense
    │   ├── Unreachable       5  no answer, or none that means anything: it may work later
    │   ├── SignInRefused     5  the credentials or the role are not good enough
    │   ├── RequestRefused    5  an answer that says no, and will say no again
    │   └── Nonsense          5  an answer that cannot be what it should be
    └── NotPublished          8  Sophos has no data for the period yet
        └── NotImported       8  no consumption file was imported for it

The numbers are the exit codes of contract section 5.
"""

from dataclasses import dataclass


class ConnectorError(Exception):
    """Something a person can mend: `message` says what, `next_step` says how.

    `code` names the kind of error for machines (contract section 6, `connector.error/1`).
    """

    code = "ERROR"
    exit_code = 1

    def __init__(self, message: str, next_step: str = "") -> None:
        """Keep both sentences apart, so that every report can set them its own way."""
        super().__init__(message)
        self.message = message
        self.next_step = next_step


class CommandFault(ConnectorError):
    """The command line asks for something that cannot be."""

    code = "COMMAND"
    exit_code = 2


class SettingsFault(ConnectorError):
    """A setting is missing or malformed; the message names its variable."""

    code = "SETTINGS"
    exit_code = 2


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault of mappings.yaml, at a line and column counted from 1."""

    line: int
    column: int
    message: str


class MappingsFault(ConnectorError):
    """mappings.yaml is at fault; `faults` holds every one of them, in file order."""

    code = "MAPPINGS"
    exit_code = 2

    def __init__(self, path: str, faults: tuple[Fault, ...]) -> None:
        """Put all faults of the file at `path` into one message."""
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        lines = "".join(f"\n  {fault.line}:{fault.column}  {fault.message}" for fault in faults)
        super().__init__(
            f"{path} has {count}.\n{lines}\n\nNothing was read from or written to a vendor.",
            "Mend the file and run the same command again.",
        )
        self.path = path
        self.faults = faults


class StateFault(ConnectorError):
    """The state folder or its connector.db cannot be read, written or trusted."""

    code = "STATE"
    exit_code = 2


class Refused(ConnectorError):
    """The run must not go on: the plan moved, or another run holds the state folder."""

    code = "REFUSED"
    exit_code = 4


class PlanMoved(Refused):
    """A fresh plan is not the stored one less what is done."""

    code = "PLAN_MOVED"


class RunInProgress(Refused):
    """Another run holds the state folder."""

    code = "RUN_IN_PROGRESS"


class MappingsMoved(Refused):
    """mappings.yaml is no longer what it was when it was read to be edited."""

    code = "MAPPINGS_MOVED"


class VendorError(ConnectorError):
    """A vendor let us down; carries who, the status, its own words and its request id."""

    code = "VENDOR"
    exit_code = 5

    def __init__(
        self,
        message: str,
        next_step: str = "",
        *,
        vendor: str,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        """`message` holds the vendor's words already redacted and cut to length."""
        super().__init__(message, next_step)
        self.vendor = vendor
        self.status = status
        self.request_id = request_id


class Unreachable(VendorError):
    """No answer at all, or a passing failure that outlasted every retry."""

    code = "UNREACHABLE"


class SignInRefused(VendorError):
    """The credentials, or the rights of their role, are not good enough."""

    code = "SIGN_IN_REFUSED"


class RequestRefused(VendorError):
    """The vendor understood and said no; the same request will be refused again."""

    code = "REQUEST_REFUSED"


class Nonsense(VendorError):
    """An answer that cannot be what it should be: stop before anything is written."""

    code = "NONSENSE"


class NotPublished(ConnectorError):
    """Sophos has no billing data for the period yet (contract rule 2)."""

    code = "NOT_PUBLISHED"
    exit_code = 8


class NotImported(NotPublished):
    """No consumption file was imported for the period, or for any."""

    code = "NOT_IMPORTED"

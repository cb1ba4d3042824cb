"""What the command line and the environment come to, as the setup of a run."""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connector.cli.invocation import Invocation, who_runs
from connector.cli.terminal import Terminal, tell
from connector.reports.escape import lines
from connector.reports.log_line import LogLine

if TYPE_CHECKING:
    from stamina.instrumentation import RetryDetails

    from connector.model import Mappings
    from connector.runs.session import Setup


def tell_retry(details: "RetryDetails") -> None:
    """Tell that a vendor is asked once more, and why: a run that waits must not look like one that hangs."""
    error = getattr(details.caused_by, "error", None)
    message = f"{details.caused_by} Asking again in {details.wait_for:.0f} s."
    line = LogLine(
        "retry",
        message,
        "warning",
        vendor=getattr(error, "vendor", None),
        status=getattr(error, "status", None),
        request_id=getattr(error, "request_id", None),
    )
    tell(lines(message), line)


def make_setup(
    called: Invocation, mappings: "Mappings", terminal: Terminal, *, sophos: bool = True
) -> "Setup":
    """Return the setup of a run, which may do without Sophos; raises SettingsFault."""
    from stamina.instrumentation import set_on_retry_hooks

    from connector.runs.session import Setup
    from connector.settings import read_settings

    set_on_retry_hooks([tell_retry])
    return Setup(
        settings=read_settings(called.surroundings, sophos=sophos),
        mappings=mappings,
        state=called.state_folder,
        today=called.today(),
        now=lambda: datetime.now(UTC),
        who=who_runs(),
        pid=os.getpid(),
        command=called.command,
        story=terminal,
        trace=terminal.trace if called.common.verbose or _counted(called) else None,
        profile=called.common.profile or "",
    )


def _counted(called: Invocation) -> bool:
    logging = called.common.logging
    return logging is not None and logging.log.metered

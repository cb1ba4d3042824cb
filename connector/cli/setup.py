"""What the command line and the environment come to, as the setup of a run."""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connector.cli.invocation import Invocation, who_runs
from connector.cli.terminal import Terminal, tell
from connector.reports.escape import lines

if TYPE_CHECKING:
    from stamina.instrumentation import RetryDetails

    from connector.model import Mappings
    from connector.runs.session import Setup


def tell_retry(details: "RetryDetails") -> None:
    """Tell that a vendor is asked once more, and why: a run that waits must not look like one that hangs."""
    tell(f"{lines(str(details.caused_by))} Asking again in {details.wait_for:.0f} s.")


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
        trace=terminal.trace if called.common.verbose else None,
    )

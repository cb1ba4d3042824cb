"""What the command line and the environment come to, as the setup of a run."""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connector.cli.invocation import Invocation, who_runs
from connector.cli.terminal import Terminal

if TYPE_CHECKING:
    from connector.model import Mappings
    from connector.runs.session import Setup


def make_setup(called: Invocation, mappings: "Mappings", terminal: Terminal) -> "Setup":
    """Return the setup of a run; raises SettingsFault."""
    from connector.runs.session import Setup
    from connector.settings import read_settings

    return Setup(
        settings=read_settings(called.surroundings),
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

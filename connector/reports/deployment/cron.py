"""The nightly job as a file of /etc/cron.d."""

import re
import shlex

from connector.errors import CommandFault
from connector.reports.deployment.job import Job, JobFile

_LONGEST_COMMAND = 990


def cron_files(job: Job) -> tuple[JobFile, ...]:
    """Return the one file; raises CommandFault for what cron cannot be told."""
    settings = "".join(f"{name}_FILE={_value(f'{job.secrets_folder}/{name}')}\n" for name in job.secrets)
    command = _command(job)
    text = f"""\
# Put this into /etc/cron.d/connector, owned by root, mode 644; cron reads no file with a dot in its name.
SHELL=/bin/sh
PATH=/usr/local/bin:/usr/bin:/bin
# Cron mails whatever the job says. Where CONNECTOR_NOTIFY tells people, MAILTO="" keeps cron quiet.
MAILTO=root
{settings}{job.minute} {job.hour} * * * {job.user} {command}
"""
    return (JobFile("connector", text),)


def _command(job: Job) -> str:
    """Return the command as cron hands it to a shell: a percent sign of ours must not become a new line."""
    command = f"cd {shlex.quote(job.folder)} && exec {shlex.join(job.words)}"
    # Cron takes any backslash for the beginning of an escape: one that is ours ends before the next begins.
    escaped = re.sub(r"(\\?)%", lambda found: r"\''\%" if found[1] else r"\%", command)
    if len(escaped.encode()) > _LONGEST_COMMAND:
        raise CommandFault(
            f"Cron takes {_LONGEST_COMMAND} bytes of a command, and this one has {len(escaped.encode())}.",
            "Choose folders with shorter names, or use systemd: connector schedule print systemd",
        )
    return escaped


def _value(path: str) -> str:
    """Return a value between quotes; cron has no way to write a quote between its own kind."""
    if "'" in path and '"' in path:
        raise CommandFault(
            f"Cron takes no path with both kinds of quotes: {path!r}.", "Choose another folder."
        )
    return f'"{path}"' if "'" in path else f"'{path}'"

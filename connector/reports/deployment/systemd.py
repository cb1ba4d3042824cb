"""The nightly job as a systemd service and its timer."""

from connector.errors import CommandFault
from connector.reports.deployment.job import Job, JobFile

_HOMES = ("/home/", "/root/", "/run/user/")
_TEMPORARY = ("/tmp/", "/var/tmp/")  # noqa: S108  (where a job may lie; nothing is written there)


def systemd_files(job: Job) -> tuple[JobFile, ...]:
    """Return the service and the timer that starts it."""
    return JobFile("connector.service", _service(job)), JobFile("connector.timer", _timer(job))


def _service(job: Job) -> str:
    places = (*job.program[:1], job.folder, job.mappings, job.state, *job.beside)
    credentials = "".join(
        f"LoadCredential={name}:{_plain(f'{job.secrets_folder}/{name}')}\nEnvironment={name}_FILE=%d/{name}\n"
        for name in job.secrets
    )
    if credentials:
        credentials = f"# Each secret is a file that only root can read; the job gets a copy.\n{credentials}"
    return f"""\
# Put this into /etc/systemd/system/, beside connector.timer.
[Unit]
Description=Bill Sophos usage to ConnectWise PSA
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User={job.user}
WorkingDirectory={_plain(job.folder)}
ExecStart={_command(job.words)}
# 3 says that a person must decide; CONNECTOR_NOTIFY tells them. A failed unit is one that could not work.
SuccessExitStatus=3
TimeoutStartSec=6h
KillSignal=SIGINT
{credentials}
# It writes this folder, which must be there, and nothing else.
ReadWritePaths={" ".join(map(_quoted, (job.writes, *job.beside)))}
ProtectSystem=strict
ProtectHome={"read-only" if _any_below(places, _HOMES) else "yes"}
PrivateTmp={"no" if _any_below(places, _TEMPORARY) else "yes"}
UMask=0077

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
PrivateDevices=yes
PrivateUsers=yes
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
# AF_UNIX: names are looked up through it.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
"""


def _timer(job: Job) -> str:
    zone = f" {job.timezone}" if job.timezone else ""
    return f"""\
# Put this into /etc/systemd/system/, beside connector.service.
[Unit]
Description=Bill Sophos usage to ConnectWise PSA each night

[Timer]
OnCalendar=*-*-* {job.at}:00{zone}
# A night on which the machine was off is made up as soon as it is on.
Persistent=true
# Not everybody's job at the same second.
RandomizedDelaySec=15min

[Install]
WantedBy=timers.target
"""


def _command(words: tuple[str, ...]) -> str:
    """Return a command line: `:` in front keeps a dollar sign from naming a variable."""
    if any(character in words[0] for character in "\"'\\"):
        # systemd takes no such program name, a shell does.
        words = ("/bin/sh", "-c", 'exec "$@"', "connector", *words)
    return " ".join(_quoted(f":{word}" if place == 0 else word) for place, word in enumerate(words))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _plain(path: str) -> str:
    """Return a path for a setting that takes its line as it stands; raises CommandFault where none can."""
    if path.endswith(("\\", " ")) or path != path.strip():
        raise CommandFault(
            f"systemd takes no path that ends in a space or a backslash: {path!r}.",
            "Choose another folder.",
        )
    return path.replace("%", "%%")


def _any_below(paths: tuple[str, ...], folders: tuple[str, ...]) -> bool:
    return any(f"{path}/".startswith(folders) for path in paths)

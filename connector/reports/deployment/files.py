"""The files with which a scheduler runs the nightly job: for systemd, cron, Windows and Kubernetes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connector.errors import CommandFault
from connector.reports.deployment.cron import cron_files
from connector.reports.deployment.job import Job, JobFile
from connector.reports.deployment.kubernetes import kubernetes_files
from connector.reports.deployment.systemd import systemd_files
from connector.reports.deployment.windows import windows_files
from connector.reports.escape import printable

KINDS: Mapping[str, Callable[[Job], tuple[JobFile, ...]]] = {
    "systemd": systemd_files,
    "cron": cron_files,
    "windows": windows_files,
    "kubernetes": kubernetes_files,
}


def job_files(kind: str, job: Job) -> tuple[JobFile, ...]:
    """Return the files of one of the KINDS; raises CommandFault for paths that it cannot be told."""
    places = (job.folder, job.mappings, job.state, job.scripts, job.secrets_folder)
    for path in (*job.program, *places, *job.logging):
        if printable(path) != path:
            raise CommandFault(
                f"A path has a character that no file of a scheduler can hold: {path!r}.",
                "Choose another folder.",
            )
    return KINDS[kind](job)


def files_text(files: Sequence[JobFile]) -> str:
    """Return all files as one text, a line with each one's name before it."""
    return "\n".join(f"# ----- {file.name} -----\n{file.shown}" for file in files).rstrip("\n")


def files_document(kind: str, files: Sequence[JobFile], paths: Sequence[str]) -> dict[str, Any]:
    """Return the files as `connector.schedule/1`; `paths` say where they were written, if they were."""
    return {
        "schema": "connector.schedule/1",
        "kind": kind,
        "files": [
            {
                "name": file.name,
                "text": file.shown,
                "path": paths[place] if paths else None,
            }
            for place, file in enumerate(files)
        ],
        "exit_code": 0,
    }

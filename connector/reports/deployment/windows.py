"""The nightly job as a task of the Windows Task Scheduler, and the PowerShell script that it starts."""

import re
from xml.sax.saxutils import escape

from connector.errors import CommandFault
from connector.reports.deployment.job import Job, JobFile

TASK = "connector-nightly"
_SERVICES = {
    "SYSTEM": "S-1-5-18",
    "LOCAL SERVICE": "S-1-5-19",
    "NETWORK SERVICE": "S-1-5-20",
}


def windows_files(job: Job) -> tuple[JobFile, ...]:
    """Return the task and its script, encoded as Windows reads them; raises CommandFault."""
    return (
        # UTF-16 with its mark is what the scheduler itself writes and what Get-Content knows.
        JobFile(f"{TASK}.xml", f"\ufeff{_task(job)}", "utf-16-le", "\r\n"),
        # Without its mark, PowerShell 5.1 would read the script in the machine's own code page.
        JobFile(f"{TASK}.ps1", f"\ufeff{_script(job)}", "utf-8", "\r\n"),
    )


def _task(job: Job) -> str:
    script = _below(job.scripts, f"{TASK}.ps1")
    for path in (script, job.folder):
        # The scheduler replaces what stands between two percent signs, and nothing can keep it from that.
        if re.search(r"%[^%]+%", path) or "$(" in path or '"' in path:
            raise CommandFault(
                f"The Task Scheduler would take a part of this path for a variable: {path!r}.",
                "Choose another folder.",
            )
    run = f'-NoProfile -NonInteractive -ExecutionPolicy Bypass -File "{script}"'
    return f"""\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Bills Sophos usage to ConnectWise PSA each night.</Description>
  </RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
      <StartBoundary>2026-01-01T{job.at}:00</StartBoundary>
      <RandomDelay>PT15M</RandomDelay>
      <ScheduleByDay>
        <DaysInterval>1</DaysInterval>
      </ScheduleByDay>
    </CalendarTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
{_principal(job.user)}
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT6H</ExecutionTimeLimit>
    <Priority>7</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>%SystemRoot%\\System32\\WindowsPowerShell\\v1.0\\powershell.exe</Command>
      <Arguments>{escape(run)}</Arguments>
      <WorkingDirectory>{escape(job.folder)}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""


def _principal(user: str) -> str:
    """Return who runs it, whether logged on or not, and without a password for Windows to keep."""
    service = _SERVICES.get(user.upper().removeprefix("NT AUTHORITY\\"))
    if service is not None:
        return f"      <UserId>{service}</UserId>"
    return f"      <UserId>{escape(user)}</UserId>\n      <LogonType>S4U</LogonType>"


def _script(job: Job) -> str:
    program, *arguments = job.words
    listed = ", ".join(_literal(word) for word in arguments)
    secrets = "".join(
        f"$env:{name}_FILE = {_literal(_below(job.secrets_folder, name))}\n" for name in job.secrets
    )
    return f"""\
# Runs the connector's nightly job, appends what it says to a log file and passes its exit code on.
# For Windows PowerShell 5.1 and later.

$folder = {_literal(job.folder)}
$program = {_literal(program)}
$arguments = @({listed})
$log = {_literal(_below(job.folder, f"{TASK}.log"))}

# The connector writes UTF-8; a console of another code page must read it as such.
$env:PYTHONUTF8 = '1'
{secrets}try {{ [Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false }} catch {{ }}

$began = (Get-Date).ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ')
$code = 2
try {{
    Set-Location -LiteralPath $folder -ErrorAction Stop
    $ErrorActionPreference = 'Continue'
    $said = @(& $program @arguments 2>&1 | ForEach-Object {{ "$_" }})
    $code = $LASTEXITCODE
}} catch {{
    $said = @("$_")
}}

# A log file that an editor holds open must not fail the job.
try {{
    if ((Test-Path -LiteralPath $log) -and ((Get-Item -LiteralPath $log).Length -gt 5MB)) {{
        Move-Item -LiteralPath $log -Destination "$log.old" -Force -ErrorAction Stop
    }}
    @("[$began] exit code $code") + $said |
        Out-File -LiteralPath $log -Append -Encoding utf8 -Width 4096 -ErrorAction Stop
}} catch {{ }}

exit $code
"""


def _below(folder: str, name: str) -> str:
    return folder.rstrip("\\") + "\\" + name


def _literal(text: str) -> str:
    """Return a text between single quotes; PowerShell takes the curly ones for quotes as well."""
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"

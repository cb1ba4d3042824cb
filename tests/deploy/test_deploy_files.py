"""What a scheduler makes of the files, whatever the paths are."""

import configparser
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import CommandFault
from connector.reports.deployment.files import KINDS, job_files
from connector.reports.deployment.job import Job, JobFile

NASTY = '/srv/MSP & Söhne\'s/100% "it" %n $HOME ${x} `id` \\n \\%d {x} #1; <b>'
SECRETS = ("CONNECTWISE_PRIVATE_KEY", "SOPHOS_CLIENT_SECRET")
PLAIN = Job(
    at="03:05",
    program=("/opt/connector/bin/connector",),
    folder="/srv/connector",
    mappings="/srv/connector/mappings.yaml",
    state="/srv/connector/state",
    user="billing",
    secrets_folder="/etc/connector",
    secrets=SECRETS,
    image="registry.example.com/connector:1.0",
    timezone="Europe/Dublin",
)
WINDOWS = replace(
    PLAIN,
    program=("C:\\Program Files\\Söhne\u2019s 'MSP'\\python.exe", "-m", "connector"),
    folder="D:\\MSP & Söhne\u2019s 'x' 100% <1>",
    mappings="D:\\MSP & Söhne\u2019s 'x' 100% <1>\\mappings.yaml",
    state="D:\\MSP & Söhne\u2019s 'x' 100% <1>\\state",
    scripts="D:\\MSP & Söhne\u2019s 'x' 100% <1>",
    secrets_folder="D:\\MSP & Söhne\u2019s 'x' 100% <1>\\secrets",
    user="MSP\\Jörg & Co",
)
TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
paths = st.text(st.sampled_from("ab/ %\\'\"$`#;&é"), max_size=12).map(lambda text: f"/{text}/z")


def lying_in(folder: str) -> Job:
    """Return the job with everything below one folder."""
    return replace(
        PLAIN,
        program=(f"{folder}/bin/connector",),
        folder=folder,
        mappings=f"{folder}/mappings.yaml",
        state=f"{folder}/state",
        secrets_folder=f"{folder}/secrets",
    )


def only(kind: str, job: Job, name: str) -> JobFile:
    """Return one file of a job."""
    return next(file for file in job_files(kind, job) if file.name == name)


# systemd


def unit(text: str) -> dict[str, list[str]]:
    """Read the settings of a unit as systemd does: a name may come several times."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith(("#", "[")):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


def unquoted(text: str) -> list[str]:
    """Split a line into words as systemd does, and resolve a doubled percent sign."""
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', text)
    assert " ".join(f'"{word}"' for word in words) == text
    assert not any(re.search(r"(?<!%)(%%)*%(?!%)", word) for word in words)
    return [re.sub(r"\\(.)", r"\1", word).replace("%%", "%") for word in words]


def service(job: Job) -> dict[str, list[str]]:
    return unit(only("systemd", job, "connector.service").text)


@pytest.mark.parametrize("folder", ["/srv/connector", "/srv/100% of it $HOME #1;", NASTY])
def test_systemd_starts_the_program_with_each_path_in_one_piece(folder: str) -> None:
    job = lying_in(folder)
    (command,) = service(job)["ExecStart"]
    first, *others = unquoted(command)
    assert first[0] == ":"
    started = [first[1:], *others]
    if started[0] == "/bin/sh":
        assert started[:4] == ["/bin/sh", "-c", 'exec "$@"', "connector"]
        started = started[4:]
    assert tuple(started) == job.words
    assert service(job)["WorkingDirectory"] == [folder.replace("%", "%%")]
    assert unquoted(service(job)["ReadWritePaths"][0]) == [job.state]


@given(paths)
def test_systemd_gets_every_path_back(folder: str) -> None:
    (command,) = service(lying_in(folder))["ExecStart"]
    assert unquoted(command)[-5:] == list(lying_in(folder).words[-5:])


def test_systemd_hands_secrets_over_as_files() -> None:
    settings = service(PLAIN)
    assert settings["LoadCredential"] == [f"{name}:/etc/connector/{name}" for name in SECRETS]
    assert settings["Environment"] == [f"{name}_FILE=%d/{name}" for name in SECRETS]
    assert "LoadCredential" not in service(replace(PLAIN, secrets=()))


def test_systemd_lets_the_job_see_the_homes_only_where_its_files_lie_in_one() -> None:
    assert service(PLAIN)["ProtectHome"] == ["yes"]
    assert service(lying_in("/home/alder/connector"))["ProtectHome"] == ["read-only"]
    assert service(lying_in("/homes/alder"))["ProtectHome"] == ["yes"]
    assert service(PLAIN)["PrivateTmp"] == ["yes"]
    assert service(lying_in("/var/tmp/try"))["PrivateTmp"] == ["no"]  # noqa: S108


def test_systemd_runs_it_as_the_user_and_a_person_who_must_decide_is_no_failed_unit() -> None:
    settings = service(PLAIN)
    assert settings["User"] == ["billing"]
    assert settings["SuccessExitStatus"] == ["3"]
    assert settings["Type"] == ["oneshot"]
    assert settings["CapabilityBoundingSet"] == [""]
    assert settings["NoNewPrivileges"] == ["yes"]
    assert settings["ProtectSystem"] == ["strict"]


def test_systemd_makes_a_missed_night_up_and_keeps_the_time_zone() -> None:
    timer = configparser.ConfigParser()
    timer.read_string(only("systemd", PLAIN, "connector.timer").text)
    assert timer["Timer"]["OnCalendar"] == "*-*-* 03:05:00 Europe/Dublin"
    assert timer["Timer"]["Persistent"] == "true"
    assert unit(only("systemd", replace(PLAIN, timezone=""), "connector.timer").text)["OnCalendar"] == [
        "*-*-* 03:05:00"
    ]


def test_systemd_lets_a_fleet_write_the_profiles() -> None:
    settings = service(replace(PLAIN, fleet=True, secrets=()))
    assert unquoted(settings["ExecStart"][0]) == [":/opt/connector/bin/connector", "fleet", "nightly"]
    assert unquoted(settings["ReadWritePaths"][0]) == ["/srv/connector/profiles"]


@pytest.mark.parametrize("folder", ["/srv/connector ", "/srv/connector\\"])
def test_systemd_takes_no_folder_that_ends_in_a_space_or_a_backslash(folder: str) -> None:
    with pytest.raises(CommandFault, match="space or a backslash"):
        job_files("systemd", lying_in(folder))


analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")


def verified(folder: Path, job: Job) -> subprocess.CompletedProcess[str]:
    units = folder / "units"
    units.mkdir(exist_ok=True)
    for file in job_files("systemd", job):
        (units / file.name).write_bytes(file.data)
    names = [str(path) for path in sorted(units.iterdir())]
    return subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True, check=False
    )


@analyze
@pytest.mark.parametrize("name", ["plain", "100% of $HOME & Söhne #1; %n"])
def test_systemd_itself_finds_the_program_and_nothing_to_complain_of(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    program = folder / "bin" / "connector"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    job = lying_in(str(folder))

    good = verified(tmp_path, job)
    assert (good.returncode, good.stdout + good.stderr) == (0, "")

    program.unlink()
    bad = verified(tmp_path, job)
    assert bad.returncode != 0
    assert f"{program} is not executable" in bad.stderr


@analyze
def test_systemd_takes_folders_with_quotes_and_backslashes(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s "100%" \\n'
    done = verified(tmp_path, lying_in(str(folder)))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@analyze
def test_systemd_finds_little_left_to_take_from_the_job(tmp_path: Path) -> None:
    (tmp_path / "connector.service").write_bytes(only("systemd", PLAIN, "connector.service").data)
    done = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=true",
            "--no-pager",
            "--threshold=20",
            "connector.service",
        ],
        cwd=tmp_path,
        env={"SYSTEMD_UNIT_PATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "exposure level for connector.service: 1." in done.stdout
    assert done.returncode == 0, done.stdout + done.stderr


# cron


def as_cron_runs(line: str) -> str:
    """Return the command that cron gives to the shell: do_command() of Vixie cron, to the letter."""
    kept: list[str] = []
    escaped = False
    for character in line:
        if escaped:
            escaped = False
            if character == "%":
                kept[-1] = "%"
                continue
        elif character == "\\":
            escaped = True
        elif character == "%":
            break
        kept.append(character)
    return "".join(kept)


def entry(job: Job) -> tuple[dict[str, str], list[str], str]:
    """Return the settings, time and user, and the command of the one entry."""
    lines = [line for line in only("cron", job, "connector").text.splitlines() if not line.startswith("#")]
    settings = dict(line.split("=", 1) for line in lines[:-1])
    *when, user, command = lines[-1].split(" ", 6)
    return settings, [*when, user], command


def test_cron_starts_it_each_night_as_the_user() -> None:
    settings, when, command = entry(PLAIN)
    assert when == ["5", "3", "*", "*", "*", "billing"]
    assert shlex.split(command) == ["cd", "/srv/connector", "&&", "exec", *PLAIN.words]
    assert settings["SOPHOS_CLIENT_SECRET_FILE"] == "'/etc/connector/SOPHOS_CLIENT_SECRET'"
    assert settings["SHELL"] == "/bin/sh"


@given(paths)
def test_cron_and_the_shell_get_every_path_back(folder: str) -> None:
    job = replace(lying_in(folder), secrets=())
    command = as_cron_runs(entry(job)[2])
    assert shlex.split(command) == ["cd", folder, "&&", "exec", *job.words]


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")
def test_a_real_shell_starts_the_program_in_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / NASTY[5:].replace("/", " ")
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "connector"
    program.write_text('#!/bin/sh\npwd\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    job = replace(lying_in(str(folder)), secrets=())
    done = subprocess.run(
        ["sh", "-c", as_cron_runs(entry(job)[2])], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.splitlines() == [str(folder), *job.words[1:]]


def test_cron_is_given_no_more_than_it_takes() -> None:
    with pytest.raises(CommandFault, match="990 bytes"):
        job_files("cron", lying_in("/srv/" + "x" * 400))
    with pytest.raises(CommandFault, match="both kinds of quotes"):
        job_files("cron", replace(PLAIN, secrets_folder='/srv/it\'s "x"'))
    quoted = entry(replace(PLAIN, secrets_folder="/srv/it's"))[0]
    assert quoted["SOPHOS_CLIENT_SECRET_FILE"] == '"/srv/it\'s/SOPHOS_CLIENT_SECRET"'


# Windows


def task(job: Job) -> ET.Element:
    return ET.fromstring(only("windows", job, "connector-nightly.xml").data)  # noqa: S314  (ours)


def text_at(job: Job, path: str) -> str | None:
    return task(job).findtext("/".join(f"{TASK}{name}" for name in path.split("/")))


def literals(script: str) -> dict[str, list[str]]:
    """Read the assignments of single-quoted texts as PowerShell does, curly quotes among them."""
    quote = "['\u2018\u2019\u201a\u201b]"
    literal = f"{quote}((?:[^'\u2018\u2019\u201a\u201b]|{quote}{quote})*){quote}"
    found = {}
    for name, value in re.findall(r"^\$([\w:]+) = (.*)$", script, flags=re.MULTILINE):
        texts = re.findall(literal, value)
        found[name] = [re.sub(f"({quote}){quote}", r"\1", text) for text in texts]
    return found


def test_windows_reads_both_files_in_their_own_encoding_and_line_ends() -> None:
    document, script = job_files("windows", WINDOWS)
    assert document.data.startswith(b"\xff\xfe<\x00?\x00")
    assert script.data.startswith(b"\xef\xbb\xbf#")
    for text in (document.data.decode("utf-16"), script.data.decode("utf-8-sig")):
        assert "\n" not in text.replace("\r\n", "")
        assert text.endswith("\r\n")
        assert "Söhne\u2019" in text
    assert 'encoding="UTF-16"' in document.shown.splitlines()[0]


def test_windows_starts_the_script_whether_anybody_is_logged_on_or_not() -> None:
    assert text_at(WINDOWS, "Actions/Exec/Arguments") == (
        f'-NoProfile -NonInteractive -ExecutionPolicy Bypass -File "{WINDOWS.scripts}\\connector-nightly.ps1"'
    )
    assert text_at(WINDOWS, "Actions/Exec/WorkingDirectory") == WINDOWS.folder
    assert text_at(WINDOWS, "Principals/Principal/UserId") == WINDOWS.user
    assert text_at(WINDOWS, "Principals/Principal/LogonType") == "S4U"
    assert text_at(WINDOWS, "Triggers/CalendarTrigger/StartBoundary") == "2026-01-01T03:05:00"
    assert text_at(WINDOWS, "Settings/StartWhenAvailable") == "true"
    assert text_at(WINDOWS, "Settings/StopIfGoingOnBatteries") == "false"
    assert text_at(WINDOWS, "Settings/MultipleInstancesPolicy") == "IgnoreNew"


def test_windows_finds_the_elements_in_the_order_of_its_schema() -> None:
    def names(path: str) -> list[str]:
        found = task(WINDOWS).find("/".join(f"{TASK}{name}" for name in path.split("/"))) if path else None
        return [each.tag.removeprefix(TASK) for each in (task(WINDOWS) if found is None else found)]

    assert names("") == ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"]
    assert names("Triggers/CalendarTrigger") == ["StartBoundary", "RandomDelay", "ScheduleByDay"]
    assert names("Principals/Principal") == ["UserId", "LogonType", "RunLevel"]
    assert names("Actions/Exec") == ["Command", "Arguments", "WorkingDirectory"]


@pytest.mark.parametrize(
    ("user", "sid"), [("SYSTEM", "S-1-5-18"), ("nt authority\\network service", "S-1-5-20")]
)
def test_a_service_account_of_windows_needs_no_way_to_log_on(user: str, sid: str) -> None:
    job = replace(WINDOWS, user=user)
    assert text_at(job, "Principals/Principal/UserId") == sid
    assert text_at(job, "Principals/Principal/LogonType") is None


def test_powershell_gets_every_path_back_and_none_can_end_its_quotes() -> None:
    found = literals(only("windows", WINDOWS, "connector-nightly.ps1").shown)
    assert found["folder"] == [WINDOWS.folder]
    assert [*found["program"], *found["arguments"]] == list(WINDOWS.words)
    assert found["log"] == [f"{WINDOWS.folder}\\connector-nightly.log"]
    assert found["env:SOPHOS_CLIENT_SECRET_FILE"] == [f"{WINDOWS.secrets_folder}\\SOPHOS_CLIENT_SECRET"]


def test_the_script_passes_the_exit_code_on_and_a_program_that_is_not_there_is_no_success() -> None:
    script = only("windows", WINDOWS, "connector-nightly.ps1").shown
    assert script.rstrip().endswith("exit $code")
    assert script.index("$code = 2") < script.index("& $program") < script.index("$code = $LASTEXITCODE")
    assert "[Console]::OutputEncoding = New-Object System.Text.UTF8Encoding" in script
    assert script.count("{") == script.count("}")
    assert not re.search(r"\?\?|\?\.|&&|\|\|", script), "PowerShell 5.1 has none of these"


@pytest.mark.parametrize("folder", ["C:\\%TEMP%\\x", "C:\\$(Arg0)"])
def test_windows_takes_no_path_that_its_scheduler_would_read_as_a_variable(folder: str) -> None:
    with pytest.raises(CommandFault, match="for a variable"):
        job_files("windows", replace(WINDOWS, folder=folder))


def test_a_drives_own_folder_gets_one_backslash() -> None:
    assert '-File "C:\\connector-nightly.ps1"' in str(
        text_at(replace(WINDOWS, scripts="C:\\"), "Actions/Exec/Arguments")
    )


# Kubernetes


def manifests(job: Job) -> list[Any]:
    return list(yaml.safe_load_all(only("kubernetes", job, "connector.yaml").text))


def pod(job: Job) -> Any:
    return manifests(job)[1]["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def test_kubernetes_runs_one_night_at_a_time_at_the_time_of_the_zone() -> None:
    _, cron_job = manifests(PLAIN)
    spec = cron_job["spec"]
    assert (cron_job["apiVersion"], cron_job["kind"]) == ("batch/v1", "CronJob")
    assert (spec["schedule"], spec["timeZone"]) == ("5 3 * * *", "Europe/Dublin")
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert pod(PLAIN)["restartPolicy"] == "Never"
    assert pod(PLAIN)["containers"][0]["image"] == "registry.example.com/connector:1.0"
    assert pod(PLAIN)["containers"][0]["args"] == ["nightly"]


def test_kubernetes_gives_the_job_no_right_that_it_does_not_need() -> None:
    (container,) = pod(PLAIN)["containers"]
    assert pod(PLAIN)["automountServiceAccountToken"] is False
    assert pod(PLAIN)["securityContext"]["runAsNonRoot"] is True
    assert pod(PLAIN)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_kubernetes_hands_secrets_over_as_files_and_never_as_values() -> None:
    (container,) = pod(PLAIN)["containers"]
    settings = {each["name"]: each["value"] for each in container["env"]}
    mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    volumes = {each["name"]: each for each in pod(PLAIN)["volumes"]}
    (source,) = volumes["secrets"]["projected"]["sources"]
    for name, item in zip(SECRETS, source["secret"]["items"], strict=True):
        assert item["key"] == name
        assert settings[f"{name}_FILE"] == f"{mounted['secrets']}/{item['path']}"
        assert name not in settings
    assert volumes["secrets"]["projected"]["defaultMode"] == 0o440
    assert set(mounted) == set(volumes)
    assert settings["CONNECTOR_STATE"].startswith(f"{mounted['state']}/")
    assert settings["CONNECTOR_MAPPINGS"] == f"{mounted['mappings']}/mappings.yaml"
    assert volumes["state"]["persistentVolumeClaim"]["claimName"] == manifests(PLAIN)[0]["metadata"]["name"]


@pytest.mark.parametrize("version", ["1.27", "1.31", "1.34"])
def test_the_published_schema_of_kubernetes_takes_the_manifest(version: str) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    for manifest in manifests(PLAIN):
        assert validate.validate(manifest, version, strict=True) == version
    broken = manifests(PLAIN)[1]
    broken["spec"]["concurrencyPolicies"] = "Forbid"
    with pytest.raises(validate.ValidationError):
        validate.validate(broken, version, strict=True)


# All of them


@pytest.mark.parametrize("kind", ["systemd", "cron", "windows"])
@pytest.mark.parametrize("letter", ["\n", "\r", "\0", "\x1b", "\u202e", "\udcff"])
def test_a_path_that_would_begin_a_line_of_its_own_or_deceive_is_refused(kind: str, letter: str) -> None:
    job = replace(WINDOWS if kind == "windows" else PLAIN, state=f"/srv/a{letter}b")
    with pytest.raises(CommandFault, match="no file of a scheduler can hold"):
        job_files(kind, job)


def fields(kinds: Sequence[str]) -> list[tuple[str, str]]:
    return [(kind, file.name) for kind in kinds for file in job_files(kind, PLAIN)]


def test_no_two_kinds_have_files_of_one_name() -> None:
    found = fields(list(KINDS))
    assert len({name for _, name in found}) == len(found) == 6

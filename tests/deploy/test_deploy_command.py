"""`connector schedule print`, and that deploy/ holds what it says."""

import getpass
import os
import re
import sys
from pathlib import Path

import pytest
from months.calling import Run

from connector import __version__

DEPLOY = Path(__file__).parents[2] / "deploy"
README = (DEPLOY / "README.md").read_text(encoding="utf-8").replace("\\\n", "")
KINDS = ("systemd", "cron", "windows", "kubernetes")
ELSEWHERE = ("--program", "C:\\connector\\venv\\Scripts\\connector.exe")
posix = pytest.mark.skipif(os.name == "nt", reason="the paths are those of Linux")


def shown(kind: str) -> list[str]:
    """Return the options with which the README prints the files of one kind."""
    found = re.search(
        rf"^connector schedule print {kind} (.*?)( --write .*| [|>] .*)?$", README, re.MULTILINE
    )
    assert found is not None
    return found[1].split()


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_in_deploy_are_what_the_command_of_its_readme_prints(kind: str, run: Run) -> None:
    told = run("schedule", "print", kind, *shown(kind), *(ELSEWHERE if kind == "windows" else ()))
    assert told.json["schema"] == "connector.schedule/1"
    assert {file["name"] for file in told.json["files"]} == {path.name for path in (DEPLOY / kind).iterdir()}
    for file in told.json["files"]:
        path = DEPLOY / kind / file["name"]
        encoding = "utf-16" if path.suffix == ".xml" else "utf-8-sig"
        assert path.read_bytes().decode(encoding).replace("\r\n", "\n") == file["text"]


@posix
def test_it_fills_in_the_paths_of_this_folder_and_the_running_program(run: Run) -> None:
    told = run.text("schedule", "print", "systemd", "--user", "billing", CONNECTOR_STATE="ledger")
    assert told.exit_code == 0
    service, timer = told.stdout.split("# ----- connector.timer -----\n")
    assert service.startswith("# ----- connector.service -----\n")
    assert "OnCalendar=*-*-* 03:15:00\n" in timer
    assert f"WorkingDirectory={run.folder}\n" in service
    assert f'ReadWritePaths="{run.folder}/ledger"\n' in service
    assert f'"--mappings" "{run.folder}/mappings.yaml"' in service
    assert f'ExecStart=":{Path(sys.executable).parent}' in service
    assert "User=billing\n" in service


@posix
def test_the_folders_own_env_file_says_where_the_map_is(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "partner's desk"
    other.mkdir()
    (other / ".env").write_text("CONNECTOR_MAPPINGS=map.yaml\n", encoding="utf-8")
    (other / ".env").chmod(0o600)
    told = run.text(
        "schedule", "print", "systemd", "--folder", str(other), "--state", "mine", "--time", "23:59"
    )
    assert told.stderr == ""
    assert f'"--mappings" "{other}/map.yaml" "--state" "{run.folder}/mine"' in told.stdout
    assert "OnCalendar=*-*-* 23:59:00\n" in told.stdout


@posix
def test_a_job_without_an_env_file_is_warned_of(run: Run) -> None:
    told = run.text("schedule", "print", "cron", "--user", "billing")
    assert "There is no .env in" in told.stderr
    assert "CONNECTWISE_URL" in told.stderr
    (run.folder / ".env").write_text("CONNECTWISE_COMPANY=alder\n", encoding="utf-8")
    (run.folder / ".env").chmod(0o600)
    assert run.text("schedule", "print", "cron", "--user", "billing").stderr == ""


@posix
@pytest.mark.parametrize(("who", "user"), [("alder", "alder"), ("root", "connector")])
def test_it_runs_as_whoever_asks_but_never_as_root(
    who: str, user: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", who)
    assert f"\nUser={user}\n" in run.text("schedule", "print", "systemd").stdout


@posix
def test_someone_whom_the_system_has_no_name_for_gets_a_user_of_the_jobs_own(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert "\nUser=connector\n" in run.text("schedule", "print", "systemd").stdout


@posix
def test_the_job_of_a_profile_says_whose_it_is(run: Run) -> None:
    folder = run.folder / "profiles" / "alder & co"
    folder.mkdir(parents=True)
    told = run.text("--profile", "alder & co", "schedule", "print", "systemd")
    assert f"WorkingDirectory={run.folder}\n" in told.stdout
    assert f'"--profile" "alder & co" "--mappings" "{folder}/mappings.yaml" "--state" "{folder}/state"' in (
        told.stdout
    )
    assert f'ReadWritePaths="{folder}/state"\n' in told.stdout
    assert f"There is no .env in {folder}." in told.stderr
    (folder / ".env").write_text("CONNECTOR_STATE=ledger\n", encoding="utf-8")
    (folder / ".env").chmod(0o600)
    cron = run.text(
        "--profile", "alder & co", "schedule", "print", "cron", "--user", "x", CONNECTOR_STATE="no"
    )
    assert cron.stderr == ""
    assert f"cd {run.folder} && exec " in cron.stdout
    assert (
        f"--profile 'alder & co' --mappings '{folder}/mappings.yaml' --state '{folder}/ledger' nightly"
        in (cron.stdout)
    )


def test_the_job_of_a_profile_on_another_machine_lies_below_its_folder(run: Run) -> None:
    (run.folder / "profiles" / "alder").mkdir(parents=True)
    kind, root, name = ("systemd", "/srv/c", "profiles/alder")
    if os.name != "nt":
        kind, root, name = ("windows", "C:\\c", "profiles\\alder")
    beside = ("--profile", "alder", "--log-file", "a.log", "schedule", "print", kind)
    told = run.text(*beside, "--folder", root, "--program", f"{root}/c.exe", "--user", "x").stdout
    separator = root[-2]
    assert "'--profile', 'alder'" in told or '"--profile" "alder"' in told
    assert f"{root}{separator}{name}{separator}state" in told
    assert f"{root}{separator}a.log" in told


@posix
def test_a_log_and_metrics_that_were_asked_for_are_the_jobs_and_it_may_write_them(
    run: Run, tmp_path: Path
) -> None:
    figures = tmp_path / "node exporter"
    files = ("--metrics", f"{figures}/connector.prom", "--log-file", "connector.log", "--log-format", "json")
    told = run.text(*files, "schedule", "print", "systemd").stdout
    log = run.folder / "connector.log"
    assert (
        f'"--log-format" "json" "--log-file" "{log}" "--metrics" "{figures}/connector.prom" "nightly"' in told
    )
    assert f'ReadWritePaths="{run.folder}/state" "{run.folder}" "{figures}"\n' in told
    assert "node exporter/connector.prom' nightly" in run.text(*files, "schedule", "print", "cron").stdout
    assert run(*files, "schedule", "print", "kubernetes").exit_code == 2
    assert run(*files, "schedule", "print", "cron", "--fleet").exit_code == 2


@posix
def test_secrets_are_named_as_their_folder_has_them_and_never_read(run: Run, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("SOPHOS_CLIENT_SECRET", "CONNECTOR_NOTIFY", "notes.txt"):
        (secrets / name).write_text("kept-to-itself", encoding="utf-8")
    for kind in ("systemd", "cron", "kubernetes"):
        told = run.text("schedule", "print", kind, "--secrets", str(secrets))
        assert "SOPHOS_CLIENT_SECRET_FILE" in told.stdout
        assert "CONNECTOR_NOTIFY_FILE" in told.stdout
        assert "SOPHOS_CLIENT_ID" not in told.stdout
        assert "notes" not in told.stdout
        assert "kept-to-itself" not in told.stdout


@posix
def test_a_folder_without_a_secret_is_a_mistake(run: Run, tmp_path: Path) -> None:
    told = run("schedule", "print", "systemd", "--secrets", str(tmp_path))
    assert (told.exit_code, told.json["error"]["code"]) == (2, "COMMAND")
    assert "SOPHOS_CLIENT_SECRET" in told.json["error"]["next"]
    file = tmp_path / "a file"
    file.write_text("", encoding="utf-8")
    assert run("schedule", "print", "kubernetes", "--secrets", str(file)).exit_code == 2


def test_kubernetes_takes_the_image_of_this_version_unless_another_is_named(run: Run) -> None:
    assert f'image: "connector:{__version__}"' in run.text("schedule", "print", "kubernetes").stdout
    told = run.text("schedule", "print", "kubernetes", "--image", "r.example.com:5000/c@sha256:ab")
    assert 'image: "r.example.com:5000/c@sha256:ab"' in told.stdout


@posix
def test_files_are_written_and_replaced_only_if_asked_to(run: Run) -> None:
    made = run("schedule", "print", "systemd", "--user", "billing", "--write", "units")
    paths = [Path(file["path"]) for file in made.json["files"]]
    assert [path.parent for path in paths] == [run.folder / "units"] * 2
    text = paths[1].read_text(encoding="utf-8")
    assert text == made.json["files"][1]["text"]

    paths[0].unlink()
    again = run("schedule", "print", "systemd", "--user", "x", "--time", "04:00", "--write", "units")
    assert again.exit_code == 2
    assert "--overwrite" in again.json["error"]["next"]
    assert not paths[0].exists(), "none is written where one is there already"
    assert paths[1].read_text(encoding="utf-8") == text

    told = run.text(
        "schedule", "print", "systemd", "--user", "x", "--time", "04:00", "--write", "units", "--overwrite"
    )
    assert told.stdout == "".join(f"{path} was written.\n" for path in paths)
    assert "04:00:00" in paths[1].read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_made_is_said_so(run: Run) -> None:
    (run.folder / "taken").write_text("", encoding="utf-8")
    told = run("schedule", "print", "kubernetes", "--write", "taken/units")
    assert told.exit_code == 2
    assert "could not be made" in told.json["error"]["message"]


@posix
def test_for_windows_its_paths_are_told_where_this_is_no_windows(run: Run) -> None:
    told = run("schedule", "print", "windows", "--user", "MSP\\billing")
    assert told.exit_code == 2
    assert "--folder C:\\connector" in told.json["error"]["next"]
    given = ("--folder", "C:\\connector", "--program", "C:\\c.exe", "--user", "MSP\\billing", "--write", "w")
    assert run("schedule", "print", "windows", *given).exit_code == 0
    assert (run.folder / "w" / "connector-nightly.xml").read_bytes()[:2] == b"\xff\xfe"
    assert run("schedule", "print", "windows", *given[:-2], "--secrets", "secrets").exit_code == 2


@posix
def test_a_fleet_is_one_job_for_all_its_profiles(run: Run) -> None:
    told = run.text("schedule", "print", "cron", "--fleet", "--user", "billing")
    assert told.stdout.rstrip().endswith(" fleet nightly")
    assert told.stderr == ""
    assert run("schedule", "print", "cron", "--fleet", "--state", "x").exit_code == 2
    assert run("schedule", "print", "kubernetes", "--fleet").exit_code == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("launchd",), "systemd, cron, windows, kubernetes"),
        (("systemd", "--time", "24:00"), "--time 03:15"),
        (("systemd", "--time", "3:15"), "--time 03:15"),
        (("systemd", "--time", "03:15\nExecStart=x"), "--time 03:15"),
        (("systemd", "--user", "a b"), "--user NAME"),
        (("cron", "--user", "x\n* * * * * root sh"), "--user NAME"),
        (("cron", "--timezone", "Europe/Dublin"), "Leave it out."),
        (("systemd", "--timezone", "Europe/Dublin\nx"), "--timezone Europe/Dublin"),
        (("systemd", "--image", "x"), "Leave it out."),
        (("kubernetes", "--image", 'x"\nargs: [sh]'), "--image registry.example.com/connector:1.0"),
        (("kubernetes", "--state", "x"), "Leave it out."),
    ],
)
def test_what_cannot_be_is_a_mistake_with_a_way_out(given: tuple[str, ...], said: str, run: Run) -> None:
    told = run("schedule", "print", *given)
    assert told.exit_code == 2
    assert said in told.json["error"]["next"]


def test_the_group_alone_shows_its_help(run: Run) -> None:
    assert "Print the files that run" in run.text("schedule").stdout

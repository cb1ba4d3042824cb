"""The image and its compose file: what stands in them, without building them."""

import importlib.util
import json
import re
import tomllib
from importlib.metadata import requires
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from connector import __version__
from connector.settings import SECRETS

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deploy" / "docker"
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, each on one line."""
    text = re.sub(r"^#.*\n", "", (DOCKER / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines if line.strip()]


def final() -> dict[str, str]:
    """Return the last stage's instructions."""
    found = instructions()
    last = max(place for place, (name, _) in enumerate(found) if name == "FROM")
    return dict(found[last:])


def compose() -> Any:
    return yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def lock_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("runtime_lock", DOCKER / "runtime_lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_everything_that_is_copied_is_there_and_let_through() -> None:
    let_through = re.findall(
        r"^!(.+)$", (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8"), re.MULTILINE
    )
    copied = []
    for name, given in instructions():
        if name == "COPY" and "--from" not in given:
            *sources, _ = given.split()
            copied += sources
    assert sorted(copied) == sorted(let_through)
    assert all((ROOT / source).exists() for source in copied)


def test_nothing_else_of_this_folder_can_get_into_an_image() -> None:
    lines = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"


def test_every_stage_stands_on_the_same_pinned_python() -> None:
    bases = {given.split()[0] for name, given in instructions() if name == "FROM"}
    assert bases == {"python:3.13-slim"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "<3.14" in project["requires-python"]


def test_it_runs_as_nobody_in_particular_with_one_volume() -> None:
    stage = final()
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", stage["USER"])
    assert json.loads(stage["VOLUME"]) == ["/data"]
    assert stage["WORKDIR"] == "/data"
    assert stage["STOPSIGNAL"] == "SIGINT"
    assert "connector status" in stage["HEALTHCHECK"]
    assert [*json.loads(stage["ENTRYPOINT"]), *json.loads(stage["CMD"])] == [
        *("python", "-m", "connector", "nightly")
    ]


def test_no_secret_is_part_of_it() -> None:
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    assert not any(name in text for name in SECRETS)
    assert ".env" not in "".join(given for name, given in instructions() if name in {"COPY", "ADD"})


def test_it_installs_by_hash_what_a_run_needs_and_nothing_of_the_tests(lock_script: ModuleType) -> None:
    installed = next(given for name, given in instructions() if name == "RUN")
    assert "--require-hashes" in installed
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    kept = lock_script.runtime_lock(LOCK, project["dependencies"])
    names = set(re.findall(r"^([\w.-]+)==", kept, re.MULTILINE))
    assert {"requests", "typer", "pydantic-core", "certifi"} <= names
    assert not {"pytest", "mypy", "ruff", "coverage", "hypothesis", "responses"} & names
    for entry in re.split(r"\n(?=[\w.-]+==)", kept):
        assert "--hash=sha256:" in entry
        assert entry.strip() in LOCK


def test_nothing_that_an_installed_package_asks_for_is_left_out(lock_script: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = set(
        re.findall(r"^([\w.-]+)==", lock_script.runtime_lock(LOCK, project["dependencies"]), re.MULTILINE)
    )
    for name in names - {"colorama", "tzdata"}:  # which some systems do without
        for text in requires(name) or ():
            asked = Requirement(text)
            if asked.marker is None or asked.marker.evaluate({"extra": ""}):
                assert asked.name.lower().replace("_", "-") in names, f"{name} asks for {text}"


def test_a_dependency_that_is_not_locked_builds_no_image(lock_script: ModuleType) -> None:
    with pytest.raises(SystemExit, match="lacks: left-pad"):
        lock_script.runtime_lock(LOCK, ["requests>=2", "left-pad>=1"])


def test_compose_runs_it_read_only_and_without_rights() -> None:
    service = compose()["services"]["nightly"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [mount.split(":")[0] for mount in service["tmpfs"]] == ["/tmp"]  # noqa: S108
    assert [volume.split(":")[1] for volume in service["volumes"]] == ["/data"]
    assert service["image"] == f"connector:{__version__}"
    assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


def test_compose_hands_secrets_over_as_files() -> None:
    service = compose()["services"]["nightly"]
    usual = sorted(name for name in SECRETS if not name.startswith("CONNECTOR_"))
    assert service["secrets"] == usual
    assert {name: each["file"] for name, each in compose()["secrets"].items()} == {
        name: f"./secrets/{name}" for name in usual
    }
    for name in usual:
        assert name not in service["environment"]
        assert service["environment"][f"{name}_FILE"] == f"/run/secrets/{name}"

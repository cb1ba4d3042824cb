"""Settings: where they are looked for, and what a wrong one gets (contract section 1)."""

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from connector.errors import SettingsFault
from connector.settings import Settings, Surroundings, read_settings

ALL = {
    "SOPHOS_CLIENT_ID": "id",
    "SOPHOS_CLIENT_SECRET": "hush",
    "CONNECTWISE_URL": "https://na.myconnectwise.net",
    "CONNECTWISE_COMPANY": "acme",
    "CONNECTWISE_PUBLIC_KEY": "public",
    "CONNECTWISE_PRIVATE_KEY": "private",
    "CONNECTWISE_CLIENT_ID": "client",
}


def settings(folder: Path, environment: Mapping[str, str], env_file: bytes | None = None) -> Settings:
    if env_file is not None:
        (folder / ".env").write_bytes(env_file)
    return read_settings(Surroundings(environment, folder))


def without(name: str) -> dict[str, str]:
    return {each: value for each, value in ALL.items() if each != name}


def test_defaults_are_the_contracts(tmp_path: Path) -> None:
    read = settings(tmp_path, ALL)
    assert read.sophos.auth_url == "https://id.sophos.com/api/v2/oauth2/token"
    assert read.sophos.api_url == "https://api.central.sophos.com"
    assert (read.today, read.timeout_seconds) == (None, 30.0)


@pytest.mark.parametrize("name", ALL)
def test_a_missing_setting_names_itself_and_the_places_looked_in(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsFault) as caught:
        settings(tmp_path, without(name) | {name: "  "})
    assert name in caught.value.message
    assert "environment" in caught.value.message
    assert str(tmp_path / ".env") in caught.value.message
    assert (f"{name}_FILE" in caught.value.message) == (
        name not in {"CONNECTWISE_URL", "CONNECTWISE_COMPANY"}
    )


def test_all_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault) as caught:
        settings(tmp_path, {})
    assert all(name in caught.value.message for name in ALL)


def test_who_does_without_sophos_need_not_name_its_credentials(tmp_path: Path) -> None:
    only_connectwise = {name: value for name, value in ALL.items() if name.startswith("CONNECTWISE")}
    assert read_settings(Surroundings(only_connectwise, tmp_path), sophos=False).connectwise.company == "acme"
    with pytest.raises(SettingsFault) as caught:
        read_settings(Surroundings({}, tmp_path), sophos=False)
    assert "CONNECTWISE_URL" in caught.value.message
    assert "SOPHOS" not in caught.value.message


def test_a_dot_env_fills_in_only_what_the_environment_lacks(tmp_path: Path) -> None:
    text = (
        '\ufeff# made by hand\r\nexport SOPHOS_CLIENT_ID = "from file"\r\n\r\n'
        "CONNECTWISE_COMPANY=other\r\nCONNECTOR_TODAY=2026-10-28 # a Wednesday\r\n"
        "CONNECTWISE_PRIVATE_KEY='a#b' # hush\r\n"
    )
    environment = without("SOPHOS_CLIENT_ID")
    del environment["CONNECTWISE_PRIVATE_KEY"]
    read = settings(tmp_path, environment, text.encode("utf-8"))
    assert (read.sophos.client_id, read.connectwise.company) == ("from file", "acme")
    assert (read.today, read.connectwise.private_key) == (date(2026, 10, 28), "a#b")


def test_a_secret_can_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "with blank").write_bytes(b"\xef\xbb\xbf hush hush\r\n")
    environment = without("SOPHOS_CLIENT_SECRET") | {
        "SOPHOS_CLIENT_SECRET_FILE": str(tmp_path / "with blank")
    }
    assert settings(tmp_path, environment).sophos.client_secret == "hush hush"
    in_file = b"SOPHOS_CLIENT_SECRET_FILE=with blank"
    assert settings(tmp_path, without("SOPHOS_CLIENT_SECRET"), in_file).sophos.client_secret == "hush hush"


def test_the_value_itself_comes_before_its_file(tmp_path: Path) -> None:
    assert settings(tmp_path, ALL | {"SOPHOS_CLIENT_SECRET_FILE": "nowhere"}).sophos.client_secret == "hush"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_secret_file_that_holds_no_secret_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsFault, match=r"SOPHOS_CLIENT_SECRET_FILE names .*secret"):
        settings(tmp_path, without("SOPHOS_CLIENT_SECRET") | {"SOPHOS_CLIENT_SECRET_FILE": str(path)})


def test_what_is_no_secret_has_no_file_form(tmp_path: Path) -> None:
    (tmp_path / "company").write_text("acme", encoding="utf-8")
    with pytest.raises(SettingsFault, match="missing: CONNECTWISE_COMPANY"):
        settings(
            tmp_path, without("CONNECTWISE_COMPANY") | {"CONNECTWISE_COMPANY_FILE": str(tmp_path / "company")}
        )


@pytest.mark.parametrize(
    "today", ["2026-13-01", "28.10.2026", "20261028", "2026-2-30", "today", "2026-W44-3"]
)
def test_a_today_that_is_no_date_is_refused(today: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match="CONNECTOR_TODAY"):
        settings(tmp_path, ALL | {"CONNECTOR_TODAY": today})


@pytest.mark.parametrize(("text", "seconds"), [("5", 5.0), ("0.3", 0.3), ("", 30.0)])
def test_a_time_out_can_be_set(text: str, seconds: float, tmp_path: Path) -> None:
    assert settings(tmp_path, ALL | {"CONNECTOR_TIMEOUT": text}).timeout_seconds == seconds


@pytest.mark.parametrize("text", ["0", "-1", "soon", "1e9", "nan"])
def test_a_time_out_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match="CONNECTOR_TIMEOUT"):
        settings(tmp_path, ALL | {"CONNECTOR_TIMEOUT": text})


@pytest.mark.parametrize("line", [b"SOPHOS_CLIENT_SECRET hush-hush", b"=hush-hush", b"A B=hush-hush"])
def test_a_dot_env_line_that_is_none_is_named_by_number_and_never_quoted(line: bytes, tmp_path: Path) -> None:
    with pytest.raises(SettingsFault) as caught:
        settings(tmp_path, ALL, b"A=1\n" + line + b"\n")
    assert "line 2" in caught.value.message
    assert "hush" not in caught.value.message


@pytest.mark.parametrize("content", [b"A=\xff\xfe", b"\xff\xfeA\x00"])
def test_a_dot_env_that_is_no_text_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match="UTF-8"):
        settings(tmp_path, ALL, content)


def test_a_folder_named_dot_env_is_none(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert settings(tmp_path, ALL).sophos.client_id == "id"


def test_secrets_do_not_show_when_settings_are_printed(tmp_path: Path) -> None:
    shown = repr(settings(tmp_path, ALL))
    assert "hush" not in shown
    assert "private" not in shown


@pytest.mark.skipif(os.name != "posix", reason="a mode says nothing on Windows")
@pytest.mark.parametrize(
    ("mode", "warned"), [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1), (0o644, 1), (0o622, 0)]
)
def test_a_dot_env_that_others_can_read_is_a_warning_with_its_remedy(
    mode: int, warned: int, tmp_path: Path
) -> None:
    path = tmp_path / "with blank" / ".env"
    path.parent.mkdir()
    path.write_text("SOPHOS_CLIENT_SECRET=hush", encoding="utf-8")
    path.chmod(mode)

    surroundings = Surroundings({}, path.parent)

    assert surroundings.get("SOPHOS_CLIENT_SECRET") == "hush"
    assert len(surroundings.warnings) == warned
    assert all(f"chmod 600 '{path}'" in each and "hush" not in each for each in surroundings.warnings)


def test_without_a_dot_env_there_is_nothing_to_warn_of(tmp_path: Path) -> None:
    assert Surroundings({}, tmp_path).warnings == ()
    (tmp_path / ".env").mkdir(mode=0o755)
    assert Surroundings({}, tmp_path).warnings == ()


def test_modes_are_not_looked_at_where_they_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("A=1", encoding="utf-8")
    (tmp_path / ".env").chmod(0o644)
    monkeypatch.setattr("connector.settings.os.name", "nt")
    assert Surroundings({}, tmp_path).warnings == ()

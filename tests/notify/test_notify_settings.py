"""Where people are told is a setting that holds secrets: read from anywhere, shown nowhere."""

from pathlib import Path

import pytest
from notify.listening import PASSWORD

from connector.errors import SettingsFault
from connector.settings import NotifySettings, Surroundings, read_notify, read_settings

ALL = {
    "SOPHOS_CLIENT_ID": "id",
    "SOPHOS_CLIENT_SECRET": "secret",
    "CONNECTWISE_URL": "https://cw.example",
    "CONNECTWISE_COMPANY": "msp",
    "CONNECTWISE_PUBLIC_KEY": "public",
    "CONNECTWISE_PRIVATE_KEY": "private",
    "CONNECTWISE_CLIENT_ID": "client",
}
MAIL, CHAT = f"mailto://u:{PASSWORD}@smtp.example?to=a@x.example,b@x.example", f"slack://{PASSWORD}/B/C"


@pytest.mark.parametrize(
    "text",
    [
        f"{MAIL} {CHAT}",
        f"{MAIL},{CHAT}",
        f"{MAIL}, {CHAT},",
        f"{MAIL}\r\n{CHAT}\n",
        f"  {MAIL}\t{CHAT} {MAIL}",
    ],
)
def test_addresses_are_split_where_one_begins_and_a_comma_within_one_stays(tmp_path: Path, text: str) -> None:
    assert read_notify(Surroundings({"CONNECTOR_NOTIFY": text}, tmp_path)).addresses == (MAIL, CHAT)


def test_both_have_a_file_form(tmp_path: Path) -> None:
    folder = tmp_path / "my secrets"
    folder.mkdir()
    (folder / "notify").write_text(f"{MAIL}\r\n{CHAT}\r\n", encoding="utf-8")
    (folder / "beat").write_text("https://ping.example/token\n", encoding="utf-8")
    said = {
        "CONNECTOR_NOTIFY_FILE": str(folder / "notify"),
        "CONNECTOR_HEARTBEAT_URL_FILE": str(folder / "beat"),
    }
    assert read_notify(Surroundings(said, tmp_path)) == NotifySettings(
        (MAIL, CHAT), "https://ping.example/token"
    )


def test_neither_is_needed_and_neither_is_ever_shown(tmp_path: Path) -> None:
    assert read_settings(Surroundings(ALL, tmp_path)).notify == NotifySettings()
    said = ALL | {"CONNECTOR_NOTIFY": MAIL, "CONNECTOR_HEARTBEAT_URL": f"https://ping.example/{PASSWORD}"}
    settings = read_settings(Surroundings(said, tmp_path))
    assert settings.notify.addresses == (MAIL,)
    assert PASSWORD not in repr(settings)


def test_a_file_that_is_not_there_is_named_and_not_what_it_should_hold(tmp_path: Path) -> None:
    surroundings = Surroundings({"CONNECTOR_NOTIFY_FILE": str(tmp_path / "gone")}, tmp_path)
    with pytest.raises(SettingsFault, match=r"CONNECTOR_NOTIFY_FILE names .*gone, which cannot be read"):
        read_notify(surroundings)

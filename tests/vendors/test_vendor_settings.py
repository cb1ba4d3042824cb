"""What a setting may say before anything is sent."""

import pytest

from connector.errors import SettingsFault
from connector.vendors.checked import checked_base_url, checked_key, is_loopback


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://api.central.sophos.com", "https://api.central.sophos.com"),
        (
            " https://psa.example:8443/v4_6_release/apis/3.0/ ",
            "https://psa.example:8443/v4_6_release/apis/3.0",
        ),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:99/x", "http://[::1]:99/x"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://LOCALHOST:1", "http://LOCALHOST:1"),
        ("https://cw_server.local", "https://cw_server.local"),
    ],
)
def test_an_address_is_taken_without_its_last_slash(url: str, base: str) -> None:
    assert checked_base_url("SOPHOS_API_URL", url) == base


@pytest.mark.parametrize(
    "url",
    [
        "",
        "psa.example",
        "ftp://psa.example",
        "https://",
        "https:///path",
        "http://psa.example",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "https://user:geheim@psa.example",
        "https://geheim@psa.example",
        "https://psa.example/?x=geheim",
        "https://psa.example/?",
        "https://psa.example/#geheim",
        "https://psa.example:port",
        "https://psa.example:99999",
        "https://[::1",
        "https://psa example",
        "https://psa.exa\nmple",
        "https://psa.example\\@evil.example",
        "https://" + "a" * 64 + ".example",
        "https://-psa-",
        "https://psä.example",
    ],
)
def test_any_other_address_is_a_fault_that_names_the_setting_only(url: str) -> None:
    with pytest.raises(SettingsFault) as caught:
        checked_base_url("SOPHOS_API_URL", url)
    assert "SOPHOS_API_URL" in caught.value.message
    assert "SOPHOS_API_URL" in caught.value.next_step
    assert "geheim" not in f"{caught.value}{caught.value.next_step}"


def test_loopback_is_this_machine_only() -> None:
    assert is_loopback("::1")
    assert not is_loopback("::2")
    assert not is_loopback("example.com")


def test_a_key_may_be_any_printable_text() -> None:
    assert checked_key("CONNECTWISE_PRIVATE_KEY", "p€ß/+") == "p€ß/+"


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "a\x00", "a\udcff", "gé"])
def test_what_cannot_be_a_key_is_a_fault_that_does_not_repeat_it(text: str) -> None:
    with pytest.raises(SettingsFault, match="CONNECTWISE_CLIENT_ID") as caught:
        checked_key("CONNECTWISE_CLIENT_ID", text, ascii_only=True)
    assert not text.strip() or text not in caught.value.message

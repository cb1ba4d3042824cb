"""Every entry of mappings.yaml is found at its line, however it is written."""

import pytest

from connector.mappings.places import Places

TENANT = "223c98b5-d39e-4c60-afde-892a53de496c"
MAP = f"""\
# Who is billed for what.
version: 1
defaults:
  absent: end

products:
  CIXA-MSP:
    item: SOPHOS-ENDPOINT   # per user
    sync: true
  " CDE-MSP ": {{sync: false}}
tenants:
  {TENANT.upper()}:
    company: AlderDental
    agreement: 118
    products:
      CIXA-MSP: {{item: ALDER-EDR}}
firewalls:
  x1a7demo: {TENANT}
import:
  tenants:
    Alder  Dental: {TENANT}
"""


@pytest.fixture(params=["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def places(request: pytest.FixtureRequest) -> Places:
    """The map, with the line ends of each system."""
    return Places(b"\xef\xbb\xbf" + MAP.replace("\n", request.param).encode())


def test_each_entry_is_found_at_its_line_with_what_it_says(places: Places) -> None:
    found = {
        "tenant": places.tenant(TENANT),
        "company": places.tenant(TENANT, "company"),
        "agreement": places.tenant(TENANT, "agreement"),
        "item": places.product("CIXA-MSP", "item"),
        "sync": places.product("CIXA-MSP", "sync"),
        "off": places.product("CDE-MSP", "sync"),
        "exception": places.exception(TENANT, "CIXA-MSP", "item"),
        "firewall": places.firewall("X1A7DEMO"),
        "default": places.default("absent"),
        "customer": places.imported_tenant("alder dental"),
    }

    lines = MAP.split("\n")
    for spot in found.values():
        assert spot is not None
        assert lines[spot.line - 1].strip() == spot.text
    told = {name: (spot.line, spot.value) for name, spot in found.items() if spot is not None}
    assert told == {
        "tenant": (12, ""),
        "company": (13, "AlderDental"),
        "agreement": (14, "118"),
        "item": (8, "SOPHOS-ENDPOINT"),
        "sync": (9, "true"),
        "off": (10, "false"),
        "exception": (16, "ALDER-EDR"),
        "firewall": (18, TENANT),
        "default": (4, "end"),
        "customer": (21, TENANT),
    }
    assert found["off"] is not None
    assert found["off"].what == "products.CDE-MSP.sync"


def test_what_the_map_does_not_say_is_found_nowhere(places: Places) -> None:
    assert places.tenant("somebody-else") is None
    assert places.tenant(TENANT, "sync") is None
    assert places.product("CIXA-MSP", "per") is None
    assert places.exception(TENANT, "CDE-MSP") is None
    assert places.exception("somebody-else", "CIXA-MSP") is None
    assert places.default("mark") is None
    assert places.product("CIXA-MSP", "item.deeper") is None


@pytest.mark.parametrize("data", [b"", b"[1, 2]\n", b"\xff\xfe", b"a: [\n", b"version: 1\n"])
def test_in_a_map_that_says_nothing_nothing_is_found(data: bytes) -> None:
    places = Places(data)

    assert places.tenant(TENANT) is None
    assert places.imported_tenant("Alder Dental") is None
    assert places.default("absent") is None

"""Names give way to aliases, in documents and in free text, and nothing else does."""

import html
import json
import re
import time
import unicodedata
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.planning.aliases import Aliases, Sort

KEY = b"k" * 32
ALDER_ID = "223c98b5-d39e-4c60-afde-892a53de496c"


@pytest.fixture
def aliases() -> Aliases:
    return Aliases(KEY)


def test_one_name_has_one_alias_in_any_case_and_under_one_key_alone(aliases: Aliases) -> None:
    alias = aliases.learn("tenant", "Alder Dental")

    assert re.fullmatch(r"tenant-[0-9a-f]{10}", alias)
    assert Aliases(KEY).learn("tenant", " ALDER dental ") == alias
    assert Aliases(b"another").learn("tenant", "Alder Dental") != alias
    assert aliases.learn("company", "alder dental") == alias


def test_nothing_is_no_name(aliases: Aliases) -> None:
    assert (aliases.learn("tenant", None), aliases.learn("tenant", "  ")) == ("", "")
    aliases.learn_tenant_id(None)
    assert aliases.text("nothing at all") == "nothing at all"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Alder", "Alder's bill, of ALDER; (alder)"),
        ("Birch & Söhne", "for BIRCH & SÖHNE: 5"),
        ("@Home Ltd", "to @Home Ltd."),
        ("株式会社アルダー", "請求先は株式会社アルダーです"),
        ("X1A7", "serial x1a7, twice X1A7"),
        ("A+", "the A+ plan"),
    ],
)
def test_a_name_is_replaced_wherever_it_stands(aliases: Aliases, name: str, text: str) -> None:
    alias = aliases.learn("tenant", name)

    shown = aliases.text(text)

    assert alias in shown
    assert name.casefold() not in shown.casefold()


def test_longer_words_and_numbers_are_no_names(aliases: Aliases) -> None:
    aliases.learn("tenant", "Alder")
    aliases.learn("company", "43")
    aliases.learn("company", "!!")
    aliases.learn("company", "Alder D")

    text = "AlderDental and Alderman bill 43!!"
    assert aliases.text(text) == text
    assert aliases.text("Alder Dental").endswith(" Dental")
    assert aliases.document({"company": "43"}) == {"company": aliases.learn("company", "43")}


def test_the_longest_name_wins(aliases: Aliases) -> None:
    aliases.learn("tenant", "Alder")
    longer = aliases.learn("tenant", "Alder Dental")

    assert aliases.text("Alder Dental pays") == f"{longer} pays"


def test_a_tenants_id_is_known_by_its_first_eight_letters_too(aliases: Aliases) -> None:
    aliases.learn_tenant_id(ALDER_ID)

    alias = aliases.learn("id", ALDER_ID)
    assert aliases.text(f"({ALDER_ID[:8]}) is {ALDER_ID}") == f"({alias}) is {alias}"


@pytest.mark.parametrize(
    "text",
    [
        "96e1d3a8-54f7-4b20-a9c6-3f7b80d2e415",
        "ada.quill@alder-dental.example",
        "/home/ada/connector/state",
        r"C:\Users\ada\state",
        r"\\server\share\ada",
    ],
)
def test_what_looks_like_an_id_an_address_or_a_path_is_replaced_unknown(aliases: Aliases, text: str) -> None:
    shown = aliases.text(f"see {text}, please")

    assert re.fullmatch(r"see (id|mail|path)-[0-9a-f]{10}, please", shown)


@pytest.mark.parametrize("text", ["and/or", "https://api.example/apis/3.0", "12/10 of 3/4", "a: /"])
def test_what_is_no_path_stays(aliases: Aliases, text: str) -> None:
    assert aliases.text(text) == text


def test_fields_and_our_own_sentences_make_names_known(aliases: Aliases) -> None:
    aliases.learn_from(
        {
            "tenant_id": ALDER_ID,
            "changes": [{"company": "AlderDental", "agreement": "Rundum", "serials": ["X1A7"], "after": "3"}],
            "message": (
                'SOPHOS-ENDPOINT on "Gold" (118) of BirchLegal: people made addition 9; '
                'agreement "Silver" (3) is over; company "CedarCo" is gone'
            ),
            "warning": "agreement 'x' is not among those of company ElmFoundry",
            "renamed": 'item "A" is called "B-Ware" in ConnectWise now',
            "kind": "update",
            "count": 3,
        }
    )

    shown = aliases.text("AlderDental Rundum X1A7 Gold BirchLegal Silver CedarCo ElmFoundry B-Ware update")

    assert re.fullmatch(r"(?:(?:company|agreement|serial|name)-[0-9a-f]{10} ){9}update", shown)


def test_our_own_words_and_numbers_of_a_document_stay(aliases: Aliases) -> None:
    aliases.learn("tenant", "update")
    document = {"kind": "update", "after": "43", "count": 43, "held": None, "list": ("update",)}

    assert aliases.document(document) == {**document, "list": [aliases.learn("tenant", "update")]}


def test_what_a_message_quotes_is_a_name_unless_it_is_a_product(aliases: Aliases) -> None:
    aliases.keep(["SOPHOS-ENDPOINT"])
    aliases.learn("tenant", "Alder")

    shown = aliases.sentence('"SOPHOS-ENDPOINT" of "Alder" and "Nobody Knows"')

    assert re.fullmatch(r'"SOPHOS-ENDPOINT" of "tenant-[0-9a-f]{10}" and "name-[0-9a-f]{10}"', shown)


@given(
    st.text(min_size=3).filter(lambda text: re.search(r"[^\W\d]{2}", text)),
    st.sampled_from(["tenant", "company"]),
)
def test_no_known_name_survives_between_blanks(name: str, sort: Sort) -> None:
    aliases = Aliases(KEY)
    alias = aliases.learn(sort, name)

    assert aliases.text(f"x {name.strip()} x") == f"x {alias} x"


# However it is spelled -------------------------------------------------------------------------------

SPELLINGS: list[Callable[[str], str]] = [
    lambda name: json.dumps(name)[1:-1],
    lambda name: json.dumps(json.dumps(name))[3:-3],
    lambda name: json.dumps(name, ensure_ascii=False)[1:-1],
    html.escape,
    lambda name: html.escape(html.escape(name)),
    lambda name: "".join(f"&#{ord(letter)};" for letter in name),
    lambda name: "".join(f"&#x{ord(letter):X};" for letter in name),
    lambda name: repr(name)[1:-1],
    lambda name: ascii(name)[1:-1],
    lambda name: repr(name.encode())[2:-1],
    quote,
    quote_plus,
    lambda name: quote(quote(name)),
    lambda name: " ".join(name.split()),
    lambda name: name.replace(" ", " \n\t "),
    lambda name: unicodedata.normalize("NFD", name),
    str.upper,
    lambda name: f"x_{name}_y",
]


@pytest.mark.parametrize("spell", SPELLINGS)
@pytest.mark.parametrize(
    "name",
    [
        "Zoë Café",
        "Two  Spaces Inc",
        "Tab\u00a0Nbsp AG",
        "Straße GmbH",
        "A&B <Co>",
        'O\'Neil "Q" Ltd',
        "Fox \U0001f98a Ltd",
        "back\\slash",
        "back\\new",
        "日本商事",
        "\U0001f98a\U0001f98a",
    ],
)
def test_a_name_is_found_however_it_is_spelled(
    aliases: Aliases, name: str, spell: Callable[[str], str]
) -> None:
    alias = aliases.learn("tenant", name)

    assert alias in aliases.text(f"of {spell(name)}: 5")
    assert re.sub(r"x_|_y", "", aliases.text(f"of {spell(name)}: 5")) == f"of {alias}: 5"


@pytest.mark.parametrize("text", [r"CORP\nora", r"CORP\\nora", r"C: \nora", "x_nora", "%nora", "&nora;"])
def test_what_may_be_an_escape_hides_no_name(aliases: Aliases, text: str) -> None:
    alias = aliases.learn("user", "Nora")

    assert aliases.text(text).rstrip(";").endswith(alias)


@pytest.mark.parametrize(
    "text", [r"\U00ffffff", r"\x", r"\u12", "%zz", "&zzzz;", "\\", "%C3%28", r"\xe9\x", r"\ud83d"]
)
def test_what_is_no_escape_stays_as_it_is(aliases: Aliases, text: str) -> None:
    aliases.learn("tenant", "Alder")

    assert aliases.text(f"{text} Alder") == f"{text} {aliases.learn('tenant', 'Alder')}"


def test_a_letter_that_two_names_share_is_replaced_once(aliases: Aliases) -> None:
    alias = aliases.learn("tenant", "文s")
    aliases.learn("tenant", "s本")

    assert aliases.text("文ß本") == f"{alias}本"


def test_a_word_of_an_alias_is_no_name(aliases: Aliases) -> None:
    alias = aliases.learn("tenant", "日本")
    aliases.learn("company", "Tenant")

    assert aliases.text("日本") == alias
    assert aliases.text(f"{alias} Tenant").startswith(f"{alias} company-")


def test_of_names_that_need_no_blank_the_longest_wins_beside_others(aliases: Aliases) -> None:
    short, longer = aliases.learn("tenant", "日本"), aliases.learn("tenant", "日本商事")
    alder = aliases.learn("tenant", "Alder")

    assert aliases.text("日本商事Alder Alder日本 日本日") == f"{longer}Alder Alder{short} {short}日"
    assert aliases.text("日本商事 Alder 日本") == f"{longer} {alder} {short}"
    assert aliases.text("本日") == "本日"


def test_a_name_within_a_longer_one_is_not_replaced_again(aliases: Aliases) -> None:
    aliases.learn("company", "🌲")
    longer = aliases.learn("tenant", "Alder 🌲")
    assert aliases.text("Alder 🌲 and more") == f"{longer} and more"


def test_what_others_wrote_may_hold_a_name_in_any_key_and_field(aliases: Aliases) -> None:
    alias = aliases.learn("tenant", "Alder")
    document = {"Alder": {"kind": "Alder"}, "where": ["Alder", 3], "mark": "Alder"}

    assert aliases.document(document, foreign=True) == {
        alias: {"kind": alias},
        "where": [alias, 3],
        "mark": alias,
    }
    assert aliases.document({"Alder": 1, "mark": "Alder", "item": "Alder-EDR"}) == {
        "Alder": 1,
        "mark": "Alder",
        "item": f"{alias}-EDR",
    }


@pytest.mark.parametrize(
    "text",
    [
        "y" * 400_000,
        "/a" * 100_000,
        "a.b" * 100_000,
        'on "' * 20_000,
        ' on "x" (1) of y\n' * 10_000,
        "those of company " * 10_000 + "\n",
        "\\" * 100_000,
        "&amp;" * 50_000,
        "%25" * 50_000,
        "@" * 100_000,
        "a@a." * 50_000,
    ],
)
def test_no_text_takes_long(aliases: Aliases, text: str) -> None:
    aliases.learn("tenant", "Alder")
    started = time.process_time()

    aliases.learn_from({"message": text})
    assert "Alder" not in aliases.sentence(f"{text} Alder")
    assert time.process_time() - started < 5


def test_an_alias_can_be_had_without_the_name_being_known(aliases: Aliases) -> None:
    known = aliases.learn("tenant", "Alder")
    aliases.keep(["Endpoint"])

    assert aliases.alias("name", " ALDER ") == known
    assert aliases.alias("name", "Birch").startswith("name-")
    assert aliases.text("Birch") == "Birch"
    assert (aliases.keeps("endpoint "), aliases.keeps("Alder")) == (True, False)

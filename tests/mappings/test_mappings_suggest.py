"""Candidates are ranked for people; nothing is decided, and nothing depends on the order of the records."""

import random
from collections.abc import Sequence
from datetime import date
from itertools import permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.errors import CommandFault
from connector.mappings.customer_names import equal_names, exact_pairs, normalised
from connector.mappings.suggest import (
    Candidate,
    Namesakes,
    agreements_for,
    companies_for,
    items_for,
    search,
)
from connector.model import Agreement, CatalogItem, CatalogRecord, Company, Tenant
from connector.planning.product_names import product_name

TODAY = date(2026, 10, 28)
LIMITED = Company(1, "CON01", "Contoso Limited")
PHARMA = Company(2, "PHA01", "Contoso Pharmaceuticals")
MULLER = Company(3, "MUE", "Müller AG")
ALDER = Company(4, "AlderDental", "Alder Dental Group")
TRADERS = Company(5, "NWT", "Northwind Traders Inc.")
COMPANIES = (LIMITED, PHARMA, MULLER, ALDER, TRADERS)

FORMS = ["", " Ltd", " Ltd.", ", Inc.", " GmbH", " GmbH & Co. KG", " S.A.", " A/S", " (Pty) Ltd", " S.p.A."]
names = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="aAéüß .,&+'/-", max_size=12),
    st.tuples(
        st.sampled_from(["", "The ", "THE  "]),
        st.sampled_from(["Alder", "alder", "Birch & Söhne", "birch and söhne", "The", "Ltd", "A.B.C."]),
        st.sampled_from(FORMS),
    ).map("".join),
)


def ranked(hits: Sequence[Candidate[Company]]) -> list[tuple[str, str]]:
    return [(hit.record.name, hit.reason) for hit in hits]


# Names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Contoso", "CONTOSO  Ltd."),
        ("Contoso Limited", "CONTOSO Ltd."),
        ("Contoso Incorporated", "Contoso, Inc."),
        ("The Alder Group", "Alder Group"),
        ("Birch & Oak LLP", "Birch and Oak"),
        ("Birch + Oak", "Birch & Oak"),
        ("Fichte GmbH & Co. KG", "Fichte"),
        ("Macy's", "Macy\u2019s"),
        ("Dansk Data A/S", "Dansk Data AS"),
        ("Acme S.p.A.", "ACME SpA"),
        ("Acme (Pty) Ltd", "Acme Pty Limited"),
        ("Kawa Sp. z o.o.", "Kawa"),
        ("A.B.C. Services", "ABC Services"),
        ("Stra\u00dfe 7", "STRASSE 7"),
        ("M\u00fcller", "Mu\u0308ller"),
        ("\uff23ontoso", "Contoso"),
        ("Con\u00adtöso", "Contöso"),
        ("Alder-Dental", "Alder Dental"),
    ],
)
def test_names_are_equal_but_for_legal_forms_case_and_punctuation(one: str, other: str) -> None:
    assert equal_names(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller", "Mueller"),
        ("Müller", "Muller"),
        ("Acme GmbH", "Acme AG"),
        ("Contoso Limited", "Contoso, Inc."),
        ("Contoso Ltd (UK)", "Contoso Ltd"),
        ("Smith & Co Ltd", "Smith Ltd"),
        ("Contoso Holdings", "Contoso"),
        ("C# Labs", "C++ Labs"),
        ("C++ Labs", "C Labs"),
        ("Care+", "Care"),
        ("1.1 Media", "11 Media"),
        ("!!!", "???"),
        ("", ""),
        (" ", "\t"),
    ],
)
def test_names_that_may_be_two_customers_are_not_equal(one: str, other: str) -> None:
    assert not equal_names(one, other)


@pytest.mark.parametrize(
    "name", ["The", "Ltd", "The Ltd", "AG & Co. KG", "\u02bc", "\u037a", "\ufe70", "山田", "हिन्दी"]
)
def test_a_name_with_letters_is_never_normalised_to_nothing(name: str) -> None:
    assert normalised(name)
    assert equal_names(name, name)


@given(names)
@example("the the x ltd ltd")
@example("a\u0345\u00ad'\u0301")
def test_normalising_twice_changes_nothing_and_keeps_letters(name: str) -> None:
    once = normalised(name)
    assert normalised(once) == once
    assert once or not any(map(str.isalpha, name))


@given(names, names)
def test_equality_of_names_goes_both_ways(left: str, right: str) -> None:
    assert equal_names(left, right) == equal_names(right, left)


# Companies


def test_the_same_company_under_another_legal_form_comes_before_one_that_begins_alike() -> None:
    assert ranked(companies_for("Contoso", COMPANIES)) == [
        ("Contoso Limited", "equal but for the legal form"),
        ("Contoso Pharmaceuticals", "begins with it"),
    ]
    assert ranked(companies_for("CONTOSO LTD (UK)", COMPANIES)) == [
        ("Contoso Limited", "all its words are in the name")
    ]


@pytest.mark.parametrize(
    ("tenant", "company", "reason"),
    [
        ("contoso limited", LIMITED, "the same name"),
        ("Mueller GmbH", MULLER, "equal but for accents"),
        ("Muller", MULLER, "equal but for accents"),
        ("Müller", MULLER, "equal but for the legal form"),
        ("Traders Northwind", TRADERS, "same words in another order"),
        ("North wind Traders", TRADERS, "equal but for spaces"),
        ("Alder Dental", ALDER, "its identifier"),
        ("alderdental.co.uk", ALDER, "its domain"),
        ("www.northwindtraders.com", TRADERS, "its domain"),
        ("Northwnd Traders", TRADERS, "looks alike (96 %)"),
        ("Alderdentl", ALDER, "its identifier looks alike (95 %)"),
        ("Group Dental", ALDER, "all words of it"),
    ],
)
def test_the_first_candidate_says_why_it_is_first(tenant: str, company: Company, reason: str) -> None:
    first = companies_for(tenant, COMPANIES)[0]
    assert (first.record, first.reason) == (company, reason)
    assert 0 < first.score <= 100


def test_a_company_that_was_merged_away_is_no_candidate() -> None:
    merged = Company(9, "OLD", "Contoso", deleted=True)
    assert merged not in [hit.record for hit in companies_for("Contoso", (*COMPANIES, merged))]


@pytest.mark.parametrize("name", ["", "  ", "Quetzalcoatl"])
def test_a_name_like_no_other_has_no_candidates(name: str) -> None:
    assert companies_for(name, (*COMPANIES, Company(8, "NN"))) == ()


def test_as_many_candidates_are_given_as_were_asked_for() -> None:
    many = [Company(number, f"C{number}", f"Contoso {number}") for number in range(1, 30)]
    assert [hit.record.id for hit in companies_for("Contoso", many, limit=3)] == [1, 2, 3]


def test_of_two_equally_good_companies_the_closer_name_is_first_then_the_lower_id() -> None:
    inc, ltd, again = (
        Company(1, "A", "Contoso Inc"),
        Company(2, "B", "Contoso Ltd"),
        Company(3, "C", "Contoso Ltd"),
    )
    found = companies_for("Contoso Ltd.", [again, inc, ltd])
    assert [hit.record.id for hit in found] == [2, 3, 1]


def test_the_order_of_the_companies_does_not_matter() -> None:
    for tenant in ("Contoso", "Alder Dental", "Traders Group", "Mueller"):
        assert len({companies_for(tenant, order) for order in permutations(COMPANIES)}) == 1


def test_one_index_ranks_as_one_question_at_a_time_does() -> None:
    index = Namesakes(iter(COMPANIES))
    for tenant in ("Contoso", "Alder Dental", "alderdental.com"):
        assert index.candidates(tenant) == companies_for(tenant, COMPANIES)


# Exact pairs


def test_equal_names_are_paired_only_where_both_are_unique() -> None:
    tenants = [
        Tenant("t1", "Müller"),
        Tenant("t2", "Contoso"),
        Tenant("t3", "Hazel"),
        Tenant("t4", "HAZEL Ltd"),
        Tenant("t5", "Northwind Traders"),
        Tenant("t6", "???"),
    ]
    companies = [
        *COMPANIES,
        Company(10, "CON02", "Contoso Inc"),
        Company(11, "HAZ", "Hazel"),
        Company(12, "MM", "Mueller"),
        Company(13, "OLD", "Müller", deleted=True),
        Company(14, "NN", ""),
    ]
    assert exact_pairs(tenants, companies) == ((tenants[0], MULLER), (tenants[4], TRADERS))


@given(st.lists(names, max_size=12), st.lists(st.tuples(names, st.booleans()), max_size=12), st.randoms())
def test_no_tenant_and_no_company_is_paired_twice(
    ours: list[str], theirs: list[tuple[str, bool]], chance: random.Random
) -> None:
    tenants = [Tenant(f"t{number}", name) for number, name in enumerate(ours)]
    companies = [
        Company(number, f"c{number}", name, deleted) for number, (name, deleted) in enumerate(theirs, start=1)
    ]
    pairs = exact_pairs(tenants, companies)
    assert len({tenant.id for tenant, _ in pairs}) == len({company.id for _, company in pairs}) == len(pairs)
    assert all(equal_names(tenant.name, company.name) and not company.deleted for tenant, company in pairs)
    paired = {tenant.id for tenant, _ in pairs}
    for tenant in tenants:
        name = normalised(tenant.name)
        same = [each for each in companies if normalised(each.name) == name and not each.deleted]
        rivals = [each for each in tenants if normalised(each.name) == name]
        alone = len(same) == len(rivals) == 1
        assert (tenant.id in paired) == (alone and equal_names(tenant.name, same[0].name))
    chance.shuffle(tenants)
    chance.shuffle(companies)
    assert exact_pairs(tenants, companies) == pairs


# Agreements


def test_the_only_active_agreement_is_first_and_the_others_say_why_not() -> None:
    agreements = [
        Agreement(1, "Managed Security", 7, cancelled=True),
        Agreement(2, "Backup", 7),
        Agreement(3, "Sophos", 7, end=date(2025, 12, 31)),
    ]
    found = agreements_for("Alder", agreements, TODAY)
    assert [(hit.record.id, hit.reason) for hit in found] == [
        (2, "the only active agreement"),
        (1, "is cancelled"),
        (3, "ended on 2025-12-31"),
    ]
    assert agreements_for("Alder", agreements[:1], TODAY)[0].reason == "is cancelled"
    assert agreements_for("Alder", [], TODAY) == ()


def test_agreements_that_speak_of_security_come_before_managed_services_and_the_rest() -> None:
    agreements = [
        Agreement(1, "Hardware", 7),
        Agreement(2, "Managed Services", 7),
        Agreement(3, "Cyber Cover", 7),
        Agreement(4, "Sophos Central", 7),
    ]
    found = agreements_for("Hazel", agreements, TODAY)
    assert [(hit.record.id, hit.reason) for hit in found] == [
        (4, "active, speaks of sophos"),
        (3, "active, speaks of cyber"),
        (2, "active, speaks of managed"),
        (1, "active"),
    ]
    assert agreements_for("Hazel", agreements[::-1], TODAY) == found


def test_the_type_of_an_agreement_speaks_too() -> None:
    agreements = [Agreement(1, "Alder", 7), Agreement(2, "Alder 2", 7, type="Security Services")]
    found = agreements_for("Alder", agreements, TODAY)
    assert (found[0].record.id, found[0].reason) == (2, "active, speaks of security")


def test_of_two_sites_the_agreement_that_names_the_tenant_is_first() -> None:
    agreements = [Agreement(1, "Hazel Security Dublin", 7), Agreement(2, "Hazel Security London", 7)]
    found = agreements_for("Hazel London", agreements, TODAY)
    assert (found[0].record.id, found[0].reason) == (2, "active, speaks of security, and of london")


# Items

ENDPOINT = CatalogItem(1, "SOPHOS-ENDPOINT", "Sophos Endpoint per user")
SERVER = CatalogItem(2, "SOPHOS-EP-SRV", "Sophos Endpoint per server")
XGS_107 = CatalogItem(3, "SOPHOS-XGS107", "Sophos XGS 107 Xstream Protection")
XGS_136 = CatalogItem(4, "SOPHOS-XGS136", "Sophos XGS 136 Xstream Protection")
MDR = CatalogItem(5, "SOPHOS-MDR", "Managed Detection")
LABOUR = CatalogItem(6, "LABOUR", "Hourly work")
BLANK = CatalogItem(7, "---", "")
ITEMS = (ENDPOINT, SERVER, XGS_107, XGS_136, MDR, LABOUR, BLANK)


@pytest.mark.parametrize(
    ("description", "name"),
    [
        ("Sophos Endpoint - User MSP Monthly - 50-99 USERS", "Sophos Endpoint - User"),
        ("XGS 107 Xstream Protection - 1-24 DEVICES - MSP Monthly", "XGS 107 Xstream Protection"),
        (
            "SW/Virtual EnterpriseGuard Plus - UP TO 2 CORES & 4GB RAM - 500-999 DEVICES - MSP Monthly",
            "SW/Virtual EnterpriseGuard Plus - UP TO 2 CORES & 4GB RAM",
        ),
        ("Sophos Email Advanced MSP Monthly - 10,000+ USERS", "Sophos Email Advanced"),
        ("Sophos XDR - MSP Monthly", "Sophos XDR"),
        ("Sophos ZTNA MSP", "Sophos ZTNA"),
        ("1-24 USERS", ""),
    ],
)
def test_what_sophos_calls_a_product_is_read_without_price_band_and_term(description: str, name: str) -> None:
    assert product_name(description) == name


@pytest.mark.parametrize(
    ("code", "name", "item", "reason"),
    [
        ("CIXA-MSP", "Sophos Endpoint - User MSP Monthly - 50-99 USERS", ENDPOINT, "the same words"),
        ("SVR-MSP", "Sophos Endpoint - Server MSP Monthly - 1-24 SERVERS", SERVER, "the same words"),
        ("A-MSP", "XGS 136 Xstream Protection - 1-24 DEVICES - MSP Monthly", XGS_136, "the same words"),
        ("MDR-MSP", "Anything at all", MDR, "its identifier is the code"),
        ("LABOUR", "", LABOUR, "its identifier is the code"),
        ("B-MSP", "Endpoint", ENDPOINT, "the same words"),
        ("C-MSP", "Managed Detection and Response", MDR, "all its words are in the name"),
        ("D-MSP", "Manged Detection", MDR, "looks alike (96 %)"),
        ("E-MSP", "Xstream 107", XGS_107, "all words of it"),
    ],
)
def test_an_item_is_found_by_what_sophos_calls_the_product_or_by_its_code(
    code: str, name: str, item: CatalogItem, reason: str
) -> None:
    first = items_for(code, name, ITEMS)[0]
    assert (first.record, first.reason) == (item, reason)


def test_the_code_within_an_identifier_counts_more_than_words() -> None:
    own = CatalogItem(20, "SOPHOS-CIXA-2026", "something else")
    first = items_for("CIXA-MSP", "Sophos Endpoint - User", (*ITEMS, own))[0]
    assert (first.record, first.reason) == (own, "the code is in its identifier")


def test_an_item_for_servers_or_of_another_model_is_far_below_and_says_so() -> None:
    found = {hit.record.id: hit for hit in items_for("SVR-MSP", "Sophos Endpoint - Server", ITEMS)}
    assert found[SERVER.id].score - found[ENDPOINT.id].score > 20
    assert found[ENDPOINT.id].reason.endswith("but of another size or kind")
    found = {hit.record.id: hit for hit in items_for("X-MSP", "XGS 107 Xstream Protection", ITEMS)}
    assert found[XGS_136.id].reason.endswith("but of another size or kind")


def test_an_item_that_cannot_be_mapped_is_no_candidate() -> None:
    bundle = CatalogRecord(20, "SOPHOS-ENDPOINT-2", "Sophos Endpoint", product_class="Bundle")
    gone = CatalogRecord(21, "SOPHOS-ENDPOINT-3", "Sophos Endpoint", inactive=True)
    fine = CatalogRecord(22, "SOPHOS-ENDPOINT-4", "Sophos Endpoint", product_class="Agreement")
    assert [hit.record for hit in items_for("CIXA-MSP", "Sophos Endpoint", [bundle, gone, fine])] == [fine]


def test_items_are_ranked_alike_in_any_order_and_only_as_many_as_asked_for() -> None:
    twins = [CatalogItem(number, f"X{number}", "Sophos Endpoint") for number in range(30, 40)]
    found = items_for("CIXA-MSP", "Sophos Endpoint", twins[::-1], limit=4)
    assert [hit.record.id for hit in found] == [30, 31, 32, 33]
    assert items_for("CIXA-MSP", "", ITEMS) == ()


# Searching


def found_by(text: str, limit: int = 10) -> list[tuple[int, str]]:
    companies = [
        Company(1, "ALD", "Dental Alder"),
        Company(2, "ALDER", "Zahn"),
        Company(3, "BIR", "Alder Dental"),
        Company(4, "X", "Balder"),
        Company(5, "Y", "Müller"),
        Company(6, "BIR", "Alder Dental"),
    ]
    ways = {
        search(text, order, lambda each: (each.identifier, each.name), limit)
        for order in (companies, companies[::-1])
    }
    (hits,) = ways
    return [(hit.record.id, hit.reason) for hit in hits]


def test_a_search_ranks_exact_then_beginnings_then_words_then_the_rest() -> None:
    assert found_by(" alder ") == [
        (2, "exactly this"),
        (3, "begins with it"),
        (6, "begins with it"),
        (1, "a word begins with it"),
        (4, "contains it"),
    ]
    assert found_by("al", limit=2) == [(1, "begins with it"), (2, "begins with it")]


def test_a_search_minds_neither_accents_nor_the_order_of_words() -> None:
    assert found_by("MULL") == [(5, "begins with it")]
    assert found_by("dental alder") == [
        (1, "exactly this"),
        (3, "contains all its words"),
        (6, "contains all its words"),
    ]
    assert found_by("(.*") == []


@pytest.mark.parametrize("text", ["", " a ", "  "])
def test_a_search_for_less_than_two_letters_is_refused(text: str) -> None:
    with pytest.raises(CommandFault, match="2 letters or more"):
        found_by(text)


def test_a_record_without_texts_is_not_found() -> None:
    assert search("ab", ["one"], lambda _: (), 5) == ()

"""Customers' names as two of them are compared: case, punctuation and legal forms count for nothing."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from connector.model import Company, Tenant

_REMEMBERED = 1 << 14

_LEGAL_FORMS = frozenset(
    tuple(form.split())
    for forms in (
        "ltd,limited,llc,llp,lp,pllc,pc,inc,incorporated,corp,corporation,plc,cic,pty,proprietary,pte",
        "gmbh,ggmbh,mbh,gesellschaft mbh,ag,kg,kgaa,ohg,gbr,ug,ug haftungsbeschränkt,ek,ev,eg,se",
        "and co kg,and co kgaa,and co ohg,co kg,co kgaa,co ohg",
        "sarl,sàrl,sas,sasu,eurl,sa,sca,scs,snc,spa,srl,srls,sl,slu,lda,ltda,sa de cv",
        "bv,bvba,nv,vof,cv,ab,as,asa,ans,aps,oy,oyj,oü,sia,uab",
        "sro,spol sro,kft,zrt,nyrt,doo,eood,ood,sp zoo,sp z oo,kk,bhd,sdn bhd",
    )
    for form in forms.split(",")
)
_SAME_FORM = {
    "limited": "ltd",
    "incorporated": "inc",
    "corporation": "corp",
    "proprietary": "pty",
    "sàrl": "sarl",
    "oyj": "oy",
}
_LAST_WORDS = frozenset(form[-1] for form in _LEGAL_FORMS)
_UNTELLING = frozenset(form[0] for form in _LEGAL_FORMS if len(form) == 1) | {"and"}
_APOSTROPHES = re.compile("['`\u00b4\u2018\u2019\u201b\u02bc]")
_INITIALS = re.compile(r"(?<!\w)(?:[^\W\d_]\.)+[^\W\d_]?(?!\w)")
_SLASHED = re.compile(r"(?<!\w)(\w)/(?=\w(?!\w))")
_PLUS = re.compile(r"(?<=\s)\+(?=\s)")
_PLUSES = re.compile(r"(?<=\w)\++(?!\w)")
_SHARP = re.compile(r"(?<=[^\W\d_])#(?!\w)")
_NOT_ASCII_WORD = re.compile(r"[^a-z0-9]+")
_UNACCENTED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"})
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
DOMAIN = re.compile(r"(?:www\.)?([\w-]{2,63})(?:\.(?:co|com|org|net|ac|gov))?\.[a-z]{2,24}", re.IGNORECASE)
_ACCENT = 200  # combining classes from here on are marks above and below a letter


def normalised(name: str) -> str:
    """Return a customer's name, less its legal form, as two of them are compared.

    Case, punctuation, spaces, a leading "The" and legal forms at the end count for nothing, `&` is "and".
    Accents are kept: Müller, Mueller and Muller are alike, but not equal. A name with letters is never empty.
    """
    return form_of(name).bare


def equal_names(left: str, right: str) -> bool:
    """Whether two names are the same after normalisation; names of nothing are the same as none."""
    same = normalised(left)
    return bool(same) and same == normalised(right) and _one_legal_form(left, right)


def _one_legal_form(left: str, right: str) -> bool:
    """Whether one of the names tells no legal form, or both the same: a GmbH is not the AG of its name."""
    forms = form_of(left).legal, form_of(right).legal
    return "" in forms or forms[0] == forms[1]


def exact_pairs(
    tenants: Iterable[Tenant], companies: Iterable[Company]
) -> tuple[tuple[Tenant, Company], ...]:
    """Return the tenants and companies of equal names, in order of the names.

    Only where the name is unique on both sides, so give all of both, also those that are mapped already.
    """
    tenants_named: dict[str, list[Tenant]] = defaultdict(list)
    companies_named: dict[str, list[Company]] = defaultdict(list)
    for tenant in tenants:
        tenants_named[normalised(tenant.name)].append(tenant)
    for company in companies:
        if not company.deleted:
            companies_named[normalised(company.name)].append(company)
    shared = sorted(tenants_named.keys() & companies_named.keys() - {""})
    pairs = ((tenants_named[name], companies_named[name]) for name in shared)
    return tuple(
        (ours[0], theirs[0])
        for ours, theirs in pairs
        if len(ours) == len(theirs) == 1 and _one_legal_form(ours[0].name, theirs[0].name)
    )


class Form(NamedTuple):
    """A name in the forms it is compared in."""

    spaced: str
    """In lower case, words apart by one space."""
    bare: str
    """Without legal form and "The": the normalised name."""
    legal: str
    """The legal form that was left out, in one spelling."""
    spellings: tuple[str, ...]
    """Without accents, in both ways to write an umlaut."""
    words: frozenset[str]
    """Its words without accents, legal forms and "and"."""
    ordered: str
    """Those words in one order."""


@lru_cache(_REMEMBERED)
def form_of(name: str) -> Form:
    """Return a name in the forms it is compared in; each name is worked out once."""
    apart = spaced(name)
    bare = _bare(apart)
    plain = without_accents(bare)
    spelled = plain if bare.isascii() else without_accents(bare.translate(_SPELLED))
    spellings = (plain,) if spelled == plain else (plain, spelled)
    words = frozenset(plain.split())
    telling = words - _UNTELLING or words
    after = apart.rpartition(bare)[2].split() if bare else []
    legal = " ".join(_SAME_FORM.get(word, word) for word in after)
    return Form(apart, bare, legal, spellings, telling, " ".join(sorted(telling)))


def spaced(name: str) -> str:
    """Return the words of a name in lower case; for a name without any, its signs."""
    before, text = name, _spaced_once(name)
    while not text.isascii() and text != before:  # composing and folding can make work for one another
        before, text = text, _spaced_once(text)
    return text


def _spaced_once(name: str) -> str:
    lower = name.casefold()
    if not lower.isascii():
        lower = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    text = _APOSTROPHES.sub("", lower)
    if "." in text:
        text = _INITIALS.sub(lambda found: found[0].replace(".", ""), text)
    if "/" in text:
        text = _SLASHED.sub(r"\1", text)
    if "+" in text:
        text = _PLUS.sub(" and ", text)
        text = _PLUSES.sub(lambda found: " plus" * len(found[0]), text)
    if "#" in text:
        text = _SHARP.sub(" sharp", text)
    text = text.replace("&", " and ")
    text = _NOT_ASCII_WORD.sub(" ", text) if text.isascii() else "".join(map(_word_or_space, text))
    return " ".join(text.split()) or " ".join(lower.split())


def _word_or_space(character: str) -> str:
    if character.isalnum():
        return character
    category = unicodedata.category(character)
    return character if category[0] == "M" else "" if category == "Cf" else " "


def _bare(spaced: str) -> str:
    words = spaced.split(" ")
    before = 0
    while before != len(words):
        before = len(words)
        if words[-1] in _LAST_WORDS:
            lengths = (3, 2, 1)
            fits = (n for n in lengths if len(words) > n and tuple(words[-n:]) in _LEGAL_FORMS)
            del words[len(words) - next(fits, 0) :]
        if words[0] == "the" and len(words) > 1:
            del words[0]
    return " ".join(words)


def without_accents(text: str) -> str:
    """Return text with its accents left out; letters that are no accented ones stay."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFD", text.translate(_UNACCENTED))
    return "".join(each for each in apart if unicodedata.combining(each) < _ACCENT)


@lru_cache(_REMEMBERED)
def code_of(identifier: str) -> str:
    """Return an identifier as it is compared: letters and digits without accents, in one piece."""
    return squashed(without_accents(spaced(identifier)))


def squashed(text: str) -> str:
    """Return words as one."""
    return text.replace(" ", "")

"""Candidates for a person to choose from, best first, each with the reason for its rank.

Names are compared to suggest, never to decide. What is the same but for something harmless comes first, and
only then what looks alike: a fuzzy scorer by itself puts "Contoso Pharmaceuticals" above "Contoso Limited".
Every ranking is the same whatever order the records come in.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from heapq import nsmallest
from typing import Generic, Protocol, TypeVar

from rapidfuzz import fuzz, process

from connector.errors import CommandFault
from connector.mappings.customer_names import (
    DOMAIN,
    Form,
    code_of,
    form_of,
    spaced,
    squashed,
    without_accents,
)
from connector.model import Agreement, Company
from connector.planning.directory import folded, inactive_because
from connector.planning.product_names import product_name

LIMIT = 8
SHORTEST_SEARCH = 2
_ALIKE = 60  # below this, rapidfuzz finds likeness in everything
_MOST_ALIKE = 94
_IDENTIFIER_ALIKE = 75


class Sellable(Protocol):
    """What is compared of a catalog item."""

    @property
    def id(self) -> int: ...  # noqa: D102 - as CatalogItem has it
    @property
    def identifier(self) -> str: ...  # noqa: D102
    @property
    def description(self) -> str: ...  # noqa: D102
    @property
    def product_class(self) -> str: ...  # noqa: D102
    @property
    def inactive(self) -> bool: ...  # noqa: D102


T = TypeVar("T")
Item = TypeVar("Item", bound=Sellable)


@dataclass(frozen=True, slots=True)
class Candidate(Generic[T]):
    """A record that a person may mean: how likely, of 100, and why."""

    record: T
    score: int
    reason: str


# Companies for a tenant --------------------------------------------------------------------------


class Namesakes:
    """The companies of ConnectWise, indexed once, to rank them for any number of tenants."""

    def __init__(self, companies: Iterable[Company]) -> None:
        """Leave out the deleted ones: they are never candidates."""
        kept = [company for company in companies if not company.deleted]
        self._companies = sorted(kept, key=lambda each: (each.id, each.identifier, each.name))
        self._forms = [form_of(each.name) for each in self._companies]
        self._identifiers = [code_of(each.identifier) for each in self._companies]
        self._ordered = [form.ordered for form in self._forms]
        self._same: dict[str, dict[str, list[int]]] = defaultdict(dict)
        self._having: dict[str, list[int]] = defaultdict(list)
        for at, form in enumerate(self._forms):
            for _, reason, key in _same_keys(form):
                self._same[reason].setdefault(key, []).append(at)
            self._same["its identifier"].setdefault(self._identifiers[at], []).append(at)
            for word in form.words:
                self._having[word].append(at)

    def candidates(self, tenant_name: str, limit: int = LIMIT) -> tuple[Candidate[Company], ...]:
        """Return the companies that the tenant may be, best first."""
        form = form_of(tenant_name)
        best: dict[int, tuple[int, str]] = {}
        for at, score, reason in self._offers(tenant_name, form) if form.bare else ():
            if score > best.get(at, (0, ""))[0]:
                best[at] = score, reason
        ranked = nsmallest(
            limit,
            best,
            key=lambda at: (-best[at][0], -fuzz.ratio(form.spaced, self._forms[at].spaced), at),
        )
        return tuple(Candidate(self._companies[at], *best[at]) for at in ranked)

    def _offers(self, name: str, form: Form) -> Iterator[tuple[int, int, str]]:
        for score, reason, key in _same_keys(form):
            yield from ((at, score, reason) for at in self._same[reason].get(key, ()))
        for key in {squashed(each) for each in (form.spaced, *form.spellings)}:
            yield from ((at, 97, "its identifier") for at in self._same["its identifier"].get(key, ()))
        domain = DOMAIN.fullmatch(name.strip())
        if domain:
            label = code_of(domain[1])
            for same in ("its identifier", "equal but for spaces"):
                yield from ((at, 97, "its domain") for at in self._same[same].get(label, ()))
        yield from self._sharing(form)
        yield from self._alike(form)

    def _sharing(self, form: Form) -> Iterator[tuple[int, int, str]]:
        """Offer those that hold all words of the name, or that the name holds all words of."""
        plain = form.spellings[0]
        shared = Counter(at for word in form.words for at in self._having.get(word, ()))
        for at, count in shared.items():
            theirs = self._forms[at]
            near = int(fuzz.ratio(plain, theirs.spellings[0])) // 10
            if theirs.spellings[0].startswith(f"{plain} "):
                yield at, 80 + near, "begins with it"
            elif count == len(form.words):
                yield at, 75 + near, "all words of it"
            elif count == len(theirs.words):
                yield at, 78 + near, "all its words are in the name"

    def _alike(self, form: Form) -> Iterator[tuple[int, int, str]]:
        for _, ratio, at in process.extract(
            form.ordered, self._ordered, scorer=fuzz.ratio, processor=None, score_cutoff=_ALIKE, limit=None
        ):
            yield at, min(int(ratio), _MOST_ALIKE), f"looks alike ({int(ratio)} %)"
        for _, ratio, at in process.extract(
            squashed(form.spellings[0]),
            self._identifiers,
            scorer=fuzz.ratio,
            processor=None,
            score_cutoff=_IDENTIFIER_ALIKE,
            limit=None,
        ):
            yield at, min(int(ratio), _MOST_ALIKE) - 3, f"its identifier looks alike ({int(ratio)} %)"


def companies_for(
    tenant_name: str, companies: Iterable[Company], limit: int = LIMIT
) -> tuple[Candidate[Company], ...]:
    """Return the companies that a tenant may be, best first; for many tenants ask one `Namesakes`."""
    return Namesakes(companies).candidates(tenant_name, limit)


def _same_keys(form: Form) -> Iterator[tuple[int, str, str]]:
    """Yield the forms in which two names can be the same, with what that is worth and is called."""
    yield 100, "the same name", form.spaced
    yield 99, "equal but for the legal form", form.bare
    for spelling in form.spellings:
        yield 98, "equal but for accents", spelling
    yield 96, "same words in another order", form.ordered
    for spelling in form.spellings:
        yield 95, "equal but for spaces", squashed(spelling)


# Agreements for a tenant -------------------------------------------------------------------------

_SPEAKS_OF = (
    (90, ("sophos",)),
    (85, ("security", "cyber", "mdr", "xdr", "edr", "endpoint", "antivirus", "firewall", "sicherheit")),
    (75, ("managed", "msp", "mssp", "services", "service", "support", "recurring", "monthly")),
)


def agreements_for(
    tenant_name: str, agreements: Iterable[Agreement], today: date
) -> tuple[Candidate[Agreement], ...]:
    """Return all agreements of a company, those that bill today first; the others say why they do not."""
    tenant = form_of(tenant_name).words
    told = [(each, inactive_because(each, today)) for each in agreements]
    active = [each for each, inactive in told if inactive is None]
    common = frozenset.intersection(*(form_of(each.name).words for each in active)) if active else frozenset()
    found = []
    for each, inactive in told:
        if inactive is not None:
            found.append(Candidate(each, 10, inactive))
        elif len(active) == 1:
            found.append(Candidate(each, 100, "the only active agreement"))
        else:
            found.append(_speaking(each, tenant - common))
    return tuple(sorted(found, key=lambda hit: (-hit.score, hit.record.name.casefold(), hit.record.id)))


def _speaking(agreement: Agreement, tenant: frozenset[str]) -> Candidate[Agreement]:
    words = form_of(f"{agreement.name} {agreement.type}").words
    score, reason = 50, "active"
    for worth, telling in _SPEAKS_OF:
        spoken = [word for word in telling if word in words]
        if spoken:
            score, reason = worth, f"active, speaks of {spoken[0]}"
            break
    shared = sorted(tenant & words)
    return (
        Candidate(agreement, score + 5, f"{reason}, and of {shared[0]}")
        if shared
        else Candidate(agreement, score, reason)
    )


# Items for a product -----------------------------------------------------------------------------

_NOISE = frozenset(
    {"sophos", "msp", "monthly", "month", "per", "for", "the", "and", "by", "with", "of", "powered"}
)
_OF_A_KIND = frozenset({"server", "servers"})


def items_for(code: str, name: str, items: Iterable[Item], limit: int = LIMIT) -> tuple[Candidate[Item], ...]:
    """Return the catalog items that may sell a product code, which Sophos calls `name`, best first.

    Inactive ones and bundles cannot be mapped and are never candidates.
    """
    wanted = _item_words(product_name(name))
    stem = frozenset(without_accents(spaced(code)).split()) - {"msp"}
    hits = []
    for item in items:
        if item.inactive or folded(item.product_class) == "bundle":
            continue
        ratio, hit = _item_candidate(item, wanted, stem)
        if hit.score:
            hits.append((-hit.score, -ratio, item.id, item.identifier, hit))
    return tuple(hit for *_, hit in nsmallest(limit, hits, key=lambda each: each[:-1]))


def _item_candidate(
    item: Item, wanted: frozenset[str], stem: frozenset[str]
) -> tuple[float, Candidate[Item]]:
    identifier, description = _item_words(item.identifier), _item_words(item.description)
    if stem and stem == identifier:
        return 100, Candidate(item, 100, "its identifier is the code")
    if stem and stem <= identifier:
        return 100, Candidate(item, 96, "the code is in its identifier")
    (score, reason), ratio = max(_likeness(wanted, words) for words in (identifier, description))
    if score and _another_kind(wanted, identifier | description):
        return ratio, Candidate(item, max(score - 25, 1), f"{reason}, but of another size or kind")
    return ratio, Candidate(item, score, reason)


def _likeness(wanted: frozenset[str], words: frozenset[str]) -> tuple[tuple[int, str], float]:
    if not wanted or not words:
        return (0, ""), 0
    ratio = fuzz.ratio(" ".join(sorted(wanted)), " ".join(sorted(words)))
    near = int(ratio) // 10
    alike = (min(int(ratio), _MOST_ALIKE) if ratio >= _ALIKE else 0, f"looks alike ({int(ratio)} %)")
    if wanted == words:
        return (95, "the same words"), ratio
    if wanted <= words:
        return max(alike, (80 + near, "all words of it")), ratio
    if words <= wanted:
        return max(alike, (78 + near, "all its words are in the name")), ratio
    return alike, ratio


def _another_kind(wanted: frozenset[str], words: frozenset[str]) -> bool:
    """Whether one is for servers and the other is not, or both name sizes or models and share none."""
    ours, theirs = ({word for word in each if any(map(str.isdigit, word))} for each in (wanted, words))
    of_servers = wanted.isdisjoint(_OF_A_KIND) != words.isdisjoint(_OF_A_KIND)
    return of_servers or bool(ours and theirs and not ours & theirs)


@lru_cache(1 << 14)
def _item_words(text: str) -> frozenset[str]:
    words = frozenset(without_accents(spaced(text)).split())
    return words - _NOISE or words


# Searching ---------------------------------------------------------------------------------------


def search(
    text: str, records: Iterable[T], texts: Callable[[T], Iterable[str]], limit: int
) -> tuple[Candidate[T], ...]:
    """Return the records whose texts contain `text`, in any case and with or without accents, best first.

    Raises CommandFault for less than two letters, which would find nearly everything.
    """
    wanted = _searched(text)
    if len(wanted) < SHORTEST_SEARCH:
        raise CommandFault(
            f"A search needs {SHORTEST_SEARCH} letters or more.", "Type more of the name or the identifier."
        )
    hits = []
    for record in records:
        own = list(texts(record))
        score, reason = max((_found(wanted, _searched(each)) for each in own), default=(0, ""))
        if score:
            hits.append(
                (-score, [*map(_searched, own), *own], str(getattr(record, "id", "")), reason, record)
            )
    best = nsmallest(limit, hits, key=lambda hit: hit[:3])
    return tuple(Candidate(record, -score, reason) for score, _, _, reason, record in best)


def _searched(text: str) -> str:
    lower = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(without_accents(lower).split())


def _found(wanted: str, text: str) -> tuple[int, str]:
    if text == wanted:
        return 100, "exactly this"
    if text.startswith(wanted):
        return 90, "begins with it"
    if re.search(rf"(?<!\w){re.escape(wanted)}", text):
        return 80, "a word begins with it"
    if wanted in text:
        return 70, "contains it"
    return (60, "contains all its words") if all(word in text for word in wanted.split()) else (0, "")

"""Companies and agreements as people name them on a command line, and as mappings.yaml is to write them."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from connector.errors import CommandFault
from connector.model import Agreement, Company
from connector.planning.directory import Directory, folded, inactive_because
from connector.planning.references import Written, shell_word

_BY_ID = re.compile(r"id:\s*([0-9]{1,18})", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_MOST_LISTED = 8
UNCHANGED = "mappings.yaml was not changed."


class Customers:
    """ConnectWise's companies and agreements, indexed once, to be found and to be written down."""

    def __init__(self, directory: Directory) -> None:
        """Keep deleted companies, too, only to say that they are deleted."""
        self.directory = directory
        self._agreements: dict[int, list[Agreement]] = defaultdict(list)
        for agreement in sorted(directory.agreements.values(), key=lambda each: each.id):
            self._agreements[agreement.company_id].append(agreement)
        self._undeleted = [each for each in directory.companies.values() if not each.deleted]
        self._identifiers = Counter(folded(each.identifier) for each in self._undeleted)

    def agreements(self, company: Company) -> tuple[Agreement, ...]:
        """Return a company's agreements, those that bill today first, by name."""
        return tuple(
            sorted(
                self._agreements[company.id],
                key=lambda each: (self.inactive(each) is not None, folded(each.name), each.id),
            )
        )

    def active(self, company: Company) -> tuple[Agreement, ...]:
        """Return a company's agreements that bill today, by name."""
        return tuple(each for each in self.agreements(company) if self.inactive(each) is None)

    def inactive(self, agreement: Agreement) -> str | None:
        """Say why an agreement does not bill today, or None."""
        return inactive_because(agreement, self.directory.today)

    # As people name them ---------------------------------------------------------------------------

    def company(self, text: str) -> Company:
        """Return the company of an identifier, an id (`7`, `id:7`) or a unique name; raises CommandFault."""
        matches = self._companies(text)
        found = [each for each in matches if not each.deleted]
        if len(found) == 1:
            return found[0]
        if found:
            raise CommandFault(
                f"{len(found)} companies may be meant by {text.strip()!r}: "
                f"{listed(map(company_label, found))}. {UNCHANGED}",
                f"Name the right one by its id, such as id:{found[0].id}.",
            )
        if matches:
            raise CommandFault(
                f"Company {company_label(matches[0])} was deleted in ConnectWise, or merged into another. "
                f"{UNCHANGED}",
                "Find the other one with: connector tenants search TEXT",
            )
        raise CommandFault(
            f"ConnectWise has no company {text.strip()!r}. {UNCHANGED}",
            "Find it with: connector tenants search TEXT",
        )

    def agreement(self, company: Company, text: str) -> Agreement:
        """Return a company's active agreement, by id (`7`, `id:7`) or unique name; raises CommandFault."""
        matches = self._named_agreements(company, text)
        found = [each for each in matches if self.inactive(each) is None]
        if len(found) == 1:
            return found[0]
        if found:
            raise CommandFault(
                f"{company.identifier} has {len(found)} active agreements that may be meant by "
                f"{text.strip()!r}: {listed(map(agreement_label, found))}. {UNCHANGED}",
                f"Name the right one by its id, such as id:{found[0].id}.",
            )
        if matches:
            raise CommandFault(
                f"Agreement {agreement_label(matches[0])} {self.inactive(matches[0])}, so nothing is billed "
                f"through it. {UNCHANGED}",
                self._choices(company) or "Renew it in ConnectWise first.",
            )
        other = self.directory.agreements.get(_id_of(text) or 0)
        belongs = f": agreement {other.id} is one of {other.company or 'another company'}" if other else ""
        raise CommandFault(
            f"{company.identifier} has no agreement {text.strip()!r}{belongs}. {UNCHANGED}",
            self._choices(company) or "Make one in ConnectWise first.",
        )

    def _choices(self, company: Company) -> str:
        active = self.active(company)
        return f"Its active ones: {listed(map(agreement_label, active))}." if active else ""

    def _companies(self, text: str) -> list[Company]:
        """Return all companies that a text names, an identifier before names, undeleted ones first."""
        asked = _BY_ID.fullmatch(text.strip())
        name, number = folded(text), _id_of(text)
        everybody = self.directory.companies
        if asked is not None:
            return [everybody[number]] if number in everybody else []
        for pool in (self._undeleted, [each for each in everybody.values() if each.deleted]):
            by_id = [each for each in pool if each.id == number]
            found = [each for each in pool if folded(each.identifier) == name] or [
                each for each in pool if folded(each.name) == name
            ]
            if by_id or found:
                return sorted({each.id: each for each in (*by_id, *found)}.values(), key=lambda it: it.id)
        return []

    def _named_agreements(self, company: Company, text: str) -> list[Agreement]:
        name, number = folded(text), _id_of(text)
        by_id_only = _BY_ID.fullmatch(text.strip()) is not None
        return [
            each
            for each in self._agreements[company.id]
            if each.id == number or (not by_id_only and folded(each.name) == name)
        ]

    # As mappings.yaml writes them --------------------------------------------------------------------

    def written_company(self, company: Company) -> Written:
        """Return a company's identifier, or its id where the identifier would not find just this one."""
        shown = company.identifier.strip()
        if self._identifiers[folded(shown)] > 1:
            return _by_id(company.id, f'several companies have the identifier "{shown}"')
        if not shown or not shown.isprintable():
            return _by_id(company.id, "its identifier cannot be written as text")
        if self.directory.company(shown) != company:
            return _by_id(company.id, f'"{shown}" meant another company until now')
        return Written(shown)

    def written_agreement(self, company: Company, agreement: Agreement) -> Written:
        """Return an agreement's name, or its id where the name would not find just this one."""
        shown = agreement.name.strip()
        if sum(folded(each.name) == folded(shown) for each in self.active(company)) > 1:
            return _by_id(agreement.id, f'several active agreements are called "{shown}"')
        if not shown or not shown.isprintable():
            return _by_id(agreement.id, "its name cannot be written as text")
        if self.directory.agreement(company, shown) != agreement:
            return _by_id(agreement.id, f'"{shown}" meant another agreement until now')
        return Written(shown)

    def map_command(
        self, tenant_id: str, company: Company | None = None, agreement: Agreement | None = None
    ) -> str:
        """Return the command that maps a tenant so; a record that no shell can be given goes by its id."""
        words = ["connector tenants map", "--" if tenant_id.startswith("-") else ""]
        words.append(shell_word(tenant_id, "TENANT"))
        if company is not None:
            words.append(_word(self.written_company(company), company.id))
        if company is not None and agreement is not None:
            words.append(_word(self.written_agreement(company, agreement), agreement.id))
        return " ".join(filter(None, words))


def company_label(company: Company) -> str:
    """Return what people call a company, with identifier and id, in one line."""
    named = f"{company.identifier}, {company.name}" if company.name else company.identifier
    return f"{' '.join(named.split())} (id:{company.id})"


def agreement_label(agreement: Agreement) -> str:
    """Return what people call an agreement, with its id, in one line."""
    return f'"{" ".join(agreement.name.split())}" (id:{agreement.id})'


def listed(labels: Iterable[str]) -> str:
    """Return labels as a list in a sentence, cut where it gets long."""
    every = list(labels)
    rest = len(every) - _MOST_LISTED
    return "; ".join(every[:_MOST_LISTED]) + (f"; and {rest} more" if rest > 0 else "")


def _id_of(text: str) -> int | None:
    asked = _BY_ID.fullmatch(text.strip())
    number = asked[1] if asked is not None else text.strip()
    return int(number) if _NUMBER.fullmatch(number) else None


def _by_id(record_id: int, why: str) -> Written:
    return Written(record_id, f"Written as id {record_id}, for {why}.")


def _word(written: Written, record_id: int) -> str:
    by_id = f"id:{record_id}"
    text = written.value
    return by_id if isinstance(text, int) or _id_of(text) or text[0] == "-" else shell_word(text, by_id)

"""Reads ConnectWise's companies and agreements alone, for commands that need no usage."""

from datetime import date

from connector.ledger import Ledger
from connector.planning.customers import Customers
from connector.planning.directory import Directory
from connector.runs.reading import ConnectWise
from connector.runs.story import Story


def read_customers(connectwise: ConnectWise, ledger: Ledger, today: date, story: Story) -> Customers:
    """Return all companies and agreements, and what texts of the map once meant."""
    story.stage("Reading ConnectWise")
    return Customers(
        Directory(
            companies=connectwise.companies(),
            agreements=connectwise.agreements(),
            items=(),
            remembered=ledger.names(),
            today=today,
        )
    )

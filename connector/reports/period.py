"""A month in words, the same on every machine."""

from connector.model import Period

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


def month_text(period: Period) -> str:
    """Write a month in words."""
    return f"{_MONTHS[period.month - 1]} {period.year}"

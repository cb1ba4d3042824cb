"""A distributor's monthly consumption file: bytes in, rows out. Knows neither paths nor the ledger."""

from connector.consumption.cells import LARGEST, FileFault
from connector.consumption.reading import Consumption, FileRow, read_consumption, totals_off

__all__ = ["LARGEST", "Consumption", "FileFault", "FileRow", "read_consumption", "totals_off"]

"""mappings.yaml: which ConnectWise item, company and agreement each Sophos code and tenant is billed to."""

from connector.mappings.edit import Drop, Edit, Put, Scalar, edited
from connector.mappings.file import Edited, MappingsFile, edit_file, read_mappings_file, save
from connector.mappings.load import load_mappings, parse_mappings
from connector.mappings.shape import mappings_schema

__all__ = [
    "Drop",
    "Edit",
    "Edited",
    "MappingsFile",
    "Put",
    "Scalar",
    "edit_file",
    "edited",
    "load_mappings",
    "mappings_schema",
    "parse_mappings",
    "read_mappings_file",
    "save",
]

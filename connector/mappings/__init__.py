"""mappings.yaml: which ConnectWise item, company and agreement each Sophos code and tenant is billed to."""

from connector.mappings.load import load_mappings, parse_mappings
from connector.mappings.shape import mappings_schema

__all__ = ["load_mappings", "mappings_schema", "parse_mappings"]

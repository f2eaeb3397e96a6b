"""What is required: the requirement catalogue, one TOML file per group, and its loader."""

from conformance.catalogue.catalogue import Catalogue, UnknownSelection
from conformance.catalogue.loader import CatalogueError, load
from conformance.catalogue.requirement import (
    COUNTERS,
    IMPLEMENTATIONS,
    Access,
    Group,
    Kind,
    Level,
    Requirement,
)

__all__ = [
    "COUNTERS",
    "IMPLEMENTATIONS",
    "Access",
    "Catalogue",
    "CatalogueError",
    "Group",
    "Kind",
    "Level",
    "Requirement",
    "UnknownSelection",
    "load",
]

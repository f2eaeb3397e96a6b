"""What a certificate is made from: the record of a run, the product it is about, and what was declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.catalogue import Catalogue, Level, Requirement
from conformance.report.results import NOT_COVERED

Document = Mapping[str, Any]

_IN_CATALOGUE: Final = {"freebsd-legacy-6": "freebsd-legacy"}


@dataclass(frozen=True, slots=True)
class Product:
    """What the vendor says that was tested."""

    name: str
    vendor: str
    version: str


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that the rules look at; ``captures`` are the evidence files by their path in the run's folder.

    ``interop`` has ``partners`` (name, origin, rung), ``scenarios`` (all that there are) and ``cells`` (those of a matrix); None: there was none.
    ``issued`` is an RFC 3339 instant in UTC.
    """

    product: Product
    document: Document
    environment: Document | None
    captures: Mapping[str, bytes]
    catalogue: Catalogue
    pics: Document
    interop: Document | None
    issued: str
    origin: str = ""
    verdicts: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "verdicts", {row["id"]: row["verdict"] for row in self.document["requirements"]}
        )

    def of_level(self, level: Level) -> list[tuple[Requirement, str]]:
        """The requirements of a level, each with its verdict in this run."""
        return [(one, self.verdicts.get(one.id, NOT_COVERED)) for one in self.catalogue if one.level is level]

    def holds(self, requirement: Requirement) -> bool:
        """Whether the catalogue knows that the implementations of this dialect satisfy ``requirement``."""
        key = self.document["target"]["dialect"]
        return _IN_CATALOGUE.get(key, key) in requirement.holds_for

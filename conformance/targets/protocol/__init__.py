"""What a driver promises. A third party implements these protocols in a distribution of its own, and imports them from here."""

from conformance.targets.protocol.bench import (
    Bench,
    Deafening,
    Neighbour,
    Neighbourly,
    Reporting,
    Side,
    TwoSided,
    VrrpRouter,
)
from conformance.targets.protocol.host import (
    Counting,
    Declaring,
    Demotable,
    Detachable,
    Listing,
    SutHost,
    Switchable,
    Tunable,
    Unnumbered,
    Unsending,
)
from conformance.targets.protocol.iut import Changeable, Closable, Groupable, Iut, Orderable
from conformance.targets.protocol.profile import CAPABILITIES, PUBLIC_PASSWORD, Deviation, Profile
from conformance.targets.protocol.settings import ConfigurationRefused, Settings
from conformance.targets.protocol.target import (
    Configurable,
    Examined,
    Machined,
    MachinesError,
    Rehearsable,
    Target,
)

__all__ = [
    "CAPABILITIES",
    "PUBLIC_PASSWORD",
    "Bench",
    "Changeable",
    "Closable",
    "Configurable",
    "ConfigurationRefused",
    "Counting",
    "Deafening",
    "Declaring",
    "Demotable",
    "Detachable",
    "Deviation",
    "Examined",
    "Groupable",
    "Iut",
    "Listing",
    "Machined",
    "MachinesError",
    "Neighbour",
    "Neighbourly",
    "Orderable",
    "Profile",
    "Rehearsable",
    "Reporting",
    "Settings",
    "Side",
    "SutHost",
    "Switchable",
    "Target",
    "Tunable",
    "TwoSided",
    "Unnumbered",
    "Unsending",
    "VrrpRouter",
]

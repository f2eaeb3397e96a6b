"""With which settings an IUT is started: what the case asks for, and the rest from what there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.targets.protocol import Bench, Declaring, Profile, Settings, Side, SutHost


def settings_for(
    profile: Profile, side: Bench | Side, host: SutHost, wanted: Mapping[str, Any], *, advskew: int = 0
) -> Settings:
    """The settings of an IUT on ``host``: the fields ``wanted``, the others as they are declared where somebody else configures it, and
    otherwise vhid 1 with the password of the profile, one IPv4 address of ``side`` and ``advskew``.
    """
    chosen: dict[str, Any] = {
        "vhid": 1,
        "password": profile.password,
        "addresses": side.shared_addresses[:1],
        "advskew": advskew,
    }
    declared = host.declared(wanted.get("vhid")) if isinstance(host, Declaring) else {}
    return Settings(**(chosen | dict(declared) | dict(wanted)))

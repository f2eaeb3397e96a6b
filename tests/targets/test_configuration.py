"""Configuration files: what is rendered is what the fixtures hold, and both read back to the same machine."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface
from pathlib import Path

import pytest

from conformance.model.rows import KEYS, OPENBSD, UCARP
from conformance.targets.configuration import Machine, NotReadable, NotRenderable, parse, render
from conformance.targets.configuration.scenarios import SCENARIOS
from conformance.targets.protocol import Settings

FIXTURES = Path(__file__).parents[2] / "fixtures" / "configurations"
WRITTEN = [
    (scenario, host, key)
    for scenario, machines in SCENARIOS.items()
    for host in machines
    for key in KEYS
    if not (key == UCARP and scenario == "both-families")
]


def recorded(scenario: str, key: str, host: str) -> dict[str, str]:
    """The files of the fixture."""
    folder = FIXTURES / scenario / key / host
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def machine(password: str = "x", *addresses: str) -> Machine:
    shared = tuple(ip_address(one) for one in addresses or ("192.0.2.100",))
    settings = Settings(vhid=1, password=password, addresses=shared)
    return Machine({"em0": (ip_interface("192.0.2.1/24"),)}, (("em0", settings),))


@pytest.mark.parametrize(("scenario", "host", "key"), WRITTEN)
class TestScenario:
    """Each scenario, host and dialect."""

    def test_rendered_files_are_those_of_the_fixture(self, scenario: str, host: str, key: str) -> None:
        assert dict(render(SCENARIOS[scenario][host], key)) == recorded(scenario, key, host)

    def test_fixture_reads_back_to_the_description(self, scenario: str, host: str, key: str) -> None:
        assert parse(recorded(scenario, key, host), key) == SCENARIOS[scenario][host]


def test_no_fixture_is_left_over() -> None:
    folders = {path.relative_to(FIXTURES).parts for path in FIXTURES.glob("*/*/*")}
    assert folders == {(scenario, key, host) for scenario, host, key in WRITTEN}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("password", ["two words", 'a"b', "$HOME", "`id`", "back\\slash", "it's", "#x"])
def test_password_that_a_shell_would_touch_is_refused(key: str, password: str) -> None:
    with pytest.raises(NotRenderable, match="password has a character"):
        render(machine(password), key)


@pytest.mark.parametrize("key", KEYS)
def test_address_without_a_subnet_is_refused(key: str) -> None:
    with pytest.raises(NotRenderable, match=r"203\.0\.113\.1 is in no subnet"):
        render(machine("x", "203.0.113.1"), key)


def test_second_address_for_ucarp_is_refused() -> None:
    with pytest.raises(NotRenderable, match="serves one address"):
        render(machine("x", "192.0.2.100", "192.0.2.101"), UCARP)


@pytest.mark.parametrize("key", KEYS)
def test_no_password_reads_back(key: str) -> None:
    assert parse(render(machine(""), key), key) == machine("")


@pytest.mark.parametrize(
    ("key", "files"),
    [
        ("freebsd-13", {"etc/rc.conf": "ifconfig_em0 = up\n"}),
        (OPENBSD, {"etc/hostname.em0": "dhcp\n"}),
        (UCARP, {"etc/ucarp/start.sh": "#!/bin/sh\nrm -rf /\n"}),
    ],
)
def test_strange_line_is_told(key: str, files: dict[str, str]) -> None:
    with pytest.raises(NotReadable, match="cannot read"):
        parse(files, key)

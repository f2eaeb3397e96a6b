"""A PIXIT of a box, as small as it can be, and with whatever a test needs besides."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from conformance.targets.pixit import Action, Declared, Pixit, PixitHost

DOING = Action(command=("true",), limit_ns=10**9)


def address(text):
    return ip_address(text)


@pytest.fixture
def box():
    """A function that makes a PIXIT: one box, vhid 1, advbase 1, advskew 100, at 10.1.2.1."""

    def make(*actions, skew=100, hosts=1, rows=None, **changes):
        machines = tuple(
            PixitHost(
                name="ab"[number],
                addresses=(address(f"10.1.2.{number + 1}"),),
                mac=bytes([2, 0, 0, 0, 2, number + 1]),
            )
            for number in range(hosts)
        )
        declared = tuple(
            Declared(host=one.name, vhid=1, addresses=(address("10.1.2.100"),), advskew=skew + 50 * number)
            for number, one in enumerate(machines)
        )
        made = Pixit(
            system="blackbox",
            dialect="openbsd",
            hosts=machines,
            tester_interface="eth0",
            tester_addresses=(address("10.1.2.254"),),
            shared_addresses=tuple(address(f"10.1.2.{last}") for last in range(100, 105)),
            password="conformance",
            declared=declared if rows is None else rows,
            actions=dict.fromkeys(actions, DOING),
        )
        return replace(made, **changes)

    return make

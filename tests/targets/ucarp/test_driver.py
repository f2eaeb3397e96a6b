"""The command line that the ucarp driver makes of settings."""

from ipaddress import ip_address

import pytest

from conformance.targets.protocol import Settings
from conformance.targets.ucarp.driver import UnknownOption, arguments

SHARED = (ip_address("192.0.2.100"),)


def command(**options):
    return arguments(
        Settings(vhid=3, password="key", addresses=SHARED, advskew=7, options=options),
        "eth0",
        "192.0.2.1",
        "/run/key",
    )


def test_every_setting_becomes_a_long_option():
    given = command()
    assert {
        "--interface=eth0",
        "--srcip=192.0.2.1",
        "--vhid=3",
        "--passfile=/run/key",
        "--addr=192.0.2.100",
        "--advbase=1",
        "--advskew=7",
    } < set(given)
    assert "--pass=key" not in given


def test_omitted_options_are_left_out_and_no_others():
    assert set(command()) - set(command(omit=("advbase", "advskew"))) == {"--advbase=1", "--advskew=7"}


def test_extra_arguments_come_last_where_they_win():
    assert command(extra=("--advskew=256",), omit=("advskew",))[-1] == "--advskew=256"


def test_option_that_the_driver_does_not_have_is_refused():
    with pytest.raises(UnknownOption, match="has no option 'colour'"):
        command(colour="red")

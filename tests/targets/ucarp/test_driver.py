"""The command line that the ucarp driver makes of settings."""

import os
from ipaddress import ip_address

import pytest

from conformance.segment.trace import HostKind
from conformance.targets.protocol import Settings
from conformance.targets.ucarp.driver import _OPTIONS, UnknownOption, arguments, interpret

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


class TestCommandLine:
    @pytest.mark.parametrize(
        ("option", "flag"),
        [
            ("neutral", "--neutral"),
            ("shutdown", "--shutdown"),
            ("ignore_ifstate", "--ignoreifstate"),
            ("nomcast", "--nomcast"),
            ("debug", "--debug"),
        ],
    )
    def test_switches(self, option, flag):
        assert set(command(**{option: True})) - set(command()) == {flag}
        assert command(**{option: False}) == command()

    @pytest.mark.parametrize(
        ("option", "flag"),
        [
            ("dead_ratio", "--deadratio"),
            ("mcast", "--mcast"),
            ("xparam", "--xparam"),
            ("upscript", "--upscript"),
            ("downscript", "--downscript"),
        ],
    )
    def test_values(self, option, flag):
        given = command(**{option: "5"})
        assert f"{flag}=5" in given
        assert sum(one.startswith(f"{flag}=") for one in given) == 1

    def test_source_password_and_script_time(self):
        assert "--srcip=192.0.2.77" in command(source="192.0.2.77")
        assert {"--pass=key"} == set(command(password_argument=True)) - set(command())
        assert command(script_takes=3) == command()

    def test_several_addresses_and_preempt(self):
        settings = Settings(
            vhid=3, password="key", addresses=(*SHARED, ip_address("192.0.2.101")), advbase=2, preempt=True
        )
        given = arguments(settings, "eth0", "192.0.2.1", "/run/key")
        assert [one for one in given if one.startswith("--addr")] == [
            "--addr=192.0.2.100",
            "--addr=192.0.2.101",
        ]
        assert {"--preempt", "--advbase=2", "--advskew=0"} < set(given)

    def test_the_scripts_are_ours_and_can_be_run(self):
        for name in ("upscript", "downscript"):
            path = next(one.partition("=")[2] for one in command() if one.startswith(f"--{name}="))
            assert os.access(path, os.X_OK)

    def test_every_option_is_used(self):
        """An option that is accepted and then ignored would make a case test nothing."""
        values = {"omit": ("vhid",), "extra": ("--more",), "source": "192.0.2.9", "password_argument": True}
        for option in _OPTIONS - {"script_takes"}:
            assert command(**{option: values.get(option, "1")}) != command(), option


@pytest.mark.parametrize(
    ("line", "kind", "text"),
    [
        ("2026-11-22T16:26:20.791103: [WARNING] Switching to state: BACKUP", HostKind.STATE, "BACKUP"),
        (
            "2026-11-22T16:26:20.791103: [WARNING] Switching to state: MASTER now",
            HostKind.LOG,
            "[WARNING] Switching to state: MASTER now",
        ),
        (
            "2026-11-22T16:26:20.791103: [INFO] Local advertised ethernet address is [02:00]",
            HostKind.LOG,
            "[INFO] Local advertised ethernet address is [02:00]",
        ),
        ("script up eth0 192.0.2.100", HostKind.SCRIPT, "up eth0 192.0.2.100"),
        ("You must supply a password", HostKind.LOG, "You must supply a password"),
        ("", HostKind.LOG, ""),
        ("[INFO] no time", HostKind.LOG, "[INFO] no time"),
    ],
)
def test_log_grammar(line, kind, text):
    assert interpret(line) == (kind, text)

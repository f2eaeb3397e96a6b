"""What a PIXIT must say of a black box, what follows for its PICS, and what was heard against what is declared."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from conformance.targets.admission import NotAdmitted
from conformance.targets.blackbox import target as module
from conformance.targets.blackbox.profile import capabilities, check, rules_of
from conformance.targets.blackbox.target import BlackBoxes
from conformance.targets.listening import speaker
from conformance.targets.pixit import Action, Declared, PixitError
from conformance.targets.protocol import CAPABILITIES
from conformance.wire.advertisement import Advertisement
from conformance.wire.digest import Secret
from conformance.wire.frame import decode


def declared(*addresses, host="a", vhid=1, **changes):
    """A virtual host of box a, with 10.1.2.100 unless other addresses are given."""
    shared = tuple(ip_address(one) for one in addresses or ("10.1.2.100",))
    return Declared(host=host, vhid=vhid, addresses=shared, **{"advskew": 100} | changes)


class TestWithoutPixit:
    def test_it_says_what_to_give(self):
        ((what, remedy),) = BlackBoxes().lacks()
        assert "nothing says which" in what
        assert "--pixit FILE --interface IF --this-segment-is-mine" in remedy
        assert BlackBoxes().version() == "unknown"
        with pytest.raises(LookupError):
            BlackBoxes().bench(1)


class TestCheck:
    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            (
                {"rows": ()},
                r"host\[0\]: nothing says how it is configured; add \[\[declared\]\] with host = \"a\"",
            ),
            ({"actions": ("stop",)}, r"actions.stop: nothing undoes it; add \[actions.start\]"),
            ({"actions": ("kill",)}, r"actions.kill: nothing undoes it; add \[actions.start\]"),
            ({"actions": ("link_down",)}, r"actions.link_down: nothing undoes it; add \[actions.link_up\]"),
            ({"hosts": 2}, "several machines, and nothing silences one of them"),
            ({"vlans": range(1, 2)}, "vlans: a black box is on one wire"),
            ({"rows": (declared(advbase=0),)}, "nobody can be better than advbase 0"),
            ({"rows": (declared("2001:db8::100"),)}, "over IPv6, and has no link-local address"),
            ({"dialect": "cisco"}, "dialect: there is no dialect 'cisco'"),
        ],
        ids=str,
    )
    def test_what_cannot_be_tested_is_said(self, box, changes, says):
        actions = changes.pop("actions", ())
        with pytest.raises(PixitError, match=says):
            BlackBoxes().configured(box(*actions, **changes))

    def test_a_host_needs_an_ipv4_address_first(self, box):
        made = box()
        (host,) = made.hosts
        with pytest.raises(PixitError, match="its first address is no IPv4 address"):
            check(replace(made, hosts=(replace(host, addresses=()),)))

    def test_several_machines_that_can_be_silenced(self, box):
        check(box("link_down", "link_up", hosts=2))


class TestCapabilities:
    def pics(self, made):
        return {name for name, has in capabilities(made, rules_of(made)).items() if has}

    def test_nothing_that_needs_the_host(self, box):
        found = self.pics(box("link_down", "link_up", "stop", "start", "kill", "configure", "reboot"))
        assert found <= set(CAPABILITIES)
        assert not found & {
            "counters",
            "log",
            "sysctl",
            "state_read",
            "service",
            "partition",
            "reconfigure",
            "scripts",
        }

    def test_follow_from_the_declaration_and_from_the_actions(self, box):
        assert self.pics(box()) == set()
        assert self.pics(box("link_down", "link_up")) == {"link"}
        assert self.pics(box("kill", "start")) == {"kill"}
        assert self.pics(box("stop", "start")) == {"bow_out"}
        assert self.pics(box(password="")) == {"no_password"}
        assert self.pics(box(rows=(declared(preempt=True),))) == {"preempt"}
        assert self.pics(box(rows=(declared("10.1.2.100", "10.1.2.101"),))) == {"multiple_addresses"}
        assert self.pics(box(rows=(declared("fe80::9"),))) == {"ipv6"}
        assert self.pics(box(rows=(declared(), declared(vhid=2)))) == {"multiple_vhids"}
        assert self.pics(box("configure")) == {"ipv6", "multiple_addresses", "preempt"}

    def test_granularity_widens_the_windows(self, box):
        sharp, coarse = rules_of(box()), rules_of(box(granularity_ms=10.0))
        assert coarse.timer_slack.early_ns == sharp.timer_slack.early_ns + 10_000_000
        assert coarse.timer_slack.late_ns == sharp.timer_slack.late_ns + 10_000_000

    def test_profile(self, box):
        profile = BlackBoxes().configured(box(product="Gateway 7")).profile
        assert (profile.rung, profile.max_hosts, profile.max_lanes) == ("lab", 1, 1)
        assert "Gateway 7" in profile.origin
        assert profile.deviations
        assert not any(one.strict for one in profile.deviations)
        assert BlackBoxes().configured(box(product="Gateway 7")).version() == "Gateway 7"


class TestPrompts:
    def test_need_a_terminal(self, box, monkeypatch):
        asking = Action(prompt="pull it", limit_ns=1)
        target = BlackBoxes().configured(box(actions={"link_down": asking, "link_up": asking}))
        monkeypatch.setattr(module, "has_terminal", lambda: False)
        ((what, remedy),) = target.lacks()
        assert "a person has to do link_down, link_up" in what
        assert "terminal" in remedy
        monkeypatch.setattr(module, "has_terminal", lambda: True)
        assert target.lacks() == ()


class TestExamination:
    def heard(self, source="10.1.2.1", password="conformance", addresses=("10.1.2.100",), **changes):
        secret = Secret(password, tuple(ip_address(one) for one in addresses))
        fields = {"vhid": 1, "source": ip_address(source), "secret": secret, "advskew": 100} | changes
        frame = decode(Advertisement(**fields).frame())
        return {"eth0": {speaker(frame): frame}}

    def test_as_declared(self, box):
        BlackBoxes().configured(box()).examine(self.heard())

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"advskew": 50}, "advertises vhid 1 with advskew 50, and the PIXIT declares 100"),
            ({"advbase": 2}, "with advbase 2, and the PIXIT declares 1"),
            ({"password": "other"}, "is not that of the PIXIT's password and of 10.1.2.100"),
            ({"addresses": ("10.1.2.101",)}, "mend the password or the addresses, or name another dialect"),
            ({"vhid": 2}, "nobody advertises vhid 1 on eth0"),
            ({"source": "10.1.2.9"}, "nobody advertises vhid 1 on eth0"),
        ],
        ids=str,
    )
    def test_otherwise(self, box, changes, says):
        with pytest.raises(NotAdmitted, match=says) as raised:
            BlackBoxes().configured(box()).examine(self.heard(**changes))
        assert "conformance" not in str(raised.value)

    def test_silence(self, box):
        with pytest.raises(NotAdmitted, match="look whether the box runs"):
            BlackBoxes().configured(box()).examine({"eth0": {}})

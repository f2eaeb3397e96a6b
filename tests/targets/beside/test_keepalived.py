"""keepalived beside the IUTs: its configuration, what it says, and that nothing is left of it."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from conformance.model.dialects import dialect
from conformance.segment.trace import HostEvent, HostKind, Trace
from conformance.targets.beside import keepalived
from conformance.targets.beside.keepalived import beside, configuration, program
from conformance.targets.model.netns import ModelNetnsTarget
from conformance.targets.protocol import CAPABILITIES, VrrpRouter

SHARED = (ip_address("192.0.2.100"),)
LIVE = ModelNetnsTarget("model:freebsd-15", dialect("freebsd-15"))


class TestConfiguration:
    def test_version_priority_and_interval(self):
        text = configuration(VrrpRouter(vrid=7, priority=42, interval_cs=50, addresses=SHARED))
        for line in ("vrrp_version 3", "virtual_router_id 7", "priority 42", "advert_int 0.5"):
            assert f"    {line}\n" in text
        assert "        192.0.2.100/32\n" in text
        assert "nopreempt" not in text

    def test_each_address_has_a_line(self):
        both = (ip_address("fe80::100"), ip_address("2001:db8::100"))
        text = configuration(VrrpRouter(addresses=both, preempt=False))
        assert "        fe80::100/128\n        2001:db8::100/128\n" in text
        assert "    nopreempt\n" in text


class TestCapability:
    def test_it_is_there_where_keepalived_is(self, monkeypatch):
        monkeypatch.setattr(keepalived.shutil, "which", lambda *_, **__: "keepalived")
        assert beside({"ipv6": True}) == {"ipv6": True, "vrrp_neighbour": True}

    def test_it_is_not_there_without(self, monkeypatch):
        monkeypatch.setattr(keepalived.shutil, "which", lambda *_, **__: None)
        assert beside({}) == {"vrrp_neighbour": False}

    def test_its_text_says_how_to_get_it(self):
        assert "apt-get install keepalived" in CAPABILITIES["vrrp_neighbour"]


@pytest.mark.skipif(program() is None or bool(LIVE.lacks()), reason="needs keepalived and namespaces")
def test_it_speaks_resigns_and_leaves_nothing():
    with LIVE.bench(1) as bench:
        trace = Trace()
        bench.port(trace)
        router = bench.vrrp_neighbour(VrrpRouter(priority=250, interval_cs=10, addresses=SHARED))
        pid = router._process.pid

        def heard(priority):
            return any(
                one.frame.payload[2:3] == bytes([priority])
                for one in trace.frames
                if one.frame.ip is not None and one.frame.ip.protocol == 112
            )

        def entered():
            return [e.text for e in trace.events if isinstance(e, HostEvent) and e.kind is HostKind.STATE]

        limit_ns = bench.loop.now_ns() + 8_000_000_000
        bench.loop.run_until(lambda: heard(250) and entered()[-1:] == ["MASTER"], limit_ns)
        assert heard(250)
        assert entered()[-1:] == ["MASTER"]
        router.stop()
        bench.loop.run_until(lambda: heard(0), bench.loop.now_ns() + 8_000_000_000)
        assert heard(0)
        bench.reset()
        assert not Path(f"/proc/{pid}").exists()
        assert [station for station in bench.switch._ports if station == keepalived.NAME] == []

"""The switch of the namespaces is a wire: it passes damaged frames on as they are, whatever the machine's bridges are told to filter."""

from ipaddress import ip_address

import pytest

from conformance.lab.netns import may_create, switch
from conformance.segment.live import LivePort
from conformance.segment.loop import Loop, RealClock
from conformance.wire.advertisement import Advertisement
from conformance.wire.digest import Secret
from conformance.wire.malformations import named
from conformance.wire.oddities import oddity

ADVERTISEMENT = Advertisement(
    vhid=1, source=ip_address("192.0.2.254"), secret=Secret("secret", (ip_address("192.0.2.100"),)), counter=1
)
ONE_SECOND_NS = 1_000_000_000

pytestmark = pytest.mark.skipif(not may_create(), reason="this process cannot make network namespaces")


@pytest.fixture(scope="module")
def segment():
    """Sends a frame from one station and returns what another one receives."""
    with switch() as (plugged, stack):
        sender, receiver = (
            plugged.plug(name, f"192.0.2.{n}/24", bytes([2, 0, 0, 0, 2, n]), stack)
            for n, name in enumerate("ab", 1)
        )
        loop, got = Loop(RealClock()), []
        with sender.namespace.entered():
            out = LivePort("eth0", lambda *_: None)
        with receiver.namespace.entered():
            port = LivePort("eth0", lambda _time, data, _sent: got.append(data))
        loop.clock.watch(port, port.read)

        def passes(frame):
            out.send(frame)
            return loop.run_until(lambda: frame in got, loop.now_ns() + ONE_SECOND_NS)

        yield passes
        out.close()
        port.close()


@pytest.mark.parametrize(
    "name", ["ip-checksum", "checksums-compensating", "ihl-0", "ihl-15", "length-35-padded", "ttl-0"]
)
def test_a_malformation_arrives_as_it_was_sent(segment, name):
    assert segment(named(name).frame(ADVERTISEMENT))


@pytest.mark.parametrize("name", ["padding-ff", "options-40"])
def test_an_oddity_arrives_as_it_was_sent(segment, name):
    assert segment(oddity(name).frame(ADVERTISEMENT))

"""VLANs where the kernel has none: frames leave with the tag of their lane, and come in on that lane only, without it."""

import socket

import pytest
from pyroute2 import IPRoute

from conformance.lab import tagging
from conformance.lab.netns import Namespace, may_create

ETH_P_ALL, SOL_PACKET, AUXDATA = 3, 263, 8
FRAME = bytes.fromhex("01005e0000120200000000010800") + b"carp-conformance" * 3
pytestmark = pytest.mark.skipif(not may_create(), reason="needs network namespaces")


@pytest.fixture
def trunk():
    """A cable: VLANs 101 and 102 of one end as interfaces, and the other end as it is."""
    namespace = Namespace.create()
    try:
        with namespace.entered(), IPRoute() as ip:
            ip.link("add", ifname="near", kind="veth", peer={"ifname": "far"})
            near = ip.link_lookup(ifname="near")[0]
            for name in ("near", "far"):
                ip.link("set", index=ip.link_lookup(ifname=name)[0], state="up")
            try:
                for vlan in (101, 102):
                    tagging.add_vlan(ip, near, f"near.{vlan}", vlan)
                    ip.link("set", index=ip.link_lookup(ifname=f"near.{vlan}")[0], state="up")
            except OSError as error:
                pytest.skip(f"this kernel takes no such programs: {error}")
            ends = {name: listening(name) for name in ("near.101", "near.102", "far")}
            yield ends
            for one in ends.values():
                one.close()
    finally:
        namespace.close()


def listening(name):
    one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    one.bind((name, 0))
    one.settimeout(1)
    one.setsockopt(SOL_PACKET, AUXDATA, 1)
    return one


def heard(one):
    """The next frame of ours that came in, and the VLAN of its tag, or None."""
    while True:
        try:
            data, extra, _, sender = one.recvmsg(2000, 200)
        except TimeoutError:
            return None
        if b"carp-conformance" in data and sender[2] != socket.PACKET_OUTGOING:
            return data, int.from_bytes(extra[0][2][16:18], "little")


class TestTagging:
    def test_a_frame_leaves_with_the_tag_of_its_lane(self, trunk):
        trunk["near.101"].send(FRAME)
        assert heard(trunk["far"]) == (FRAME, 101)

    def test_a_tagged_frame_comes_in_on_its_lane_without_the_tag(self, trunk):
        trunk["far"].send(FRAME[:12] + bytes.fromhex("81000066") + FRAME[12:])
        assert heard(trunk["near.102"]) == (FRAME, 0)
        assert heard(trunk["near.101"]) is None

    def test_a_frame_without_a_tag_comes_in_on_none(self, trunk):
        trunk["far"].send(FRAME)
        assert heard(trunk["near.101"]) is None
        assert heard(trunk["near.102"]) is None

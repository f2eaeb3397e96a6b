"""The faults that are seeded into simulated clusters: each function makes one, from a seed, and returns the cluster with its capture."""

from ipaddress import ip_address

from conformance.model.dialects import dialect
from conformance.model.mutants import MUTANTS
from conformance.wire.frame import (
    ETHERTYPE_ARP,
    ETHERTYPE_IPV4,
    ArpOperation,
    arp,
    ethernet,
    ipv4,
    virtual_mac,
)
from conformance.wire.header import checksum
from tests.judge.making import MAC_C
from tests.judge.simulating import (
    OTHER,
    PASSWORD,
    VIP,
    VIP2,
    VIP3,
    VIP6,
    Cluster,
    changing,
    is_advertisement,
    without,
)

TTL, TOS, VERSION, CARP_SUM, SOURCE_MAC = 22, 15, 34, 40, 6
CLIENT = "192.0.2.77"


def pair(seed, dialect="freebsd-13", other=None, **settings):
    """Host a (advskew 0) is MASTER, b (advskew 100) was started five seconds later."""
    made = Cluster(dialect, other or dialect, seed=seed)
    made.start("a", **settings)
    made.run(5)
    return made


def joined(made, *addresses, **settings):
    made.start("b", *addresses, **{"advskew": 100, **settings})
    made.run(12)
    return made


def wrong_password(seed):
    return joined(pair(seed), password=OTHER)


def password_mended(seed):
    """The password of b is wrong for ten seconds; then somebody notices."""
    made = pair(seed, "freebsd-legacy")  # one that clears the key
    iut = made.start("b", advskew=100, password=OTHER)
    made.run(10)
    iut.reconfigure(password=PASSWORD)
    made.run(12)
    return made


def unknown_password(seed):
    return joined(pair(seed), password="nobody told this one")


def no_password_on_one(seed):
    return joined(pair(seed), password="")


def other_addresses(seed):
    return joined(pair(seed), VIP2, VIP3)


def one_address_too_many(seed):
    return joined(pair(seed), VIP, VIP2)


def link_local_context(seed):
    made = Cluster("freebsd-15", "freebsd-15", seed=seed)
    made.start("a", VIP6)
    made.run(5)
    return joined(made, VIP6, "fe80::1")


def one_family_filtered(seed):
    """A dual-stack BACKUP of OpenBSD hears only the IPv4 advertisements of its peer."""
    made = Cluster("openbsd", "openbsd", seed=seed)
    made.on_the_way("a", without(lambda frame: frame[12:14] == b"\x86\xdd"))
    made.start("a", VIP, VIP6)
    made.run(5)
    made.start("b", VIP, VIP6, advskew=100)
    made.run(26)
    return made


def version_four(seed):
    made = pair(seed)
    made.on_the_way("a", changing(VERSION, 0x41))
    return joined(made)


def ttl_changed(seed):
    made = pair(seed)
    made.on_the_way("a", changing(TTL, 254))
    return joined(made)


def checksum_spoilt(seed):
    made = pair(seed)

    def spoil(frame):
        return (
            (frame[:CARP_SUM] + bytes([frame[CARP_SUM] ^ 0x10]) + frame[CARP_SUM + 1 :],)
            if is_advertisement(frame)
            else (frame,)
        )

    made.on_the_way("a", spoil)
    return joined(made)


def dscp_changed(seed):
    made = joined(pair(seed))
    made.on_the_way("a", changing(TOS, 0))
    made.run(6)
    return made


def one_way_loss(seed):
    """Host b hears nothing of a; a hears b, and takes its counter over."""
    made = pair(seed)
    made.deaf("b", to="a")
    return joined(made)


def one_way_loss_later(seed):
    """From some time on b hears nothing of a any more, and counts on from the number that it heard last, as a does."""
    made = joined(pair(seed))
    made.deaf("b", to="a")
    made.run(14)
    return made


def both_ways_loss_later(seed):
    made = joined(pair(seed))
    made.deaf("b", to="a")
    made.deaf("a", to="b")
    made.run(14)
    return made


def both_ways_loss(seed):
    made = pair(seed)
    made.deaf("b", to="a")
    made.deaf("a", to="b")
    return joined(made)


def deaf_backup(seed):
    """The counters of OpenBSD stand still, so they do not tell who hears whom."""
    made = pair(seed, "openbsd")
    made.deaf("b", to="a")
    return joined(made)


def duplicated(seed):
    made = joined(pair(seed))
    made.on_the_way("a", lambda frame: (frame, frame) if is_advertisement(frame) else (frame,))
    made.run(5)
    return made


def replayed(seed):
    """Somebody sends what a said again, from an address of its own and with a worse rank."""
    made = joined(pair(seed))
    said = next(one.frame.data for one in reversed(made.trace.frames) if is_advertisement(one.frame.data))
    body = bytearray(said[34:70])
    body[2], body[6:8] = 200, b"\0\0"
    body[6:8] = checksum(bytes(body)).to_bytes(2, "big")
    packet = ipv4(ip_address("192.0.2.66"), ip_address("224.0.0.18"), bytes(body))
    made.run(0.3)
    made.port.send(ethernet(said[:6], said[6:12], ETHERTYPE_IPV4, packet))
    made.run(4)
    return made


def physical_mac(seed):
    made = pair(seed)
    made.on_the_way(
        "a", lambda frame: (frame[:6] + MAC_C + frame[12:],) if is_advertisement(frame) else (frame,)
    )
    return joined(made)


def equal_timers(seed):
    """Found before it hurts: each was MASTER once."""
    made = joined(pair(seed), advskew=0)
    made.hosts["a"].cable(plugged=False)
    made.run(9)
    return made


def flapping(seed):
    """The link of the preferred host comes and goes."""
    made = pair(seed, preempt=True)
    made.start("b", advskew=100, preempt=True)
    for _ in range(4):
        made.run(7)
        made.hosts["a"].cable(plugged=False)
        made.run(7)
        made.hosts["a"].cable(plugged=True)
    return made


def address_conflict(seed):
    made = joined(pair(seed))
    vip, asker = ip_address(VIP), made.hosts["b"]
    claim = arp(ArpOperation.REPLY, MAC_C, vip, asker.mac, asker.addresses[0], destination_mac=asker.mac)
    for _ in range(3):
        made.port.send(claim)
        made.run(1)
    return made


def silent_take_over(seed):
    """The gratuitous ARP of b is lost."""
    made = joined(pair(seed))
    made.on_the_way("b", without(lambda frame: frame[12:14] == ETHERTYPE_ARP.to_bytes(2, "big")))
    made.hosts["a"].cable(plugged=False)
    made.run(10)
    return made


def lost_advertisements(seed):
    made = joined(pair(seed))
    passed = iter([True, False, True, True, False, *[True] * 50])
    made.on_the_way("a", without(lambda frame: is_advertisement(frame) and not next(passed)))
    made.run(9)
    return made


def no_password(seed):
    made = Cluster("freebsd-13", "freebsd-13", seed=seed)
    made.start("a", password="")
    made.run(5)
    return joined(made, password="")


def interval_not_kept(seed):
    """A host announces 1 s and sends every 1.3 s, as one whose timer is broken."""
    made = pair(seed, advskew=77)
    made.on_the_way("a", changing(36, 0))
    made.run(12)
    return made


def unicast_on_one_side(seed):
    made = Cluster("freebsd-15", "freebsd-15", seed=seed)
    made.bench.switch.learns = False  # the capture is taken at a mirror port
    made.start("a", options={"peer": "192.0.2.2"})
    made.run(9)
    return made


def bow_out_unheard(seed):
    """Host b misses the good-bye and waits its whole down time."""
    made = Cluster("openbsd", "openbsd", seed=seed)
    a = made.start("a")
    made.run(5)
    joined(made)
    made.deaf("b", to="a")
    a.interface(up=False)
    made.run(9)
    return made


def virtual_mac_from_backup(seed):
    """A DHCP keeper of the BACKUP sends from the virtual MAC."""
    made = joined(pair(seed))
    made.hosts["a"].cable(plugged=False)
    made.run(9)
    packet = ipv4(ip_address("192.0.2.1"), ip_address("198.51.100.1"), b"keeper", protocol=17)
    for _ in range(3):
        made.port.send(ethernet(b"\xff" * 6, virtual_mac(1), ETHERTYPE_IPV4, packet))
        made.run(1)
    return made


def vrrp_of_the_same_number(seed):
    made = joined(pair(seed))
    body = bytes.fromhex("2101640100010000") + ip_address("192.0.2.200").packed + bytes(8)
    body = body[:6] + checksum(body).to_bytes(2, "big") + body[8:]
    packet = ipv4(ip_address("192.0.2.9"), ip_address("224.0.0.18"), body)
    for _ in range(4):
        made.port.send(ethernet(bytes.fromhex("01005e000012"), virtual_mac(1), ETHERTYPE_IPV4, packet))
        made.run(1)
    return made


def stale_client(seed):
    """Hosts with ucarp answer with their own MAC addresses: a client that missed the announcement goes on with the old one."""
    made = joined(pair(seed, "ucarp"))
    made.hosts["a"].cable(plugged=False)
    made.run(10)
    packet = ipv4(ip_address(CLIENT), ip_address(VIP), b"ping", protocol=1)
    made.port.send(ethernet(made.hosts["a"].mac, MAC_C, ETHERTYPE_IPV4, packet))
    made.run(1)
    return made


def reset_by_an_alias(seed):
    """An address is added to the MASTER of a pair that is alone for the moment: three seconds without a master."""
    made = Cluster("freebsd-13", seed=seed)
    iut = made.start("a")
    made.run(8)
    iut.add_address(ip_address(VIP2))
    made.run(8)
    return made


def taken_over_twice(made, *addresses):
    """Host b takes over when the link of a is lost, and a takes that back."""
    made.start("a", *addresses, preempt=True)
    made.run(5)
    made.start("b", *addresses, advskew=100, preempt=True)
    made.run(8)
    made.hosts["a"].cable(plugged=False)
    made.run(10)
    made.hosts["a"].cable(plugged=True)
    made.run(12)
    return made


def mutant(name, seed, *addresses, of=None):
    """Host b has the fault of that name, host a is as it should be."""
    faulty = next(one for one in MUTANTS if one.id == name)
    right = dialect(of or faulty.dialect)
    return taken_over_twice(Cluster(right, faulty.fault(right), seed=seed), *addresses)


def counter_not_followed(seed):
    return mutant("counter-not-followed", seed)


def counter_forgotten(seed):
    return mutant("counter-forgotten-at-take-over", seed)


def counter_by_two(seed):
    return mutant("counter-plus-two", seed)


def one_counter_for_both_families(seed):
    return mutant("one-counter-for-both-families", seed, VIP, VIP6)


def counter_drawn_once(seed):
    """The operator tells what the hosts are: then a constant counter is no dialect."""
    return mutant("counter-drawn-once", seed)


def counter_stands_still(seed):
    return mutant("counter-drawn-once", seed, of="freebsd-13")


def counter_of_ucarp_stands_still(seed):
    """From the beginning alone: nobody takes anything over."""
    faulty = next(one for one in MUTANTS if one.id == "counter-drawn-once")
    made = Cluster(faulty.fault(dialect("ucarp")), seed=seed)
    made.start("a")
    made.run(12)
    return made


def said_again(made):
    """Somebody records the advertisements of a for a while and sends them once more, as they were."""
    said = [one.frame.data for one in made.trace.frames if is_advertisement(one.frame.data)][-6:-2]
    made.run(0.4)
    for frame in said:
        made.port.send(frame)
        made.run(2)
    made.run(7)
    return made


def replayed_as_it_was(seed):
    made = pair(seed)
    made.run(8)
    return said_again(made)


def replayed_to_a_pair(seed):
    made = Cluster("freebsd-13", "freebsd-13", seed=seed)
    made.start("b", advskew=100)
    made.run(8)
    made.start("a", preempt=True)
    made.run(12)
    return said_again(made)

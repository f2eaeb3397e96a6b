"""Mutants of RX: what a receiver must refuse, must not refuse, and in which order it looks."""

from __future__ import annotations

from conformance.model import checks, receive
from conformance.model.actions import State
from conformance.model.checks import Arrival, Check
from conformance.model.common import sound_and_whole
from conformance.model.mutant import Mutant
from conformance.model.mutants.making import (
    CARP_MAC,
    common,
    demanding,
    exchanged,
    first,
    instead,
    meant,
    mutant,
    rules,
    step,
    without,
)
from conformance.model.packet import Packet
from conformance.model.receiving import Copies, hmac_sha1
from conformance.model.transitions import Effect, Input, Reason
from conformance.wire.frame import GROUP_IPV4, GROUP_MAC_IPV4
from conformance.wire.header import LENGTH, PROTOCOL, checksum, interval_ns


def _ttl_from(least: int) -> Check:
    def ttl(arrival: Arrival) -> bool:
        """TTL high enough"""
        return arrival.packet.ttl >= least or arrival.drop("badttl", "log_ttl")

    return ttl


def _ttl_not(refused: int) -> Check:
    def ttl(arrival: Arrival) -> bool:
        """TTL is not this one"""
        return arrival.packet.ttl != refused or arrival.drop("badttl", "log_ttl")

    return ttl


def _versions(*accepted: int) -> Check:
    def version(arrival: Arrival) -> bool:
        """Version is one of these"""
        return arrival.header[0] >> 4 in accepted or arrival.drop("badver", "log_version")

    return version


def _any_vhid(arrival: Arrival) -> bool:
    """Whatever the vhid is, the first virtual host is meant"""
    arrival.vhost = next(iter(arrival.port.vhosts.values()), None)
    return arrival.vhost is not None


def _vhid_0_is_all(arrival: Arrival) -> bool:
    """Vhid 0 means every virtual host"""
    return _any_vhid(arrival) if arrival.vhid == 0 else checks.known_vhid_of_family(arrival)


def _digest_as_claimed(arrival: Arrival) -> bool:
    """Digest over the vhid that the packet names"""
    vhost, header = arrival.vhost, arrival.header
    assert vhost is not None
    message = vhost.prefixes[0][:2] + header[1:2] + vhost.prefixes[0][3:]
    return hmac_sha1(vhost.key, message, header[8:16]) == header[16:36] or arrival.drop(
        "badauth",
        "log_digest",
    )


def _low_byte_of_checksum(arrival: Arrival) -> bool:
    """Lower byte of the checksum"""
    return checksum(arrival.packet.payload[:LENGTH]) & 0xFF == 0 or arrival.drop("badsum", "log_checksum")


def _checksum_or_pseudo(arrival: Arrival) -> bool:
    """Checksum with or without a pseudo header"""
    payload, packet = arrival.packet.payload[:LENGTH], arrival.packet
    lengths = (
        bytes([0, PROTOCOL, 0, LENGTH])
        if packet.version == 4
        else bytes([0, 0, 0, LENGTH, 0, 0, 0, PROTOCOL])
    )
    sums = checksum(payload), checksum(packet.source + packet.destination + lengths + payload)
    return 0 in sums or arrival.drop("badsum", "log_checksum")


def _ones_pass(arrival: Arrival) -> bool:
    """Checksum, or 0xffff for none"""
    return arrival.packet.payload[6:8] == b"\xff\xff" or checks.header_checksum(arrival)


def _whole_payload(arrival: Arrival) -> bool:
    """Checksum over the whole payload"""
    return checksum(arrival.packet.payload) == 0 or arrival.drop("badsum", "log_checksum")


def _header_or_whole(arrival: Arrival) -> bool:
    """Checksum over the header or over the whole payload"""
    return checksum(arrival.packet.payload) == 0 or checks.header_checksum(arrival)


def _captured_sum(arrival: Arrival) -> bool:
    """Checksum over what lies in the frame, whatever the IP length says"""
    return checksum(arrival.packet.captured[:LENGTH]) == 0 or arrival.drop("badsum", "log_checksum")


def _length_from(least: int) -> Check:
    def length(arrival: Arrival) -> bool:
        """Long enough"""
        return (len(arrival.packet.payload) >= least and len(arrival.header) >= LENGTH) or arrival.drop(
            "badlen",
            "log_length",
        )

    return length


def _rearms(arrival: Arrival) -> bool:
    """Restarts the timer of the virtual host that the packet names"""
    vhost = meant(arrival)
    if vhost is not None and vhost.state is State.BACKUP and vhost.down_ns is not None:
        host, config = arrival.host, vhost.config
        vhost.down_ns = host.now_ns + host.dialect.master_down_ns(
            config.advbase,
            config.advskew,
            config.dead_ratio,
        )  # a fault may look inside
    return True


def _rearms_without_digest(arrival: Arrival) -> bool:
    """Restarts the timer, then looks at the digest"""
    return _rearms(arrival) and checks.digest(arrival)


def _acts_before_digest(arrival: Arrival) -> bool:
    """The advertisement acts, then its digest is looked at"""
    assert arrival.vhost is not None
    if not checks.digest(arrival):
        receive.hear(
            arrival.host,
            arrival.vhost,
            arrival.packet,
            arrival.header,
            arrival.host.now_ns,
        )  # a fault may look inside
        return False
    return True


def _vrrp_is_carp(arrival: Arrival) -> bool:
    """A short packet that names the vhid is a sign of life"""
    return (_rearms(arrival) and checks.length(arrival)) if len(arrival.packet.payload) < LENGTH else True


def _vrrp_outranks(arrival: Arrival) -> bool:
    """A VRRP packet that names the vhid silences a MASTER"""
    vhost = meant(arrival)
    if (
        vhost is not None
        and len(arrival.packet.payload) < LENGTH
        and arrival.header[:1] in (b"\x21", b"\x31")
    ):
        vhost.advertise_ns = None
    return True


def _byte_4(arrival: Arrival) -> bool:
    return arrival.header[4] == 0


def _authlen(arrival: Arrival) -> bool:
    return arrival.header[3] == 7


def _type(arrival: Arrival) -> bool:
    return arrival.header[0] & 15 == 1


def _nothing_behind(arrival: Arrival) -> bool:
    return len(arrival.packet.payload) == LENGTH


def _not_padded(arrival: Arrival) -> bool:
    return len(arrival.packet.captured) - len(arrival.packet.payload) <= 0


def _no_options(arrival: Arrival) -> bool:
    return arrival.packet.header_length == 20 or arrival.packet.version == 6


def _df(arrival: Arrival) -> bool:
    return bool(arrival.packet.frame[20] & 0x40)


def _low_delay(arrival: Arrival) -> bool:
    return arrival.packet.frame[15] not in (0, 0xFF)


def _from_virtual_mac(arrival: Arrival) -> bool:
    return arrival.packet.frame[6:11] == CARP_MAC


def _from_the_subnet(arrival: Arrival) -> bool:
    return any(arrival.packet.source_address() in one.network for one in arrival.port.addresses)


def _from_a_host(arrival: Arrival) -> bool:
    """Source is neither 0.0.0.0 nor a shared address"""
    source = arrival.packet.source_address()
    return not source.is_unspecified and not any(
        vhost.serves(source) for vhost in arrival.port.vhosts.values()
    )


def _to_the_group(arrival: Arrival) -> bool:
    return arrival.packet.destination == GROUP_IPV4.packed


def _to_a_group(arrival: Arrival) -> bool:
    return arrival.packet.multicast and arrival.packet.destination != bytes([224, 0, 0, 1])


def _not_zero(arrival: Arrival) -> bool:
    """An interval of 0 is none"""
    return interval_ns(arrival.header[5], arrival.header[2]) != 0


def _base_not_zero(arrival: Arrival) -> bool:
    return arrival.header[5] != 0


def _yields_to_farewell(arrival: Arrival) -> bool:
    """255/255 silences a MASTER"""
    if arrival.vhost is not None and arrival.header[5] == arrival.header[2] == 255:
        arrival.vhost.advertise_ns = None
    return True


def _in_init_too(arrival: Arrival) -> bool:
    """Virtual host of this vhid, running or not"""
    arrival.vhost = arrival.port.vhosts.get(arrival.vhid)
    return arrival.vhost is not None or arrival.drop("badvhid")


def _promiscuous(packet: Packet) -> bool:
    """The destination of the frame does not matter"""
    if not packet.frame[0] & 1:
        packet.frame = GROUP_MAC_IPV4 + packet.frame[6:]
    return sound_and_whole(packet)


def _not_from_virtual_mac(arrival: Arrival) -> bool:
    return arrival.packet.frame[6:11] != CARP_MAC


MUTANTS: tuple[Mutant, ...] = (
    mutant("ttl-unchecked", "the TTL is not looked at",
           "RX-001 STATS-004 RX-023 RX-024", "freebsd-13", without(checks.ttl)),
    mutant("ttl-unchecked-by-openbsd", "the TTL is not looked at",
           "RX-001 RX-032", "openbsd", without(checks.ttl)),
    mutant("ttl-unchecked-by-ucarp", "the TTL is not looked at",
           "RX-001", "ucarp", without(checks.ttl_uncounted)),
    mutant("ttl-254-accepted", "> for >=: TTL 254 is enough",
           "RX-001", "freebsd-10", instead(checks.ttl, _ttl_from(254))),
    mutant("ttl-128-accepted", "a TTL above 127 is enough",
           "RX-001", "freebsd-15", instead(checks.ttl_if_multicast, _ttl_from(128))),
    mutant("ttl-1-accepted", "only TTL 254 is refused",
           "RX-001", "freebsd-legacy", instead(checks.ttl, _ttl_not(254))),
    mutant("version-unchecked", "the version is not looked at",
           "RX-002 STATS-005", "freebsd-13", without(checks.version)),
    mutant("version-3-accepted", "version 3 is taken for version 2",
           "RX-002", "openbsd", instead(checks.version, _versions(2, 3))),
    mutant("version-by-its-bit", "every version with bit 1 set is accepted",
           "RX-002", "ucarp", instead(checks.version_uncounted, _versions(2, 3, 6, 7, 10, 11, 14, 15))),
    mutant("version-0-accepted", "version 0 is taken for the current one",
           "RX-002", "freebsd-legacy-6", instead(checks.version, _versions(0, 2))),
    mutant("any-vhid-is-mine", "an advertisement for another vhid acts on the first",
           "RX-003 RX-004 STATS-009", "freebsd-13", instead(checks.known_vhid_of_family, _any_vhid),
           instead(checks.digest, _digest_as_claimed)),
    mutant("vhid-0-is-all", "vhid 0 means every virtual host",
           "RX-004", "freebsd-10", instead(checks.known_vhid_of_family, _vhid_0_is_all),
           instead(checks.digest, _digest_as_claimed), without(checks.not_looped)),
    mutant("checksum-unchecked", "the checksum is not looked at",
           "RX-005 WIRE-013 STATS-006", "freebsd-13", without(checks.header_checksum)),
    mutant("checksum-of-the-header-unchecked", "the checksum is not looked at",
           "RX-005", "freebsd-15", without(checks.payload_checksum, checks.carp_checksum)),
    mutant("checksum-low-byte", "the lower byte of the checksum is compared",
           "RX-005", "freebsd-legacy", instead(checks.header_checksum, _low_byte_of_checksum)),
    mutant("checksum-ones-mean-none", "a checksum of 0xffff is not looked at",
           "RX-005", "openbsd", instead(checks.header_checksum, _ones_pass)),
    mutant("pseudo-header-accepted", "a checksum over a pseudo header is right, too",
           "WIRE-013 V6-006", "freebsd-13", instead(checks.header_checksum, _checksum_or_pseudo)),
    mutant("length-of-the-frame", "the length of the frame counts, not that of the IP packet",
           "RX-006", "freebsd-13", rules(raw_frames=True), instead(checks.length, checks.captured_length),
           instead(checks.header_checksum, _captured_sum)),
    mutant("length-35-accepted", "> for >=: a payload of 35 bytes is enough",
           "RX-006", "freebsd-legacy", rules(raw_frames=True), instead(checks.length, _length_from(35)),
           instead(checks.header_checksum, _captured_sum)),
    mutant("short-payload-rearms", "a short payload that names the vhid restarts the timer",
           "RX-006 RX-036", "openbsd", instead(checks.length, _vrrp_is_carp), first(_vrrp_is_carp)),
    mutant("type-checked", "another type than 1 is refused", "RX-007", "freebsd-13", demanding(_type)),
    mutant("authlen-checked", "another authlen than 7 is refused",
           "RX-008", "freebsd-15", demanding(_authlen)),
    mutant("fifth-byte-checked", "a fifth byte that is not 0 is refused",
           "RX-009", "freebsd-13", demanding(_byte_4)),
    mutant("trailing-bytes-summed", "the checksum covers bytes behind the header",
           "RX-010", "freebsd-legacy", instead(checks.header_checksum, _whole_payload)),
    mutant("trailing-sum-accepted", "a checksum over header and trailing bytes is right, too",
           "RX-010", "freebsd-13", instead(checks.header_checksum, _header_or_whole)),
    mutant("trailing-bytes-not-summed", "FreeBSD 15 sums the header alone",
           "RX-011", "freebsd-15", instead(checks.payload_checksum, checks.header_checksum)),
    mutant("trailing-bytes-refused", "anything behind the header is refused",
           "RX-010 RX-012", "freebsd-13", demanding(_nothing_behind)),
    mutant("padding-refused", "a padded frame is refused", "RX-013", "ucarp", demanding(_not_padded)),
    mutant("padding-refused-by-a-kernel", "a padded frame is refused",
           "RX-013", "freebsd-13", demanding(_not_padded)),
    mutant("options-refused", "IPv4 options are refused", "RX-014", "freebsd-13", demanding(_no_options)),
    mutant("df-demanded", "DF is demanded", "RX-015", "freebsd-13", demanding(_df)),
    mutant("tos-demanded", "a type of service is demanded", "RX-015", "openbsd", demanding(_low_delay)),
    mutant("source-mac-demanded", "the Ethernet source must be a virtual MAC",
           "RX-016", "freebsd-13", demanding(_from_virtual_mac)),
    mutant("source-of-the-subnet-demanded", "the source must lie in the subnet",
           "RX-017", "freebsd-legacy", demanding(_from_the_subnet)),
    mutant("source-of-a-host-demanded", "0.0.0.0 and the shared address are refused as source",
           "RX-017", "freebsd-15", demanding(_from_a_host)),
    mutant("own-source-accepted", "ucarp believes its own source address",
           "RX-018", "ucarp", without(checks.foreign_source)),
    mutant("unicast-refused", "an advertisement to the own address is refused",
           "RX-019", "freebsd-10", demanding(_to_the_group)),
    mutant("any-group-accepted", "OpenBSD takes part in every group",
           "RX-020", "openbsd", rules(any_group=True, copies=Copies.ONCE), without(checks.cast_mode)),
    mutant("ucarp-in-any-group", "ucarp takes part in every group",
           "RX-020", "ucarp", without(checks.group_destination)),
    mutant("fragments-accepted", "a fragment is taken for the whole",
           "RX-021", "freebsd-13", common(takes=lambda packet: packet.sound)),
    mutant("bad-ip-checksum-accepted", "the checksum of the IPv4 header is not looked at",
           "RX-023 RX-024", "freebsd-legacy", common(takes=lambda packet: not packet.fragment)),
    mutant("rearmed-by-invalid", "every packet that names the vhid restarts the timer",
           "RX-023 RX-001 RX-002 RX-005 AUTH-011", "freebsd-13", first(_rearms)),
    mutant("rearmed-before-the-digest", "the timer is restarted before the digest is looked at",
           "RX-023 AUTH-011 AUTH-012 AUTH-013 AUTH-014 AUTH-015", "freebsd-legacy",
           instead(checks.digest, _rearms_without_digest)),
    mutant("digest-after-state-change", "an advertisement acts before its digest is looked at",
           "RX-024 AUTH-011 AUTH-012 AUTH-014", "freebsd-13", instead(checks.digest, _acts_before_digest)),
    mutant("digest-after-state-change-on-openbsd", "an advertisement acts before its digest is looked at",
           "RX-024 AUTH-011", "openbsd", instead(checks.digest, _acts_before_digest)),
    mutant("checksum-before-ttl", "the checksum is looked at before the TTL",
           "RX-027", "freebsd-13", exchanged(checks.ttl, checks.header_checksum)),
    mutant("length-before-ttl", "the length is looked at before the TTL",
           "RX-027", "freebsd-legacy", exchanged(checks.ttl, checks.length)),
    mutant("vhid-before-ttl", "the vhid is looked at before the TTL",
           "RX-027", "openbsd", exchanged(checks.ttl, checks.known_vhid)),
    mutant("digest-before-version", "the digest is looked at before the version",
           "RX-027", "freebsd-10", exchanged(checks.version, checks.digest)),
    mutant("ttl-first", "FreeBSD 15 looks at the TTL first",
           "RX-028", "freebsd-15", without(checks.ttl_if_multicast), first(checks.ttl)),
    mutant("zero-interval-refused", "0/0 is refused", "RX-030", "freebsd-13", demanding(_not_zero)),
    mutant("zero-advbase-refused", "an advbase of 0 is refused",
           "RX-030", "ucarp", demanding(_base_not_zero)),
    mutant("master-yields-to-farewell", "a MASTER falls silent at 255/255",
           "RX-031", "freebsd-13", demanding(_yields_to_farewell)),
    mutant("counted-once", "OpenBSD counts a multicast advertisement once, whatever its carp interfaces",
           "RX-035", "openbsd", rules(copies=Copies.ONCE)),
    mutant("vrrp-rearms", "a VRRP packet with the same id restarts the timer",
           "RX-036", "freebsd-13", first(_vrrp_is_carp)),
    mutant("vrrp-outranks", "a VRRP packet with the same id silences a MASTER",
           "RX-036", "freebsd-15", first(_vrrp_outranks)),
    mutant("all-hosts-refused", "the all-hosts group is refused",
           "RX-039", "freebsd-13", demanding(_to_a_group)),
    mutant("init-hears", "a vhid in INIT is started by what it hears",
           "RX-026", "freebsd-legacy", instead(checks.known_vhid, _in_init_too),
           step(State.INIT, Input.BETTER, to=State.BACKUP, reason=Reason.BETTER, effects=(Effect.ENTER, Effect.ARM_DOWN)),
           step(State.INIT, Input.WORSE, to=State.BACKUP, reason=Reason.BETTER, effects=(Effect.ENTER, Effect.ARM_DOWN))),
    mutant("frame-of-another-host-heard", "an advertisement in a frame to another host's MAC is heard",
           "RX-040", "freebsd-legacy", common(takes=_promiscuous)),
    mutant("frame-of-another-host-heard-by-openbsd", "an advertisement in a frame to another host's MAC is heard",
           "RX-040", "openbsd", common(takes=_promiscuous)),
    mutant("virtual-mac-filtered", "frames from a virtual MAC do not arrive (ucarp#19)",
           "SCENARIO-018", "ucarp", demanding(_not_from_virtual_mac)),
)  # fmt: skip

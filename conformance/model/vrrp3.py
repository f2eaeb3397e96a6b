"""VRRPv3 as an implementation of CARP speaks it (``carpver 3`` of FreeBSD 15): its rules as data, each beside
the clause of RFC 9568 that it keeps or leaves.

Intervals are integer centiseconds (``_cs``), as in the packet; times of a clock are nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from conformance.model.administering import Limits
from conformance.model.loglines import DEBUG, Line
from conformance.wire.digest import Address
from conformance.wire.frame import virtual_mac
from conformance.wire.vrrp3 import INTERVAL_CS, MOST_INTERVAL_CS, Vrrp3, pseudo_header

NUMBER = 3
"""What ``carpver`` calls it."""
_SCOPE = b"\0\1"
"""The index of the interface, which the kernel keeps inside link-local addresses."""


@dataclass(frozen=True, slots=True)
class HeardVrrp3:
    """A sound advertisement against the receiver's own parameters."""

    own_priority: int
    heard_priority: int
    own_cs: int
    heard_cs: int
    preempt: bool


Rule = Callable[[HeardVrrp3], bool]


def yields_to_more_or_faster(heard: HeardVrrp3) -> bool:
    """A higher priority, or a shorter interval."""
    return heard.heard_priority > heard.own_priority or heard.heard_cs < heard.own_cs


def preempts_less_or_slower(heard: HeardVrrp3) -> bool:
    """Preemption is on, and the priority is lower or the interval longer."""
    return heard.preempt and (heard.heard_priority < heard.own_priority or heard.heard_cs > heard.own_cs)


def whole_field_cs(packet: Vrrp3) -> int:
    """All sixteen bits, the reserved ones included."""
    return packet.reserved << 12 | packet.interval_cs


def always_one_second_cs(own_cs: int) -> int:  # noqa: ARG001  # the shape of the rule
    """100 centiseconds, whatever is configured."""
    return INTERVAL_CS


def down_cs(master_cs: int, priority: int) -> int:
    """3 * M + (256 - priority) * M / 256 centiseconds, cut to whole ones."""
    return 3 * master_cs + (256 - priority) * master_cs // 256


def both_over_ipv6(addresses: Sequence[Address], version: int) -> int:
    """The addresses in the packet; over IPv6 those of both families."""
    return len(addresses) if version == 6 else sum(one.version == 4 for one in addresses)


def as_the_kernel_keeps_them(addresses: Sequence[Address], version: int) -> bytes:
    """Those of its family in the order of configuration, link-local ones with the interface's index in bytes 2 and 3."""
    return b"".join(
        one.packed[:2] + _SCOPE + one.packed[4:] if one.version == 6 and one.is_link_local else one.packed
        for one in addresses
        if one.version == version
    )


def undemoted(priority: int, demotion: int) -> int:  # noqa: ARG001  # the shape of the rule
    """As configured, however demoted the host is."""
    return priority


def anything(packet: Vrrp3, addresses: Sequence[Address]) -> bool:  # noqa: ARG001  # the shape of the rule
    """Type, count and address list may be anything."""
    return True


def ipv4_prefix(vrid: int, version: int) -> bytes:  # noqa: ARG001  # the shape of the rule
    """00:00:5e:00:01:VRID, over IPv6 too."""
    return virtual_mac(vrid)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vrrp3Rules:
    """How a virtual host behaves that speaks VRRPv3. Fields are the rows of :data:`ROWS`."""

    mac: Callable[[int, int], bytes]
    pseudo_header_ipv4: bool
    counts: Callable[[Sequence[Address], int], int]
    lists: Callable[[Sequence[Address], int], bytes]
    priority: Callable[[int, int], int]
    says_farewell: bool
    examines: Callable[[Vrrp3, Sequence[Address]], bool]
    reads_cs: Callable[[Vrrp3], int]
    unheard_cs: Callable[[int], int]
    down_cs: Callable[[int, int], int]
    yields: Rule
    preempts: Rule
    owner_is_deaf: bool
    intervals: Limits
    version_is_fixed: bool
    shown: str
    log_ttl: Line
    log_checksum: Line
    log_owner: Line

    def packet(
        self,
        vrid: int,
        priority: int,
        interval_cs: int,
        addresses: Sequence[Address],
        ends: tuple[Address, Address],
    ) -> bytes:
        """The packet from ``ends[0]`` to ``ends[1]`` for a virtual host with ``addresses``."""
        version = ends[0].version
        made = Vrrp3(
            vrid, priority, interval_cs, self.lists(addresses, version), self.counts(addresses, version)
        )
        pseudo = pseudo_header(*ends, len(made.pack())) if self.pseudo_header_ipv4 or version == 6 else b""
        return made.summed(pseudo)


@dataclass(frozen=True, slots=True)
class Vrrp3Row:
    """One rule: what FreeBSD 15 does (``value``, told by its docstring or by ``text``), what RFC 9568 wants
    (``rfc``, with the ``clause``), and what confirms the value.
    """

    name: str
    meaning: str
    value: object
    rfc: str
    clause: str
    source: str
    text: str | None = None

    def shown(self) -> str:
        """The value for a reader."""
        if self.text is not None:
            return self.text
        said = str(self.value.__doc__ if callable(self.value) else self.value).splitlines()[0].rstrip(".")
        return said[0].lower() + said[1:] if said[1:2].islower() or said[:2] == "A " else said


_SAME = "the same"
_RECORDED = "recorded: freebsd-15.1/kd1_freebsd100_keepalived200_preempt0"
_TIES = "recorded: freebsd-15.1/kd5_equal100_keepalived_address_lower_keepalived_first"


def _read(where: str) -> str:
    return f"read: ip_carp.c {where}"


ROWS: tuple[Vrrp3Row, ...] = (
    Vrrp3Row("mac", "Ethernet source of an advertisement", ipv4_prefix,
             "00:00:5e:00:02:VRID over IPv6", "7.3", _read("2076-2085")),
    Vrrp3Row("pseudo_header_ipv4", "the checksum over IPv4 covers a pseudo-header", True,
             "no; over IPv6 only", "5.2.8", _RECORDED, "yes, as over IPv6; one without it is refused"),
    Vrrp3Row("counts", "what the count byte counts", both_over_ipv6,
             "the addresses in the packet", "5.2.5", "measured: a virtual host with both families"),
    Vrrp3Row("lists", "the addresses in an advertisement", as_the_kernel_keeps_them,
             "those of its family, over IPv6 a link-local one first", "5.2.9",
             "measured: fe80:1::1 on the wire, which keepalived refuses"),
    Vrrp3Row("priority", "the advertised priority", undemoted,
             "as configured, and 0 for a router that resigns", "5.2.4", "measured: demotion without effect"),
    Vrrp3Row("says_farewell", "a MASTER that is removed or goes down says so by priority 0", False,
             "yes", "6.4.3", _RECORDED, "no"),
    Vrrp3Row("examines", "what is looked at in a packet with a right version, TTL and checksum", anything,
             "the type must be 1; count and addresses may be compared with those configured", "7.1",
             "measured: crafted packets to a MASTER"),
    Vrrp3Row("reads_cs", "which bits of the interval field count", whole_field_cs,
             "the lower twelve; the reserved ones are ignored", "5.2.6",
             "measured: 0xf064 keeps a BACKUP down, 0 makes it flap"),
    Vrrp3Row("unheard_cs", "the master's interval M before any was heard", always_one_second_cs,
             "the own interval", "6.4.1", _read("2129, 2331-2332")),
    Vrrp3Row("down_cs", "after what silence a BACKUP takes over", down_cs,
             _SAME, "6.1", "recorded: freebsd-15.1/kd1_freebsd100_keepalived200_preempt0; measured at four priorities and M 50"),
    Vrrp3Row("yields", "a MASTER steps down for", yields_to_more_or_faster,
             "a higher priority, or the same from a higher address; priority 0 makes it advertise", "6.4.3", _TIES),
    Vrrp3Row("preempts", "a BACKUP takes over at once when", preempts_less_or_slower,
             "never at once: it lets the timer run out, after priority 0 one of the skew time", "6.4.2",
             "measured: at the first advertisement, 1 to 2 ms"),
    Vrrp3Row("owner_is_deaf", "a virtual host of priority 255 ignores every advertisement, and waits a down time at its start", True,
             "it is MASTER from the start", "6.4.1", "measured: priority 255 waits a down time", "yes"),
    Vrrp3Row("intervals", "intervals that can be configured, in centiseconds", Limits(1, MOST_INTERVAL_CS),
             _SAME, "5.2.7", "recorded: freebsd-15.1/ifconfig_cases"),
    Vrrp3Row("version_is_fixed", "the version of a virtual host cannot be changed (EINVAL)", True,
             "not of the protocol", "", "recorded: freebsd-15.1/ifconfig_cases", "yes, either way"),
    Vrrp3Row("shown", "how ifconfig shows it: state, vrid, priority, interval", "vrrp: {} vrid {} prio {} interval {}",
             "not of the protocol", "", "recorded: freebsd-15.1/kd1_freebsd100_keepalived200_preempt0"),
    Vrrp3Row("log_ttl", "line for a TTL that is not 255", Line(2, DEBUG, "vrrp_input_c: received ttl {ttl} != 255 on {interface}"),
             "may be logged", "7.1", _read("vrrp_input_c, compared with the text in FreeBSD's sys/netinet")),
    Vrrp3Row("log_checksum", "line for a wrong checksum", Line(2, DEBUG, "vrrp_input_c: incorrect checksum for VRID {vhid}@{interface}"),
             "may be logged", "7.1", _read("vrrp_input_c, compared with the text in FreeBSD's sys/netinet")),
    Vrrp3Row("log_owner", "line for a packet to a virtual host of priority 255",
             Line(2, DEBUG, "vrrp_input_c: our priority is 255. Ignore peer announcement."),
             "may be logged", "7.1", _read("vrrp_input_c, compared with the text in FreeBSD's sys/netinet")),
)  # fmt: skip
"""All rules, in the order in which the docs list them."""

_VALUES: dict[str, object] = {one.name: one.value for one in ROWS}
FREEBSD_15 = Vrrp3Rules(**_VALUES)  # type: ignore[arg-type]  # a test compares rows and fields
"""The rules of FreeBSD 15.1."""


def effective_priority(configured: int, asked: int) -> int:
    """The priority after an administrator asked for ``asked``: eight bits of it, of which 0 changes nothing
    (``ifconfig vrrpprio``).
    """
    return asked & 0xFF or configured

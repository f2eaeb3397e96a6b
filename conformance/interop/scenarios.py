"""The scenarios of the matrix. A is the first implementation of an ordered pair, B the second; in a trio C is the third."""

from __future__ import annotations

from dataclasses import replace

from conformance.interop.scenario import SECOND, SETTLE, Act, Gap, Node, Outcome, Scenario, Step

APART_NS = 300_000_000
"""Between the starts of two nodes, where it is not the point that they start together."""
V6, BOTH = (10,), (0, 10)
SAME_LENGTH, SHORTER = "conformant!", "shorter"

_A = Node("a", "a", "A", advskew=0)
_B = Node("b", "b", "B", advskew=100)
_TRIO = (_A, _B, Node("c", "c", "C", advskew=200))
_PREEMPT = (replace(_A, preempt=True), replace(_B, preempt=True))


def _start(*names: str) -> tuple[Step, ...]:
    """Starts nodes one after the other; the scene settles after the last."""
    return tuple(Step(Act.START, name, SETTLE if name == names[-1] else APART_NS) for name in names)


def _one(*names: str, gap: Gap = Gap.NONE, heirs: tuple[str, ...] = ()) -> Outcome:
    return Outcome({1: names}, gap, heirs)


def _mixed(count: int) -> tuple[Node, ...]:
    return tuple(
        Node(name, name, "AB"[place % 2], advskew=20 * place) for place, name in enumerate("abcdefgh"[:count])
    )


def _families(name: str, title: str, addresses: tuple[int, ...], *needs: str) -> Scenario:
    nodes = (replace(_A, addresses=addresses), replace(_B, addresses=addresses))
    return Scenario(
        name, title, "A is MASTER and dies without a word; B takes over.", nodes, _start("a", "b"),
        (Step(Act.KILL, "a"),), _one("b", gap=Gap.TAKE_OVER), {"A": ("kill", *needs), "B": needs},
    )  # fmt: skip


def _many(count: int) -> Scenario:
    nodes = _mixed(count)
    names = [node.name for node in nodes]
    return Scenario(
        f"nodes-{count}", f"{count} nodes, A and B by turns: the best dies",
        f"{count} nodes of graded advskew; the MASTER dies, the next best takes over and stays alone.",
        nodes, _start(*names), (Step(Act.KILL, "a"),), _one("b", gap=Gap.TAKE_OVER), {"A": ("kill",)},
    )  # fmt: skip


def _password(name: str, title: str, password: str, to: str) -> Scenario:
    change = {"password": password}
    return Scenario(
        name, title, f"The password is changed {to} on B, and 6 s later on A: between the two nobody believes the other.",
        (_A, _B), _start("a", "b"), (Step(Act.SET, "b", 6 * SECOND, changes=change), Step(Act.SET, "a", changes=change)),
        _one("a", "b", gap=Gap.TAKE_OVER, heirs=("a", "b")),
    )  # fmt: skip


def _forged(name: str, title: str, source: str, *, virtual_mac: bool) -> Scenario:
    return Scenario(
        name, title, f"A stranger without the password advertises 1/0 ten times a second {source} while A dies; B takes over on time all the same.",
        (_A, _B), _start("a", "b"),
        (Step(Act.FORGE, rest_ns=SECOND, changes={"virtual_mac": virtual_mac}), Step(Act.KILL, "a"), Step(Act.FORGE_END, rest_ns=0)),
        _one("b", gap=Gap.TAKE_OVER), {"A": ("kill",)},
    )  # fmt: skip


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "join", "B joins", "A is MASTER; a worse B joins and must stay BACKUP.", (_A, _B),
        _start("a"), (Step(Act.START, "b"),), _one("a"),
    ),
    Scenario(
        "join-better", "A better B joins without preemption",
        "A is MASTER with advskew 100; B joins with advskew 0, without preemption: A stays.",
        (replace(_A, advskew=100), replace(_B, advskew=0)), _start("a"), (Step(Act.START, "b"),), _one("a"),
    ),
    Scenario(
        "preempt", "A better B joins with preemption",
        "A is MASTER with advskew 100; B joins with advskew 0 and preemption, and takes mastership over.",
        (replace(_A, advskew=100, preempt=True), replace(_B, advskew=0, preempt=True)),
        _start("a"), (Step(Act.START, "b"),), _one("b"), {"A": ("preempt",), "B": ("preempt",)},
    ),
    _families("kill", "A dies (IPv4)", (0,)),
    _families("kill-v6", "A dies (IPv6 only)", V6, "ipv6"),
    _families("kill-both", "A dies (IPv4 and IPv6)", BOTH, "ipv6", "multiple_addresses"),
    _families("kill-aliases", "A dies (three IPv4 addresses)", (2, 0, 1), "multiple_addresses"),
    Scenario(
        "kill-skew-200", "A dies, B has advskew 200",
        "B waits its own down time: 3 * advbase + advskew/256 s, or 3 * (advbase + advskew/256) s.",
        (_A, replace(_B, advskew=200)), _start("a", "b"), (Step(Act.KILL, "a"),),
        _one("b", gap=Gap.TAKE_OVER), {"A": ("kill",)},
    ),
    Scenario(
        "cable", "A loses its link", "A is MASTER and its cable is pulled; B takes over.", (_A, _B),
        _start("a", "b"), (Step(Act.PULL, "a"),), _one("b", gap=Gap.TAKE_OVER), {"A": ("link",)},
    ),
    Scenario(
        "stop", "A is stopped by its administrator",
        "A is MASTER and is stopped. Those that say good-bye hand over at once, the others leave a gap.",
        (_A, _B), _start("a", "b"), (Step(Act.STOP, "a"),), _one("b", gap=Gap.BOW_OUT),
    ),
    Scenario(
        "return", "A returns without preemption", "A died, B took over; A returns and B stays MASTER.",
        (_A, _B), (*_start("a", "b"), Step(Act.KILL, "a")), (Step(Act.START, "a"),), _one("b"), {"A": ("kill",)},
    ),
    Scenario(
        "return-preempt", "A returns with preemption", "A died, B took over; A returns and takes mastership back.",
        _PREEMPT, (*_start("a", "b"), Step(Act.KILL, "a")), (Step(Act.START, "a"),), _one("a"),
        {"A": ("kill", "preempt"), "B": ("preempt",)},
    ),
    Scenario(
        "cable-return-preempt", "A's link comes back, with preemption",
        "A lost its link, B took over; the link comes back and A takes mastership back.",
        _PREEMPT, (*_start("a", "b"), Step(Act.PULL, "a")), (Step(Act.PLUG, "a"),), _one("a"),
        {"A": ("link", "preempt"), "B": ("preempt",)},
    ),
    Scenario(
        "demote", "A is demoted", "A is MASTER and its host is demoted by 240 or its like; B, with preemption, takes over.",
        _PREEMPT, _start("a", "b"), (Step(Act.DEMOTE, "a", amount=240),), _one("b"),
        {"A": ("demotion_order", "preempt"), "B": ("preempt",)},
    ),
    Scenario(
        "skew", "A is configured slower", "A's advskew goes from 0 to 200 while it is MASTER; B, with preemption, takes over.",
        _PREEMPT, _start("a", "b"), (Step(Act.SET, "a", changes={"advskew": 200}),), _one("b", gap=Gap.TAKE_OVER),
        {"A": ("preempt",), "B": ("preempt",)},
    ),
    _password("password", "The password is changed, B first", SAME_LENGTH, "to one of the same length"),
    _password("password-shorter", "The password is changed to a shorter one, B first", SHORTER, "to a shorter one"),
    Scenario(
        "alias", "An address is added, on B first",
        "B gets a second address, and 6 s later A: between the two nobody believes the other.",
        (_A, _B), _start("a", "b"),
        (Step(Act.ADD_ADDRESS, "b", 6 * SECOND, amount=1), Step(Act.ADD_ADDRESS, "a", amount=1)),
        _one("a", "b", gap=Gap.TAKE_OVER),
        {"A": ("multiple_addresses",), "B": ("multiple_addresses",)},
    ),
    Scenario(
        "alias-on-a", "A has an address more than B", "A serves two addresses, B one of them: the digests differ.",
        (replace(_A, addresses=(0, 1)), _B), (), _start("a", "b"), _one("a"), {"A": ("multiple_addresses",)},
    ),
    Scenario(
        "split-roles", "Two VHIDs with roles split",
        "VHID 1 prefers A, VHID 2 prefers B, both with preemption; A dies in both, B serves both.",
        (*_PREEMPT, Node("a2", "a", "A", 100, vhid=2, preempt=True, addresses=(1,)), Node("b2", "b", "B", 0, vhid=2, preempt=True, addresses=(1,))),
        _start("a", "b", "b2", "a2"), (Step(Act.KILL, "a", 0), Step(Act.KILL, "a2")),
        Outcome({1: ("b",), 2: ("b2",)}, Gap.TAKE_OVER),
        {"A": ("kill", "preempt", "multiple_vhids"), "B": ("preempt", "multiple_vhids")},
    ),
    Scenario(
        "equal", "Equal timers, started together", "A and B have the same advskew and start together: one of them is MASTER.",
        (_A, replace(_B, advskew=0)), (), (Step(Act.START, "a", 0), Step(Act.START, "b")), _one("a", "b"),
    ),
    Scenario(
        "equal-healed", "Equal timers, a partition is healed",
        "A and B have the same advskew and were both MASTER while parted; then they hear each other again.",
        (_A, replace(_B, advskew=0)),
        (*_start("a", "b"), Step(Act.PART)), (Step(Act.HEAL),), _one("a", "b"),
        {"A": ("partition",), "B": ("partition",)},
    ),
    Scenario(
        "healed", "A partition is healed", "A and B were both MASTER while parted; when they hear each other again, the better A stays.",
        (_A, _B), (*_start("a", "b"), Step(Act.PART)), (Step(Act.HEAL),), _one("a"),
        {"A": ("partition",), "B": ("partition",)},
    ),
    _forged("forged", "Forged advertisements during a hand-over", "from its own MAC", virtual_mac=False),
    _forged("forged-mac", "Forged advertisements from the virtual MAC, on a switch that learns", "from the virtual MAC", virtual_mac=True),
    Scenario(
        "one-way", "B becomes deaf for a while",
        "B hears nothing for 8 s but is heard; when it hears again, the better A is MASTER alone.",
        (_A, _B), _start("a", "b"), (Step(Act.DEAFEN, "b", 8 * SECOND), Step(Act.HEARKEN, "b")), _one("a"),
        {"A": ("one_way",), "B": ("one_way",)},
    ),
    Scenario(
        "group-failover", "A firewall loses its outer link",
        "A is MASTER outside (VHID 1) and inside (VHID 2); its outer link is lost, and B, with preemption, must take over both.",
        (*_PREEMPT, *(replace(node, name=f"{node.name}2", vhid=2, inner=True) for node in _PREEMPT)),
        _start("a", "a2", "b", "b2"), (Step(Act.PULL, "a"),), Outcome({1: ("b",), 2: ("b2",)}, Gap.TAKE_OVER, ("b",)),
        {"A": ("link", "preempt", "second_interface", "group_failover"), "B": ("preempt", "second_interface")},
    ),
    Scenario(
        "there-and-back", "A dies and returns, behind a learning switch",
        "A dies, B takes over, A returns with preemption: the switch and the clients must follow both times.",
        _PREEMPT, _start("a", "b"), (Step(Act.KILL, "a"), Step(Act.START, "a")),
        _one("a", gap=Gap.TAKE_OVER, heirs=("b",)),
        {"A": ("kill", "preempt"), "B": ("preempt",)},
    ),
    *(_many(count) for count in (3, 5, 8)),
    Scenario(
        "trio", "Three implementations: the best dies", "A, B and C have advskew 0, 100 and 200; A dies, B takes over and stays alone.",
        _TRIO, _start("a", "b", "c"), (Step(Act.KILL, "a"),), _one("b", gap=Gap.TAKE_OVER), {"A": ("kill",)},
    ),
    Scenario(
        "trio-cascade", "Three implementations: one after the other dies", "A dies, then B, each without a word; C is left and serves.",
        _TRIO, _start("a", "b", "c"), (Step(Act.KILL, "a"), Step(Act.KILL, "b")), _one("c", gap=Gap.TAKE_OVER, heirs=("b", "c")),
        {"A": ("kill",), "B": ("kill",)},
    ),
)  # fmt: skip


class UnknownScenario(LookupError):
    """There is no scenario of that name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"there is no scenario {name!r}; there are {', '.join(one.name for one in SCENARIOS)}",
        )


def chosen(names: tuple[str, ...]) -> tuple[Scenario, ...]:
    """The scenarios of these names in the order of the table; all if none is named. Raises :class:`UnknownScenario`."""
    known = {one.name for one in SCENARIOS}
    for name in names:
        if name not in known:
            raise UnknownScenario(name)
    return tuple(one for one in SCENARIOS if not names or one.name in names)

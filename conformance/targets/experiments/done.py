"""Experiments with what can be done to an IUT, to its host, or to two of them."""

from __future__ import annotations

from typing import cast

from conformance.segment.trace import HostKind, Trace
from conformance.targets.experiments.found import Found, outcome, shared
from conformance.targets.experiments.trial import (
    SECOND_NS,
    SILENCE_NS,
    TAKE_OVER_NS,
    Trial,
    is_advertisement,
)
from conformance.targets.protocol import (
    Changeable,
    Closable,
    Deafening,
    Demotable,
    Detachable,
    Neighbourly,
    Orderable,
    Switchable,
    TwoSided,
    Unnumbered,
    Unsending,
    VrrpRouter,
)
from conformance.targets.subject.starting import settings_for
from conformance.wire.frame import is_vrrp
from conformance.wire.header import PROTOCOL

_PORT = 4711
_LINK_NS = 20 * SECOND_NS
"""A daemon that polls its link looks at it every 10 s."""


def reconfigure(trial: Trial) -> Found:
    iut = trial.start()
    cast("Changeable", iut).reconfigure(advskew=50)
    seen = trial.first()
    skew = seen.frame.carp.advskew if seen is not None and seen.frame.carp is not None else None
    return outcome(skew == 50, "advertises advskew 50 after it was changed to that while it ran")


def request(trial: Trial) -> Found:
    iut = trial.start()
    cast("Orderable", iut).request_state("MASTER")
    return outcome(trial.advertises(SECOND_NS), "becomes MASTER at once when it is ordered to")


def demote(trial: Trial) -> Found:
    trial.start()
    host = cast("Demotable", trial.host)
    host.demote(10)
    told = host.demotion()
    return outcome(told != 0, f"its demotion is {told} after an order to demote")


def kill(trial: Trial) -> Found:
    iut = trial.start()
    if not trial.advertises():
        return outcome(False, "becomes MASTER")
    iut.kill()
    return outcome(
        not iut.running() and not trial.advertises(SILENCE_NS),
        "is gone and silent, without a word, after it was killed",
    )


def signals(trial: Trial) -> Found:
    iut = trial.start()
    trial.advertises()
    told = len(trial.trace.events)
    iut.signal("USR2")
    return outcome(
        trial.tells(HostKind.STATE, text="BACKUP", after=told), "tells that it is BACKUP after USR2"
    )


def process(trial: Trial) -> Found:
    iut = trial.start()
    if not trial.advertises():
        return outcome(False, "becomes MASTER")
    iut.signal("STOP")
    silent = not trial.advertises(SILENCE_NS)
    iut.signal("CONT")
    return outcome(
        silent and trial.advertises(), "is silent while it is stopped, and advertises when it goes on"
    )


def link(trial: Trial) -> Found:
    trial.start()
    if not trial.advertises():
        return outcome(False, "becomes MASTER")
    trial.host.cable(plugged=False)
    if trial.answers() is not None:
        return Found(False, "its host still answers ARP after its cable was pulled")
    if trial.advertises(SILENCE_NS):
        return Found(False, "it still advertises after its cable was pulled")
    trial.host.cable(plugged=True)
    return outcome(
        trial.advertises(_LINK_NS), "is off the wire while its cable is pulled, and back afterwards"
    )


def interface_switch(trial: Trial) -> Found:
    trial.start()
    host = cast("Switchable", trial.host)
    host.interface(up=False)
    gone = trial.answers() is None
    host.interface(up=True)
    return outcome(
        gone and trial.answers() is not None,
        "is off the wire while its interface is down, and back afterwards",
    )


def interface_removal(trial: Trial) -> Found:
    trial.start()
    cast("Detachable", trial.host).remove_interface()
    return outcome(trial.answers() is None, "is off the wire when its interface has been removed")


def carp_interface(trial: Trial) -> Found:
    iut = trial.start()
    if not trial.advertises():
        return outcome(False, "becomes MASTER")
    cast("Closable", iut).interface(up=False)
    trial.bench.loop.run_for(SECOND_NS)
    silent = not trial.advertises(SILENCE_NS) and trial.answers() is not None
    cast("Closable", iut).interface(up=True)
    return outcome(
        silent and trial.advertises(),
        "is silent while its carp interface is down, and advertises again afterwards",
    )


def own_addresses(trial: Trial) -> Found:
    if trial.answers() is None:
        return Found(False, "its host does not answer ARP for its address to begin with")
    cast("Unnumbered", trial.host).remove_own_addresses(4)
    return outcome(trial.answers() is None, "does not answer ARP for an address that was removed")


def send_errors(trial: Trial) -> Found:
    trial.start()
    if not trial.advertises():
        return outcome(False, "becomes MASTER")
    host = cast("Unsending", trial.host)
    host.refuse_sending(refused=True)
    silent = not trial.advertises(SILENCE_NS)
    host.refuse_sending(refused=False)
    return outcome(
        silent and trial.advertises(), "is silent while it cannot send, and advertises again afterwards"
    )


def service(trial: Trial) -> Found:
    address, names = trial.host.addresses[0], list[str | None]()
    trial.host.serve(address, _PORT)
    loop = trial.bench.loop
    loop.run_until(lambda: False, loop.now_ns() + SECOND_NS // 10)
    trial.bench.probe(address, _PORT, lambda _, name: names.append(name))
    loop.run_until(lambda: bool(names), loop.now_ns() + SECOND_NS)
    return outcome(
        names == [trial.host.name],
        "answers a connection with its name",
        f"a connection was answered by {names}",
    )


def second_interface(trial: Trial) -> Found:
    side = cast("TwoSided", trial.bench).second
    there = Trace()
    side.port(there)
    host = side.hosts["a"]
    iut = host.start(settings_for(trial.target.profile, side, host, {}))
    inside = trial.bench.loop.run_until(
        lambda: any(is_advertisement(seen, 4, iut.settings.vhid, host.addresses) for seen in there.frames),
        trial.bench.loop.now_ns() + TAKE_OVER_NS,
    )
    return outcome(inside, "advertises on the second segment")


def vrrp_neighbour(trial: Trial) -> Found:
    cast("Neighbourly", trial.bench).vrrp_neighbour(VrrpRouter(addresses=shared(trial, 4, 1)))
    heard = trial.bench.loop.run_until(
        lambda: any(
            not seen.sent
            and seen.frame.ip is not None
            and seen.frame.ip.protocol == PROTOCOL
            and is_vrrp(seen.frame.payload)
            for seen in trial.trace.frames
        ),
        trial.bench.loop.now_ns() + TAKE_OVER_NS,
    )
    return outcome(heard, "has a VRRP router beside it that is heard")


def _both_master(trial: Trial) -> bool:
    loop, vhid = trial.bench.loop, trial.settings.vhid
    since = len(trial.trace.frames)

    def both() -> bool:
        return all(
            any(is_advertisement(seen, 4, vhid, host.addresses) for seen in trial.trace.frames[since:])
            for host in trial.bench.hosts.values()
        )

    return loop.run_until(both, loop.now_ns() + TAKE_OVER_NS)


def _pair(trial: Trial) -> bool:
    """Two IUTs, of which the better one is MASTER alone."""
    trial.start(on="a")
    trial.start(on="b", advskew=100)
    return trial.advertises() and not trial.advertises(SILENCE_NS, on="b")


def partition(trial: Trial) -> Found:
    if not _pair(trial):
        return outcome(False, "has one MASTER of two that hear each other")
    trial.bench.part(parted=True)
    parted = _both_master(trial)
    trial.bench.part(parted=False)
    return outcome(parted, "has two MASTERs when they are parted")


def one_way(trial: Trial) -> Found:
    if not _pair(trial):
        return outcome(False, "has one MASTER of two that hear each other")
    bench = cast("Deafening", trial.bench)
    bench.deafen("b", deaf=True)
    return outcome(_both_master(trial), "has a second MASTER when the BACKUP is deaf")

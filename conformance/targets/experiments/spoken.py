"""Experiments with what an implementation speaks."""

from __future__ import annotations

from conformance.targets.experiments.found import Found, outcome, shared
from conformance.targets.experiments.trial import (
    REACTION_NS,
    SECOND_NS,
    TAKE_OVER_NS,
    Trial,
    is_advertisement,
)
from conformance.wire.digest import AddressRule, Secret


def ipv6(trial: Trial) -> Found:
    trial.start(addresses=shared(trial, 6, 1))
    return outcome(trial.advertises(version=6), "advertises over IPv6")


def several(trial: Trial) -> Found:
    addresses = shared(trial, 4, 2)
    trial.start(addresses=addresses)
    seen = trial.first()
    if seen is None or seen.frame.carp is None:
        return outcome(False, "advertises for two addresses")
    rule = trial.target.profile.dialect.address_rule
    # A daemon that takes two addresses and uses one is found out by its digest.
    both = Secret(
        trial.settings.password, addresses, AddressRule.ASCENDING if rule is AddressRule.SINGLE else rule
    )
    carp = seen.frame.carp
    return outcome(
        both.verifies(carp.vhid, carp.counter, carp.digest), "has a digest over both of its two addresses"
    )


def two_vhids(trial: Trial) -> Found:
    first, second = shared(trial, 4, 2)
    trial.start(addresses=(first,))
    one = trial.settings.vhid
    trial.start(vhid=one + 1, addresses=(second,))
    return outcome(
        trial.advertises(vhid=one) and trial.advertises(vhid=one + 1),
        f"advertises vhid {one} and vhid {one + 1}",
    )


def no_password(trial: Trial) -> Found:
    trial.start(password="")
    seen = trial.first()
    carp = seen.frame.carp if seen is not None else None
    if carp is None:
        return outcome(False, "advertises without a password")
    right = trial.secret(trial.settings).verifies(carp.vhid, carp.counter, carp.digest)
    return outcome(right, "has the digest of an empty password")


def preempt(trial: Trial) -> Found:
    trial.start(preempt=True)
    with trial.tester.advertising(trial.peer(200)):
        return outcome(trial.advertises(), "takes over from a master that is worse, with preemption")


def dead_ratio(trial: Trial) -> Found:
    iut = trial.start(options={"dead_ratio": 1})
    rules = trial.target.profile.dialect
    latest_ns = rules.start_window_ns(1, 0, 1)[1]
    seen = trial.first()
    after_ns = seen.time_ns - iut.started_ns if seen is not None else TAKE_OVER_NS
    return outcome(
        after_ns <= latest_ns + SECOND_NS, "takes over after one missed advertisement with dead_ratio 1"
    )


def bow_out(trial: Trial) -> Found:
    iut = trial.start()
    if not trial.advertises():
        return outcome(False, "becomes MASTER")
    since = len(trial.trace.frames)
    iut.stop()
    farewell = trial.bench.loop.run_until(
        lambda: any(
            is_advertisement(seen, 4, trial.settings.vhid, trial.host.addresses)
            and seen.frame.carp.advskew == 255  # type: ignore[union-attr]
            for seen in trial.trace.frames[since:]
        ),
        trial.bench.loop.now_ns() + REACTION_NS,
    )
    return outcome(farewell, "says good-bye with advskew 255 when it is stopped")

"""The self-check: honest models pass it; each driver with one lie fails in the check of that lie, with a sentence that names it."""

import contextlib
import io
import re
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

from conformance.commands.collect import CONFIGURATION, plain_pytest
from conformance.targets import registry
from conformance.targets.experiments import EXPERIMENTS, PAIR_EXPERIMENTS
from conformance.targets.model import target as models
from conformance.targets.protocol import CAPABILITIES


class Outcome:
    def __init__(self):
        self.failed, self.passed, self.skipped = {}, set(), set()

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.split("::")[-1]
        if report.failed:
            self.failed[name] = str(report.longrepr)
        elif report.skipped:
            self.skipped.add(name)
        elif report.when == "call":
            self.passed.add(name)


@pytest.fixture
def check(monkeypatch):
    def run(target):
        def points(group, name=None):
            found = EntryPoint(target.profile.name, "nowhere", group)
            return [type("Point", (), {"name": found.name, "load": lambda _: lambda: target})()]

        monkeypatch.setattr(registry, "entry_points", points)
        outcome = Outcome()
        with plain_pytest(), contextlib.redirect_stdout(io.StringIO()):
            outcome.status = pytest.main(
                [
                    *("-c", str(CONFIGURATION), "-p", "conformance.plugin", "-p", "no:cacheprovider"),
                    *("--pyargs", "conformance.targets.selfcheck", "--target", target.profile.name),
                ],
                plugins=[outcome],
            )
        return outcome

    return run


@pytest.mark.parametrize("name", ["freebsd", "freebsd_15", "freebsd_legacy_6", "openbsd", "ucarp"])
def test_models_are_honest(check, name):
    outcome = check(getattr(models, name)())
    assert outcome.failed == {}
    assert len(outcome.passed) > 30
    assert outcome.status == 0


def test_an_experiment_is_about_a_capability():
    assert set(EXPERIMENTS) | set(PAIR_EXPERIMENTS) <= set(CAPABILITIES)
    assert not set(EXPERIMENTS) & set(PAIR_EXPERIMENTS)


class Wrapped:
    """Everything as the inner one, but for what a lie replaces."""

    def __init__(self, inner, **lies):
        self.__dict__.update(lies)
        self._inner = inner

    def __getattr__(self, name):
        return getattr(self._inner, name)


def liar(*, profile=None, host=None, iut=None, bench=None, model=models.openbsd):
    """A target whose hosts, IUTs and bench are those of a model, spoiled by functions that return what replaces them."""
    honest = model()

    class Liar:
        def __init__(self):
            self.profile = replace(honest.profile, name="liar", **(profile or {}))

        def version(self):
            return "1"

        def lacks(self):
            return ()

        @contextmanager
        def bench(self, count):
            with honest.bench(count) as made:
                yield Spoiled(made)

    class Spoiled(Wrapped):
        def __init__(self, made):
            super().__init__(made, **(bench(made) if bench else {}))

        @property
        def hosts(self):
            return {name: SpoiledHost(one) for name, one in self._inner.hosts.items()}

        @property
        def loop(self):
            return self._inner.loop

    class SpoiledHost(Wrapped):
        def __init__(self, made):
            super().__init__(made, **(host(made) if host else {}))

        def start(self, settings):
            if "passed_on" in self.__dict__:
                settings = self.__dict__["passed_on"](settings)
            made = self._inner.start(settings)
            return Wrapped(made, **(iut(made) if iut else {}))

    return Liar()


def nothing(*_, **__):
    return None


def counted(_made):
    return {"counters": lambda: dict.fromkeys(("ipackets", "badttl"), 0)}


SLOW = replace(models.openbsd().profile.dialect, master_down_ns=lambda advbase, advskew, ratio: 5 * 10**9)
LIES = {
    "link": (
        {"host": lambda _: {"cable": nothing}},
        "test_capability[link]",
        "claims link .* but its host still answers ARP after its cable was pulled",
    ),
    "counters": (
        {"host": counted},
        "test_capability[counters]",
        "claims counters .* badttl did not grow",
    ),
    "sysctl": (
        {"host": lambda _: {"set_sysctl": nothing}},
        "test_capability[sysctl]",
        "claims sysctl .* but not seen that it reads 0",
    ),
    "kill": (
        {"iut": lambda _: {"kill": nothing}},
        "test_capability[kill]",
        "claims kill .* but not seen that it is gone and silent",
    ),
    "scripts": (
        {"profile": {"pics": dict(models.openbsd().profile.pics) | {"scripts": True}}},
        "test_capability[scripts]",
        "claims scripts .* but not seen that it runs a script",
    ),
    "signals": (
        {"profile": {"pics": dict(models.openbsd().profile.pics) | {"signals": True}}},
        "test_capability[signals]",
        r"claims signals .* but the driver cannot do it \(",
    ),
    "reconfigure": (
        {"iut": lambda _: {"reconfigure": nothing}},
        "test_capability[reconfigure]",
        "claims reconfigure .* but not seen that it advertises advskew 50",
    ),
    "partition": (
        {"bench": lambda _: {"part": nothing}},
        "test_capability[partition]",
        "claims partition .* but not seen that it has two MASTERs",
    ),
    "service": (
        {"host": lambda _: {"serve": nothing}},
        "test_capability[service]",
        r"claims service .* but a connection was answered by \[None\]",
    ),
    "one host": (
        {"profile": {"max_hosts": 1}},
        "test_capability[partition]",
        "claims partition, which takes two hosts, and it has one",
    ),
    "advskew": (
        {"host": lambda _: {"passed_on": lambda settings: replace(settings, advskew=0)}},
        "test_settings_arrive_on_the_wire[advskew-200]",
        "started with advskew 200, it advertises advskew 0: the driver does not pass advskew on",
    ),
    "password": (
        {"host": lambda _: {"passed_on": lambda settings: replace(settings, password="fixed")}},
        "test_settings_arrive_on_the_wire[password-another key]",
        "its digest is not that of the password",
    ),
    "vhid": (
        {"host": lambda _: {"passed_on": lambda settings: replace(settings, vhid=1)}},
        "test_settings_arrive_on_the_wire[vhid-77]",
        "did not advertise vhid 77 from 192.0.2.1 in 8 s",
    ),
    "options": (
        {"host": lambda _: {"passed_on": lambda settings: replace(settings, options={})}},
        "test_settings_that_it_does_not_have_are_refused",
        "it took an option that does not exist",
    ),
    "stop": ({"iut": lambda _: {"stop": nothing}}, "test_stop_ends_it", r"still advertises after stop\(\)"),
    "started_ns": (
        {"iut": lambda made: {"started_ns": made.started_ns - 10**10}},
        "test_it_is_in_backup_when_start_returns",
        "started_ns does not lie between",
    ),
    "running": (
        {"iut": lambda _: {"running": lambda: False}},
        "test_it_is_in_backup_when_start_returns",
        r"running\(\) is false right after start\(\)",
    ),
    "dialect": (
        {"profile": {"dialect": SLOW}},
        "test_it_is_in_backup_when_start_returns",
        "the dialect openbsd demands 4.999 s",
    ),
    "mac": (
        {"host": lambda _: {"mac": bytes(6)}},
        "test_host_is_on_the_wire_with_its_mac",
        "answers from .* and says that its MAC address is 00:00",
    ),
    "password shown": (
        {"iut": lambda made: {"describe": lambda: f"runs with {made.settings.password}"}},
        "test_description_keeps_the_password_to_itself",
        r"describe\(\) shows the password",
    ),
    "words": (
        {"profile": {"pics": {"telepathy": True}}},
        "test_profile_uses_the_words_of_the_suite",
        "its PICS names telepathy, which is not in CAPABILITIES",
    ),
    "rung": (
        {"profile": {"rung": "cloud"}},
        "test_profile_uses_the_words_of_the_suite",
        "its rung 'cloud' is none of sim, netns, vm, lab",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found_and_named(check, lie):
    spoiled, where, says = LIES[lie]
    outcome = check(liar(**spoiled))
    assert where in outcome.failed, outcome.failed
    assert re.search(says, outcome.failed[where]), outcome.failed[where]
    assert outcome.failed[where].startswith("liar: ")
    assert "Traceback" not in outcome.failed[where]
    assert outcome.status == 1


def test_without_a_target_or_a_ready_one_nothing_is_run(check):
    target = liar()
    target.lacks = lambda: (("the moon is missing", "fetch it"),)
    outcome = check(target)
    assert outcome.status == 3
    assert outcome.passed <= {
        name
        for name in outcome.passed
        if "profile" in name or "version" in name or "lacks" in name or "deviations" in name
    }

"""A realistic results document, a small catalogue, and the makers that the tests vary them with."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from conformance.catalogue import Access, Catalogue, Group, Kind, Level, Requirement
from conformance.report import results

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

GROUPS = {
    "WIRE": ("Frames on the wire", "What every byte of an advertisement has to be."),
    "AUTH": ("Authentication", "The HMAC-SHA1 digest: what it covers and what happens when it is wrong."),
    "RX": ("Input validation", "What is checked before anything in an advertisement is believed."),
    "ELECT": ("Election", "Who becomes MASTER, who yields, and what decides it."),
    "TIMER": ("Timers", "When advertisements leave and when a BACKUP stops waiting."),
    "V6": ("IPv6", "The same protocol over ff02::12."),
}
SUBJECTS = (
    "An advertisement leaves with TTL 255.",
    "An advertisement that was recorded and is sent again does not hold a BACKUP back.",
    "A stream whose digest was made with another password is dropped before anything in it is believed.",
    "A BACKUP that hears nothing for the master-down interval becomes MASTER.",
    "A MASTER yields to an advertisement with a shorter interval.",
    "The interval between advertisements is advbase seconds and advskew 256ths of a second.",
    "The destination is the multicast group 224.0.0.18.",
)
LEVELS = (Level.MUST, Level.MUST, Level.SHOULD, Level.MAY)


def make_requirement(id: str, level: Level = Level.MUST, **changes: Any) -> Requirement:
    group = id.split("-")[1]
    facts: dict[str, Any] = {
        "id": id,
        "level": level,
        "kind": Kind.REQUIREMENT,
        "core": True,
        "text": "A BACKUP that hears nothing for the master-down interval becomes MASTER.",
        "holds_for": frozenset({"ucarp", "openbsd"}),
        "notes": "",
        "sources": ("ucarp carp.c packethandler", "measured: openbsd-8.0beta"),
        "test": "Stop the peer and watch.",
        "access": Access.WIRE,
        "counter": None,
        "untestable": None,
        "group": group,
    }
    return Requirement(**(facts | changes))


def make_catalogue(requirements: list[Requirement] | None = None) -> Catalogue:
    if requirements is None:
        requirements = [
            make_requirement(
                f"CARP-{group}-{number:03}",
                LEVELS[number % 4],
                text=SUBJECTS[(number + len(group)) % len(SUBJECTS)],
                notes="ucarp with -M broadcasts instead." if number % 5 == 0 else "",
                untestable="No rung can cut power to one host." if (group, number) == ("TIMER", 12) else None,
            )
            for group in GROUPS
            for number in range(1, 13)
        ]
    present = dict.fromkeys(requirement.group for requirement in requirements)
    groups = tuple(Group(id, *GROUPS.get(id, (id, id))) for id in present)
    return Catalogue(groups, tuple(requirements))


def make_frame(
    t_ms: float, number: int, node: str, *, advskew: int = 100, deciding: bool = False
) -> dict[str, Any]:
    return {
        "t_ms": t_ms,
        "kind": "frame",
        "frame": number,
        "node": node,
        "summary": f"CARP vhid 1 advbase 1 advskew {advskew}",
        "deciding": deciding,
        "fields": [
            ["Ethernet source", "00:00:5e:00:01:01"],
            ["Ethernet destination", "01:00:5e:00:00:12"],
            ["IPv4 source", "10.9.0.1"],
            ["IPv4 destination", "224.0.0.18"],
            ["TTL", "255"],
            ["version and type", "2, 1 (advertisement)"],
            ["vhid", "1"],
            ["advskew", str(advskew)],
            ["advbase", "1"],
            ["checksum", "0x1b7a (right)"],
            ["counter", "0x220237c3783587af"],
            ["digest", "3377b0a49a0c3a633459228700fef920e1adfd90 (wrong password)"],
        ],
    }


def make_timeline(frames: int = 9, *, met: bool | None = True) -> dict[str, Any]:
    """A tester whose wrong-key stream is ignored: the IUT comes up as BACKUP and becomes MASTER in its window."""
    took_over = 3640.0 if met else 7100.0
    events: list[dict[str, Any]] = [
        {"t_ms": 0.0, "kind": "state", "node": "a", "state": "BACKUP"},
        {
            "t_ms": 2.0,
            "kind": "action",
            "node": "tester",
            "summary": "starts advertising 1/0 every 1.000 s, wrong key",
        },
        {"t_ms": took_over, "kind": "state", "node": "a", "state": "MASTER"},
        {
            "t_ms": took_over + 1,
            "kind": "log",
            "node": "a",
            "summary": "[WARNING] Switching to state: MASTER",
        },
    ]
    events += [make_frame(4.0 + 1000 * n, n + 1, "tester", advskew=0) for n in range(frames)]
    events += [
        make_frame(took_over + 4 + 1390.6 * n, frames + 1 + n, "a", deciding=n == 0)
        for n in range(max(1, frames // 3))
    ]
    return {
        "nodes": ["tester", "a"],
        "events": sorted(events, key=lambda event: float(event["t_ms"])),
        "windows": [{"from_ms": 3100.0, "to_ms": 4600.0, "summary": "a becomes MASTER", "met": met}],
        "truncated": False,
    }


def make_case(id: str = "AUTH-001.wrong_key", verdict: str = "pass", **changes: Any) -> dict[str, Any]:
    number = id.split(".", 1)[0]
    group = number.split("-")[0]
    told = {
        "pass": "",
        "fail": "The BACKUP stayed BACKUP for 7.100 s although every advertisement it heard had a wrong digest.",
        "inconclusive": "The rig was late by 212 ms, more than the 90 ms that the window leaves.",
        "not_applicable": "The target declares that it does not support IPv6.",
        "known_deviation": "It accepted the replayed advertisement and stayed BACKUP.",
        "error": "The target did not start: ucarp: unknown interface 'v0'.",
    }[verdict]
    case: dict[str, Any] = {
        "id": id,
        "group": group,
        "title": "A stream whose digest was made with another password must not hold a BACKUP back",
        "requirements": [f"CARP-{number}"],
        "verdict": verdict,
        "reason": told,
        "expected": ["a becomes MASTER between 3.100 s and 4.600 s", "a stays MASTER if it already was"],
        "actual": "a became MASTER after 3.640 s" if verdict == "pass" else "a stayed BACKUP",
        "duration_s": 4.2,
        "evidence": None if verdict in ("not_applicable", "error") else f"evidence/{id}.pcapng",
        "frames": [10] if verdict in ("pass", "fail", "known_deviation") else [],
        "deviation": {"reason": "ucarp keeps no replay counter.", "reference": "ucarp carp.c packethandler"}
        if verdict == "known_deviation"
        else None,
        "reproduce": f"carp-conformance run --target ucarp '{id}'",
        "nodeid": f"conformance/suite/test_{group.lower()}.py::test_{id}",
        "source": f"conformance/suite/test_{group.lower()}.py:41",
        "detail": "Traceback (most recent call last):\n  File …\nRigError: v0 is gone\n"
        if verdict == "error"
        else "",
        "timeline": None
        if verdict in ("not_applicable", "error")
        else make_timeline(met={"pass": True, "inconclusive": None}.get(verdict, False)),
    }
    return case | changes


def make_document(
    cases: list[dict[str, Any]], catalogue: Catalogue | None = None, **changes: Any
) -> dict[str, Any]:
    summary = results.summarise(cases)
    document = {
        "schema": 1,
        "suite": {
            "name": "carp-conformance",
            "version": "0.1.0",
            "commit": "3f2c1ab90d",
            "catalogue": "sha256:" + "ab" * 32,
        },
        "target": {
            "name": "ucarp",
            "dialect": "ucarp",
            "rung": "netns",
            "version": "1.5.2",
            "pics": {"ipv6": False, "preempt": True, "demotion": False, "advbase_range": [1, 255]},
        },
        "started": "2026-11-22T16:00:00Z",
        "ended": "2026-11-22T16:00:52Z",
        "duration_s": 52.1,
        "cases_duration_s": sum(case["duration_s"] for case in cases),
        "lanes": 24,
        "seed": 7,
        "arguments": ["run", "--target", "ucarp"],
        "rig": {"lateness_max_ms": 3.1, "lateness_p99_ms": 0.4, "frames_dropped": 0},
        "summary": summary,
        "verdict": results.overall(summary),
        "cases": cases,
        "requirements": results.requirement_verdicts(cases, catalogue or make_catalogue()),
        "invariants": [],
    }
    return document | changes


def make_run(per_requirement: int = 1, failing: bool = True) -> dict[str, Any]:
    """A whole run over the small catalogue with all verdicts in it, the same each time."""
    dice = random.Random(112)
    cases = []
    for group in GROUPS:
        for number in range(1, 12):
            for variant in range(per_requirement):
                verdict = "not_applicable" if group == "V6" else "pass"
                if number == 7 and group != "V6":
                    verdict = "known_deviation"
                if failing and variant == 0:
                    verdict = {
                        ("AUTH", 3): "fail", ("RX", 5): "fail", ("TIMER", 2): "inconclusive", ("ELECT", 4): "error",
                    }.get((group, number), verdict)  # fmt: skip
                cases.append(
                    make_case(
                        f"{group}-{number:03}.stream_{variant}_is_dropped[better-{variant}]",
                        verdict,
                        title=SUBJECTS[(number + variant) % len(SUBJECTS)],
                        duration_s=round(dice.uniform(0.2, 9), 3),
                    )
                )
    return make_document(cases)


Maker = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; without one the test is skipped, but fails in CI."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("No Chromium is installed, and on CI pages have to be seen in one; install chromium.")
        pytest.skip("No Chromium is installed, so pages cannot be seen in a browser; install chromium.")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture
def catalogue() -> Catalogue:
    return make_catalogue()


@pytest.fixture
def requirement() -> Maker:
    return make_requirement


@pytest.fixture
def catalogue_of() -> Maker:
    return make_catalogue


@pytest.fixture
def case() -> Maker:
    return make_case


@pytest.fixture
def frame() -> Maker:
    return make_frame


@pytest.fixture
def timeline() -> Maker:
    return make_timeline


@pytest.fixture
def document_of() -> Maker:
    return make_document


@pytest.fixture
def document() -> dict[str, Any]:
    return make_run()


@pytest.fixture(scope="session")
def run_of() -> Maker:
    return make_run

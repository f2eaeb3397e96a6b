"""The target of ``--target``, its lanes, and one way to say what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from conformance.targets.experiments.trial import Trial, trial
from conformance.targets.protocol import Bench, Target
from conformance.targets.registry import chosen


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    """The target to prove; without one, or where it cannot be run, nothing is."""
    options = request.config
    name, path = options.getoption("--target"), options.getoption("--pixit")
    if not name:
        pytest.exit(
            "say which target: pytest --pyargs conformance.targets.selfcheck --target X", returncode=4
        )
    return chosen(name, Path(path) if path else None, options.getoption("--interface"))


@pytest.fixture(scope="session")
def benches(target: Target) -> Iterator[Callable[[int], Bench]]:
    """Lanes by number of hosts, each made once."""
    lacks = target.lacks()
    if lacks:
        what = "; ".join(f"{lack}: {remedy}" for lack, remedy in lacks)
        pytest.exit(f"{target.profile.name} cannot be run here: {what}", returncode=3)
    made: dict[int, Bench] = {}
    with ExitStack() as stack:

        def bench(count: int) -> Bench:
            if count not in made:
                made[count] = stack.enter_context(target.bench(count))
            return made[count]

        yield bench


@pytest.fixture
def lane(target: Target, benches: Callable[[int], Bench]) -> Iterator[Trial]:
    """A clean lane with one host."""
    with trial(target, benches(1)) as clean:
        yield clean


Promise = Callable[[bool, str], None]


@pytest.fixture
def promise(target: Target) -> Promise:
    """``promise(kept, sentence)``: the sentence says what the driver of the target does wrong if it is not kept."""

    def check(kept: bool, sentence: str) -> None:
        if not kept:
            pytest.fail(f"{target.profile.name}: {sentence}", pytrace=False)

    return check

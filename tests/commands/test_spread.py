"""Cells on several hosts: the merged results are those of one host; what a host lacks is one sentence."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from conformance.commands import spread
from conformance.commands.errors import CommandError
from conformance.commands.matrix import Order, run_matrix
from conformance.interop.facts import facts, suite_digest
from conformance.interop.order import MatrixOrder
from conformance.lab.netns import may_create

ORDER = MatrixOrder(("model:openbsd", "model:freebsd", "model:ucarp"), ("join", "alias-on-a", "trio"))
PYTHON = shlex.quote(sys.executable)


def ordered(out: Path, *gateways: str) -> dict[str, Any]:
    order = Order(ORDER.targets, ORDER.scenarios, out, lanes=None if gateways else 1, gateways=gateways)
    document, _ = run_matrix(order, [])
    return {key: value for key, value in document.items() if key not in ("started", "ended")}


@pytest.mark.skipif(not may_create(), reason="no network namespaces here: see carp-conformance doctor")
def test_two_hosts_give_what_one_gives(tmp_path: Path) -> None:
    """Each gateway is in a network namespace and a folder of its own, as far from the other as another machine."""
    there = [f"popen//python=unshare --net {PYTHON}//chdir={tmp_path / name}" for name in ("one", "two")]
    alone, merged = ordered(tmp_path / "alone"), ordered(tmp_path / "merged", *there)
    assert merged == alone
    captures = sorted(path.name for path in (tmp_path / "alone/evidence").iterdir())
    assert captures == sorted(path.name for path in (tmp_path / "merged/evidence").iterdir())
    for name in captures:
        assert (tmp_path / "alone/evidence" / name).read_bytes() == (
            tmp_path / "merged/evidence" / name
        ).read_bytes()
    assert json.loads((tmp_path / "merged/results.json").read_text())["cells"] == merged["cells"]


class TestRefusals:
    def test_a_host_that_cannot_be_reached(self) -> None:
        with pytest.raises(
            CommandError, match=r"--tx popen//python=/nowhere: no python could be started there"
        ):
            spread.hosts(["2*popen//python=/nowhere"], ORDER)

    def test_a_python_without_the_suite(self) -> None:
        bare = f"popen//python={PYTHON} -S -E"
        with pytest.raises(CommandError, match="carp-conformance does not answer there"):
            spread.hosts([bare], ORDER)

    def test_lanes_are_for_this_host(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="--lanes is for this host alone"):
            Order.of("model:ucarp", None, tmp_path, None, 1, 2, quiet=True, gateways=["popen"])

    @pytest.mark.parametrize(
        ("other", "said"),
        [
            ({"lacks": ["ucarp: it is missing: apt-get install ucarp"]}, "b: ucarp: it is missing: apt-get"),
            ({"suite": "another"}, "b has another carp-conformance than this host"),
            ({"versions": {"ucarp": "1.4"}}, "a and b have different implementations"),
        ],
    )
    def test_hosts_that_differ(
        self, monkeypatch: pytest.MonkeyPatch, other: Mapping[str, Any], said: str
    ) -> None:
        alike = {
            "suite": suite_digest(),
            "versions": {"ucarp": "1.5"},
            "lacks": [],
            "machine": {"kernel": "6"},
        }
        answers = {"a": alike, "b": alike | other}
        monkeypatch.setattr(spread, "_ask", lambda one, _: answers[one])
        with pytest.raises(CommandError, match=said):
            spread.hosts(["a", "4*b"], ORDER)

    def test_a_fact_in_which_hosts_differ_is_kept_for_both(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = {
            name: facts(ORDER.dumps()) | {"machine": {"kernel": kernel, "cores": 2}}
            for name, kernel in (("a", "6.1"), ("b", "6.8"))
        }
        monkeypatch.setattr(spread, "_ask", lambda one, _: answers[one])
        assert spread.hosts(["a", "b"], ORDER).machine == {"kernel": "6.1 / 6.8", "cores": 2}


def test_an_order_survives_the_way() -> None:
    order = MatrixOrder(("ucarp",), ("join",), "netns", 3)
    assert MatrixOrder.loads(order.dumps()) == order

"""The schemas are sound, accept what the contract shows, and name the place of a fault."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import jsonschema
import pytest

from conformance.report import schema


def test_who_validates_nothing_does_not_wait_for_the_library() -> None:
    line = "import sys; from conformance.report import schema; sys.exit('jsonschema' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", line], check=False).returncode == 0


DOCUMENTS: dict[str, dict[str, Any]] = {
    "list": {
        "requirements": [
            {
                "id": "CARP-AUTH-001", "level": "MUST", "text": "The digest covers the vhid.",
                "cases": ["AUTH-001.vhid"], "monitors": [], "untestable": None,
            }
        ],
        "cases": [{"id": "AUTH-001.vhid", "title": "The digest covers the vhid", "requirements": ["CARP-AUTH-001"]}],
    },
    "doctor": {
        "checks": [{"id": "netns", "ok": False, "what": "no namespaces", "remedy": "sysctl -w kernel.x=1"}],
        "targets": [{"name": "ucarp", "ready": False}],
    },
    "targets": {"targets": [{"name": "ucarp", "rung": "netns", "dialect": "ucarp", "pics": {"ipv6": False}}]},
    "mutants": {
        "mutants": [
            {"id": "ttl-unchecked", "group": "RX", "violates": ["CARP-RX-002"], "killed": True, "killed_by": ["RX-002.a"]}
        ],
        "summary": {"total": 1, "killed": 1, "survived": 0},
    },
}  # fmt: skip


class TestSchemas:
    def test_every_schema_is_a_schema(self) -> None:
        assert set(schema.names()) >= {"results", "list", "doctor", "targets", "mutants"}
        for name in schema.names():
            jsonschema.Draft202012Validator.check_schema(schema.schema(name))

    def test_a_schema_is_a_new_dict_each_time(self) -> None:
        schema.schema("list").clear()
        assert schema.schema("list")["type"] == "object"

    def test_an_unknown_name_lists_the_known_ones(self) -> None:
        with pytest.raises(schema.UnknownSchema, match="'nonsense'.*doctor, fidelity, .*list"):
            schema.schema("nonsense")

    @pytest.mark.parametrize("name", sorted(DOCUMENTS))
    def test_the_documents_of_the_design_are_valid(self, name: str) -> None:
        schema.validate(DOCUMENTS[name], name)

    @pytest.mark.parametrize(
        ("name", "keys"), [(name, (key,)) for name, one in sorted(DOCUMENTS.items()) for key in one], ids=str
    )
    def test_every_key_of_the_design_is_required(self, name: str, keys: tuple[str]) -> None:
        broken = copy.deepcopy(DOCUMENTS[name])
        del broken[keys[0]]
        with pytest.raises(schema.InvalidDocument, match=keys[0]):
            schema.validate(broken, name)

    def test_a_lack_needs_its_remedy(self) -> None:
        broken = copy.deepcopy(DOCUMENTS["doctor"])
        broken["checks"][0]["remedy"] = None
        with pytest.raises(schema.InvalidDocument, match=r"\$\.checks\[0\]\.remedy"):
            schema.validate(broken, "doctor")

    @pytest.mark.parametrize(("killed", "by"), [(True, []), (False, ["RX-002.a"])])
    def test_a_mutant_is_killed_by_somebody_or_not_at_all(self, killed: bool, by: list[str]) -> None:
        broken = copy.deepcopy(DOCUMENTS["mutants"])
        broken["mutants"][0] |= {"killed": killed, "killed_by": by}
        with pytest.raises(schema.InvalidDocument, match="killed_by"):
            schema.validate(broken, "mutants")


class TestResults:
    def test_the_realistic_run_is_valid(self, document: dict[str, Any]) -> None:
        schema.validate(document, "results")

    @pytest.mark.parametrize(
        ("place", "value", "path"),
        [
            (("verdict",), "passes", "$.verdict"),
            (("cases", 1, "verdict"), "passed", "$.cases[1].verdict"),
            (("cases", 0, "colour"), "red", "$.cases[0]"),
            (("cases", 0, "duration_s"), -1, "$.cases[0].duration_s"),
            (("cases", 0, "requirements"), ["AUTH-001"], "$.cases[0].requirements[0]"),
            (("cases", 0, "evidence"), "javascript:alert(1)", "$.cases[0].evidence"),
            (("cases", 0, "evidence"), "evidence/../../x.pcapng", "$.cases[0].evidence"),
            (("cases", 0, "timeline", "events", 0, "kind"), "noise", "$.cases[0].timeline.events[0].kind"),
            (("cases", 0, "timeline", "events", 0), {"t_ms": 1, "kind": "frame", "node": "a"},
             "$.cases[0].timeline.events[0]"),
            (("summary", "pass"), "70", "$.summary.pass"),
            (("started",), "22 November", "$.started"),
            (("started",), "2026-11-22T16:00:00", "$.started"),
            (("started",), "2026-13-40T16:00:00Z", "$.started"),
            (("target", "rung"), "moon", "$.target.rung"),
            (("schema",), 2, "$.schema"),
        ],
    )  # fmt: skip
    def test_a_fault_is_named_by_its_path(
        self, document: dict[str, Any], place: tuple[Any, ...], value: object, path: str
    ) -> None:
        spot: Any = document
        for step in place[:-1]:
            spot = spot[step]
        spot[place[-1]] = value
        with pytest.raises(schema.InvalidDocument) as caught:
            schema.validate(document, "results")
        assert caught.value.path == path
        assert path in str(caught.value)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        "verdict", ["fail", "inconclusive", "not_applicable", "known_deviation", "error"]
    )
    def test_every_verdict_but_pass_needs_a_reason(self, document: dict[str, Any], verdict: str) -> None:
        document["cases"][0] |= {
            "verdict": verdict,
            "reason": "",
            "deviation": {"reason": "r", "reference": ""},
        }
        with pytest.raises(schema.InvalidDocument, match="reason"):
            schema.validate(document, "results")

    def test_a_known_deviation_needs_its_deviation(self, document: dict[str, Any]) -> None:
        document["cases"][0] |= {"verdict": "known_deviation", "reason": "so", "deviation": None}
        with pytest.raises(schema.InvalidDocument, match="deviation"):
            schema.validate(document, "results")

    def test_the_message_stays_short(self, document: dict[str, Any]) -> None:
        document["cases"][0]["verdict"] = "x" * 10_000
        with pytest.raises(schema.InvalidDocument) as caught:
            schema.validate(document, "results")
        assert len(str(caught.value)) < 400

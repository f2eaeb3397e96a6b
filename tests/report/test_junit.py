"""JUnit XML keeps its schema, counts right, and is read by another program as it was meant."""

from __future__ import annotations

from importlib import resources
from typing import Any

import junitparser
import pytest
from lxml import etree

from conformance.report.junit import junit

HOSTILE = "a\x00b\x1b[31m ]]> </testcase><script>\"'&\u202e\udc80\ufffe"


def parsed(document: dict[str, Any]) -> etree._Element:
    """The XML of `document`, checked against the schema."""
    xsd = resources.files("conformance.report") / "schema" / "junit.xsd"
    tree = etree.fromstring(junit(document))
    etree.XMLSchema(etree.fromstring(xsd.read_bytes())).assertValid(tree)
    return tree


class TestJUnit:
    def test_a_realistic_run_keeps_the_schema(self, document: dict[str, Any]) -> None:
        tree = parsed(document)
        assert [suite.get("name") for suite in tree] == ["WIRE", "AUTH", "RX", "ELECT", "TIMER", "V6"]

    def test_the_counts_are_those_of_the_elements(self, document: dict[str, Any]) -> None:
        tree = parsed(document)
        for counted in (tree, *tree):
            for attribute, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
                assert int(counted.get(attribute)) == len(list(counted.iter(element)))
            assert int(counted.get("tests")) == len(list(counted.iter("testcase")))
        assert (tree.get("tests"), tree.get("failures"), tree.get("errors"), tree.get("skipped")) == (
            "66",
            "2",
            "1",
            "12",
        )

    @pytest.mark.parametrize(
        ("verdict", "element"),
        [
            ("fail", "failure"),
            ("error", "error"),
            ("inconclusive", "skipped"),
            ("not_applicable", "skipped"),
            ("pass", None),
            ("known_deviation", None),
        ],
    )
    def test_each_verdict_has_its_element(
        self, case: Any, document_of: Any, verdict: str, element: str | None
    ) -> None:
        one = case(verdict=verdict)
        told = [
            child for child in parsed(document_of([one])).find(".//testcase") if child.tag != "properties"
        ]
        assert [child.tag for child in told] == ([element] if element else [])
        for child in told:
            assert child.get("message") == one["reason"]
            assert child.get("type") == verdict
            assert f"again: {one['reproduce']}" in child.text
            assert f"expected: {one['expected'][1]}" in child.text

    def test_the_properties_carry_the_evidence(self, case: Any, document_of: Any) -> None:
        one = case(verdict="known_deviation", requirements=["CARP-AUTH-001", "CARP-RX-002"], frames=[3, 9])
        read = parsed(document_of([one])).findall(".//testcase/properties/property")
        assert [(each.get("name"), each.get("value")) for each in read] == [
            ("verdict", "known_deviation"),
            ("title", one["title"]),
            ("requirement", "CARP-AUTH-001"),
            ("requirement", "CARP-RX-002"),
            ("source", one["source"]),
            ("evidence", "evidence/AUTH-001.wrong_key.pcapng"),
            ("frames", "3 9"),
            ("known_deviation", "ucarp keeps no replay counter."),
            ("known_deviation.reference", "ucarp carp.c packethandler"),
        ]

    def test_the_suite_says_what_ran_against_what(self, case: Any, document_of: Any) -> None:
        document = document_of([case()], notes=["This run was interrupted."])
        document["suite"]["commit"] = document["target"]["version"] = None
        suite = parsed(document)[0]
        read = {each.get("name"): each.get("value") for each in suite.findall("properties/property")}
        assert (read["target.rung"], read["verdict"], read["note"]) == (
            "netns",
            "conforms",
            "This run was interrupted.",
        )
        assert read["suite.commit"] == read["target.version"] == "unknown"
        assert suite.get("timestamp") == "2026-11-22T16:00:00"

    def test_times_are_of_the_run_and_of_the_cases(self, case: Any, document_of: Any) -> None:
        cases = [case(), case("AUTH-002.b", duration_s=1.0005)]
        tree = parsed(document_of(cases))
        assert (tree.get("time"), tree[0].get("time")) == ("52.100", "5.200")
        assert parsed(document_of(cases, duration_s=None)).get("time") == "5.200"

    def test_no_case_is_no_suite(self, document_of: Any) -> None:
        assert len(parsed(document_of([]))) == 0

    def test_hostile_text_does_not_break_it(self, case: Any, document_of: Any) -> None:
        texts = ("title", "reason", "actual", "detail", "source", "reproduce")
        one = case(f"AUTH-001.{HOSTILE}", "fail", expected=[HOSTILE], **dict.fromkeys(texts, HOSTILE))
        document = document_of([one])
        document["target"] |= {"name": HOSTILE, "version": HOSTILE}
        read = parsed(document).find(".//failure")
        assert read.get("message") == "a\\x00b\\x1b[31m ]]> </testcase><script>\"'&\\u202e\\udc80\\ufffe"

    def test_another_program_reads_the_same(self, document: dict[str, Any]) -> None:
        read = junitparser.JUnitXml.fromstring(junit(document))
        cases = [case for suite in read for case in suite]
        assert [case.name for case in cases] == [case["id"] for case in document["cases"]]
        assert [
            case.name for case in cases if any(isinstance(r, junitparser.Failure) for r in case.result)
        ] == [case["id"] for case in document["cases"] if case["verdict"] == "fail"]
        assert [case.name for case in cases if case.is_skipped] == [
            case["id"] for case in document["cases"] if case["verdict"] in ("inconclusive", "not_applicable")
        ]

"""What a device says cannot be obeyed by a terminal, an XML parser or a page."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.report.visible import clip, visible


class TestVisible:
    @pytest.mark.parametrize(
        ("text", "seen"),
        [
            ("plain ümlaut 漢字 😀", "plain ümlaut 漢字 😀"),
            ("a\tb\nc\r\nd", "a\tb\nc\nd"),
            ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
            ("nul\x00", "nul\\x00"),
            ("cr\rx", "cr\\x0dx"),
            ("\u202egnp.exe", "\\u202egnp.exe"),
            ("\u2066x\u2069", "\\u2066x\\u2069"),
            ("zero\u200bwidth", "zero\\u200bwidth"),
            ("\udc80", "\\udc80"),
            ("\ufffe", "\\ufffe"),
            ("\U0001ffff", "\\U0001ffff"),
            ("\U000e0041", "\\U000e0041"),
        ],
    )
    def test_what_would_be_obeyed_is_shown(self, text: str, seen: str) -> None:
        assert visible(text) == seen

    @given(st.text(st.characters()))
    def test_whatever_comes_is_legal_xml_and_stays_so(self, text: str) -> None:
        element = ET.Element("x")
        element.text = visible(text)
        assert (ET.fromstring(ET.tostring(element)).text or "") == visible(text)
        assert visible(visible(text)) == visible(text)


class TestClip:
    def test_short_text_stays(self) -> None:
        assert clip("abc", 3) == "abc"

    def test_what_was_left_out_is_counted(self) -> None:
        assert clip("abcdef", 2) == "ab… (4 more characters in results.json)"

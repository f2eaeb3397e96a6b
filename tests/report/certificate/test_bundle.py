"""The bundle: equal material makes equal bytes; the certificate states all that it must; pages are self-contained."""

from __future__ import annotations

import contextlib
import html
import json
import re
import sys

import pytest

from conformance.report.certificate import bundle, documents
from conformance.report.certificate.archive import pack, unpack
from conformance.report.certificate.capture import DamagedCapture, read, rewritten
from conformance.report.certificate.documents import NotJson, parse
from conformance.report.certificate.page import NoPdf, certificate_page, page, pdf


def test_equal_material_makes_equal_bytes(made, material):
    assert bundle.bundle(material(), ())[0] == made


def test_manifest_lists_every_other_file(files):
    listed = json.loads(files["manifest.json"])
    assert [row["path"] for row in listed["files"]] == sorted(set(files) - {"manifest.json"})


def test_every_document_keeps_its_schema(files):
    for name in ("certificate", "pics", "pixit", "manifest"):
        documents.validate(json.loads(files[f"{name}.json"]), name)


def test_interop_is_in_the_bundle_if_it_was_given(material, monkeypatch):
    monkeypatch.setattr(bundle, "pdf", lambda _: b"%PDF")
    interop = {"schema": 1, "partners": [{"name": "x", "origin": "X", "rung": "vm"}], "cells": []}
    files = unpack(bundle.bundle(material(interop=interop), ())[0], "it").files
    assert json.loads(files["interop.json"]) == interop
    assert json.loads(files["certificate.json"])["scope"]["partners"] == ["x"]


def test_certificate_states_what_it_must(files):
    text = re.sub(r"\s+", " ", files["certificate.html"].decode())
    for stated in ("Statement of results", "Balancer", "Muster", "7.1", "IPv4", "MASTER", "sim", "sha256:", "2026-11-22 18:00:00 UTC",
                   "Known deviations", "whose fifth byte is 0", "Not applicable", "None.", "timers ran at most", "carp-conformance verify", "CARP-WIRE-004", "R13"):  # fmt: skip
        assert stated in text, stated


def test_claim_is_titled_as_one(files):
    stated = json.loads(files["certificate.json"]) | {"claims_conformance": True}
    assert "Certificate of conformance" in certificate_page(stated)


def test_page_has_no_remote_asset_and_no_script(files):
    text = files["certificate.html"].decode()
    assert "<script" not in text
    assert not re.search(r"""(src|href)\s*=|url\(|@import""", text)
    assert "default-src 'none'" in html.unescape(text)


def test_pdf_is_made_of_the_page_alone_and_fetches_nothing():
    made = pdf(
        '<html lang="en"><title>t</title><body>x<img alt="no" src="file:///etc/hostname"><img alt="no" src="http://192.0.2.1/x"></body></html>'
    )
    assert made.startswith(b"%PDF")


def test_missing_library_is_said_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(NoPdf, match=r"carp-conformance\[report\]"):
        pdf("<p>")


def test_unknown_value_in_a_template_is_an_error():
    with pytest.raises(Exception, match="undefined"):
        page("certificate.html.j2", title="x")


def test_digest_of_a_package_is_that_of_its_files(tmp_path):
    from conformance.report.certificate.bundle import _package

    for path in ("a.py", "sub/b.toml", "__pycache__/a.pyc", "c.pyc"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(path)
    assert sorted(path for path, _ in _package(tmp_path, "")) == ["a.py", "sub/b.toml"]


@pytest.mark.parametrize("data", [b"", b"short", b"\xff" * 64])
def test_bytes_that_are_no_capture_are_refused(data):
    with pytest.raises(DamagedCapture):
        read(data)


def test_every_byte_of_a_capture_outside_its_texts_matters(files):
    """Cut anywhere, a capture is either refused or has fewer frames."""
    data = next(content for path, content in sorted(files.items()) if path.startswith("evidence/WIRE"))
    whole = len(read(data).packets)
    for end in range(0, len(data), 11):
        with contextlib.suppress(DamagedCapture):
            assert len(read(data[:end]).packets) < whole


def test_rewriting_comments_leaves_the_frames(files):
    data = next(content for path, content in sorted(files.items()) if path.startswith("evidence/WIRE"))
    assert rewritten(data, lambda text: text) == data
    changed = read(rewritten(data, lambda _: "x" * 70_000))
    assert [one.data for one in changed.packets] == [one.data for one in read(data).packets]
    assert len(changed.comment) == 65_535


@pytest.mark.parametrize("content", [b"[]", b"{", b"\xff", b"[" * 100_000])
def test_bytes_that_are_no_document_are_refused(content):
    with pytest.raises(NotJson):
        parse(content, "x.json")


@pytest.mark.parametrize("path", ["../up", "/abs", "a\\b", ".hidden", "a//b", "a/../b"])
def test_path_that_leaves_the_folder_is_refused(path):
    assert unpack(pack({path: b"x"}), "it").damage

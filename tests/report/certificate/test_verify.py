"""Whatever was changed in a bundle is found and named, by whom it may have been."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from conformance.report.certificate import documents, sign
from conformance.report.certificate.archive import NotABundle, pack

Files = dict[str, bytes]


def named(document: dict[str, Any]) -> set[str]:
    return {problem["file"] for problem in document["problems"]}


def said(document: dict[str, Any]) -> str:
    return json.dumps(document["problems"])


def a_capture(files: Files) -> str:
    return next(path for path in sorted(files) if path.startswith("evidence/WIRE"))


def test_untouched_bundle_verifies(made, verified):
    document = verified(made)
    assert document["verified"], document["problems"]
    assert document["signature"] == "none"
    assert document["basis"]["monitor"] > 0
    assert document["basis"]["window"] > 0
    assert document["basis"]["frames"] > 0
    assert document["basis"]["host"] > 0


def test_cases_that_rest_on_the_host_are_told(made, verified):
    cases = {case["id"]: case for case in verified(made)["cases"]}
    assert cases["CONF-001.vhid_beyond_the_limits_is_refused[0]"]["basis"] == "host"
    assert all(case["recomputed"] for id, case in cases.items() if id.startswith("WIRE-004"))


PATHS = ("certificate.json", "certificate.html", "certificate.pdf", "results.json", "junit.xml", "report.html", "pics.json",
         "pixit.json", "environment.json", "README.txt", "manifest.json", "evidence")  # fmt: skip


@pytest.mark.parametrize("where", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("path", PATHS)
def test_one_changed_byte_of_a_file_is_found_and_the_file_named(made, files, verified, path, where):
    path = a_capture(files) if path == "evidence" else path
    start = made.index(files[path])
    data = bytearray(made)
    data[start + int(where * len(files[path]))] ^= 0x01
    document = verified(bytes(data))
    assert not document["verified"]
    assert path in named(document)


def test_every_byte_of_the_zip_between_the_files_counts(made, verified):
    """Flipping any byte of one local header, of one central entry, of the end record: each is found, none crashes."""
    archive = zipfile.ZipFile(io.BytesIO(made))
    first = archive.infolist()[3]
    local = range(first.header_offset, first.header_offset + 30 + len(first.filename))
    central = range(archive.start_dir, archive.start_dir + 46 + len(archive.infolist()[0].filename))
    end = range(len(made) - 22, len(made))
    for at in (*local, *central, *end):
        data = bytearray(made)
        data[at] ^= 0x01
        with contextlib.suppress(NotABundle):
            assert not verified_quickly(bytes(data)), f"byte {at} was changed and nobody noticed"


def verified_quickly(data: bytes) -> bool:
    from conformance.report.certificate.archive import unpack

    return not unpack(data, "it").damage


Tampering = Callable[[Files], None]


def drop(path: str) -> Tampering:
    return lambda files: files.pop(path) and None


def edit(path: str, old: str, new: str) -> Tampering:
    def change(files: Files) -> None:
        assert old.encode() in files[path]
        files[path] = files[path].replace(old.encode(), new.encode(), 1)

    return change


def add(path: str) -> Tampering:
    return lambda files: files.__setitem__(path, b"hello")


def swap(files: Files) -> None:
    one, other = sorted(path for path in files if path.startswith("evidence/WIRE"))[:2]
    files[one], files[other] = files[other], files[one]


def drop_capture(files: Files) -> None:
    files.pop(a_capture(files))


SINGLE_FILES = {
    "a capture is gone": (drop_capture, "evidence/"),
    "two captures change places": (swap, "evidence/"),
    "the results are gone": (drop("results.json"), "results.json"),
    "the certificate is gone": (drop("certificate.json"), "certificate.json"),
    "the page is gone": (drop("certificate.html"), "certificate.html"),
    "the PDF is gone": (drop("certificate.pdf"), "certificate.pdf"),
    "the environment is gone": (drop("environment.json"), "environment.json"),
    "the PICS is gone": (drop("pics.json"), "pics.json"),
    "the PIXIT is gone": (drop("pixit.json"), "pixit.json"),
    "the JUnit file is gone": (drop("junit.xml"), "junit.xml"),
    "a file was added": (add("extra.txt"), "extra.txt"),
    "a capture was added": (add("evidence/extra.pcapng"), "evidence/extra.pcapng"),
    "another product": (edit("certificate.json", "Balancer", "Balancerx"), "certificate.html"),
    "a claim that the rules do not allow": (
        edit("certificate.json", '"claims_conformance": false', '"claims_conformance": true'),
        "certificate.json",
    ),
    "the page claims more": (
        edit("certificate.html", "No claim of conformance is made", "Conforms"),
        "certificate.html",
    ),
    "another summary": (edit("results.json", '"fail": 0', '"fail": 1'), "results.json"),
    "a deviation with another reason": (
        edit("results.json", "whose fifth byte", "of which a byte"),
        "evidence/",
    ),
    "another count of passed tests in JUnit": (
        edit("junit.xml", 'failures="0"', 'failures="1"'),
        "junit.xml",
    ),
    "an environment of another shape": (edit("environment.json", '"cores"', '"kerne"'), "environment.json"),
    "another machine": (
        edit("environment.json", '"architecture": "', '"architecture": "z'),
        "certificate.json",
    ),
    "another capability": (edit("pics.json", '"claimed": false', '"claimed": true'), "certificate.json"),
    "a PIXIT with a password": (edit("pixit.json", '"password": null', '"password": "x"'), "pixit.json"),
    "results that are no JSON": (lambda files: files.__setitem__("results.json", b"{"), "results.json"),
    "results of another shape": (edit("results.json", '"lanes"', '"lanez"'), "results.json"),
}


@pytest.mark.parametrize("name", SINGLE_FILES)
def test_a_changed_file_is_found_although_the_manifest_was_written_again(files, verified, repacked, name):
    """The maker of such a bundle has no key, but all the tools: digests alone would not find it."""
    tamper, blamed = SINGLE_FILES[name]
    tamper(files)
    document = verified(repacked(files))
    assert not document["verified"]
    assert any(path.startswith(blamed) for path in named(document)), document["problems"]


@pytest.mark.parametrize("name", SINGLE_FILES)
def test_a_changed_file_is_found_by_the_manifest_that_came_with_it(files, verified, name):
    SINGLE_FILES[name][0](files)
    assert not verified(pack(files))["verified"]


def test_a_pass_that_was_no_pass_is_found_in_the_capture(run_document, material, verified):
    """A vendor with a key turns a deviation into a pass before anything is made and signed: the capture contradicts."""
    from conformance.catalogue import load
    from conformance.report import results
    from conformance.report.certificate import bundle

    case = next(case for case in run_document["cases"] if case["verdict"] == "known_deviation")
    case |= {"verdict": "pass", "reason": "", "deviation": None}
    run_document["summary"] = results.summarise(run_document["cases"])
    run_document["requirements"] = results.requirement_verdicts(run_document["cases"], load())
    document = verified(bundle.bundle(material(run_document), ())[0])
    assert case["evidence"] in named(document)
    assert case["id"] in said(document)


def capture_with(data: bytes, number: int, offset: int, value: int) -> bytes:
    """``data`` with one byte of frame ``number`` replaced."""
    changed, at, seen = bytearray(data), 0, 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        seen += kind == 6
        if kind == 6 and seen == number:
            changed[at + 28 + offset] = value
            return bytes(changed)
        at += size
    raise AssertionError(number)


def test_a_forged_frame_is_found_by_its_fields_and_by_the_monitors(run_document, files, verified, repacked):
    """A TTL of 254 put into the deciding frame of the case that says it was 255."""
    case = next(case for case in run_document["cases"] if case["id"].startswith("WIRE-004"))
    files[case["evidence"]] = capture_with(files[case["evidence"]], case["frames"][0], 14 + 8, 254)
    document = verified(repacked(files))
    assert case["evidence"] in named(document)
    assert "a monitor sees CARP-WIRE-004 broken" in said(document)
    assert "are not those in the results" in said(document)


def test_a_moved_time_stamp_is_found(run_document, files, verified, repacked):
    case = next(case for case in run_document["cases"] if case["id"].startswith("ELECT-002"))
    path, data = case["evidence"], bytearray(files[case["evidence"]])
    at = data.index(struct.pack("<I", 6), 100)
    while struct.unpack_from("<I", data, at)[0] == 6 and at + struct.unpack_from("<I", data, at + 4)[0] < len(
        data
    ):
        at += struct.unpack_from("<I", data, at + 4)[0]
    struct.pack_into(
        "<I", data, at + 16, (struct.unpack_from("<I", data, at + 16)[0] + 5_000_000) & 0xFFFFFFFF
    )
    files[path] = bytes(data)
    document = verified(repacked(files))
    assert path in named(document)


def test_a_window_that_its_frame_misses_is_found(run_document, files, verified, repacked):
    text = json.loads(files["results.json"])
    case = next(c for c in text["cases"] if c["id"].startswith("ELECT-002") and c["timeline"]["windows"])
    for window in case["timeline"]["windows"]:
        window["to_ms"] = window["from_ms"] + 0.5
    files["results.json"] = documents.dump(text)
    document = verified(repacked(files))
    assert "window" in said(document)


def test_an_unnamed_break_of_the_rules_is_found(files, verified, repacked):
    """A run that was cut short and is passed off as whole."""
    text = json.loads(files["results.json"])
    text["ended"] = None
    files["results.json"] = documents.dump(text)
    assert "R1" in said(verified(repacked(files)))


def test_words_of_other_code_are_no_contradiction_but_what_it_measured_is(files, verified, repacked):
    """A bundle has to verify for as long as it is published, also with a suite that describes frames better."""
    text = json.loads(files["results.json"])
    case = next(case for case in text["cases"] if case["id"].startswith("ELECT-002"))
    frames = [event for event in case["timeline"]["events"] if event["kind"] == "frame"]
    frames[0]["summary"] = "in other words"
    files["results.json"] = documents.dump(text)
    assert "in other words" in said(verified(repacked(files)))
    for path in ("certificate.json", "certificate.html"):
        files[path] = files[path].replace(b"c0de", b"beef")
    document = verified(repacked(files))
    assert document["problems"] == []
    assert any(
        "In 1 cases frames are described, or invariants judged, otherwise" in note
        for note in document["notes"]
    )
    frames[-1]["t_ms"] += 5
    files["results.json"] = documents.dump(text)
    assert "at another time" in said(verified(repacked(files)))


class TestInvariants:
    """What the monitors saw beside a case's own question rests on the capture, and is asked again."""

    @staticmethod
    def judged(document: dict[str, Any], id: str) -> dict[str, Any]:
        return next(case for case in document["cases"] if case["id"].startswith(id))

    def changed(self, files: Files, repacked: Any, change: Callable[[dict[str, Any]], None]) -> bytes:
        document = json.loads(files["results.json"])
        change(self.judged(document, "ELECT-002")["invariants"])
        files["results.json"] = documents.dump(document)
        return bytes(repacked(files))

    def test_they_are_recomputed_and_counted(self, made, run_document, verified):
        document = verified(made)
        rows = {case["id"]: case["invariants"] for case in document["cases"]}
        watched = [case["id"] for case in run_document["cases"] if (case["invariants"] or {}).get("basis")]
        assert watched
        assert {id for id in watched if rows[id] != "again"} <= {id for id in rows if rows[id] == "locked"}
        assert document["invariants"]["again"] > 0.9 * len(watched)
        assert sum(document["invariants"].values()) == len(rows)

    def test_one_that_is_said_to_hold_and_does_not_show_is_found(self, files, verified, repacked):
        data = self.changed(files, repacked, lambda one: one["held"].append("CARP-ND-003"))
        assert "the monitors do not see CARP-ND-003 hold in its capture" in said(verified(data))

    def test_one_that_shows_and_is_not_said_is_found(self, files, verified, repacked):
        data = self.changed(files, repacked, lambda one: one["held"].remove("CARP-WIRE-004"))
        assert "the monitors see CARP-WIRE-004 hold in its capture" in said(verified(data))

    def test_breach_that_nobody_sees_is_found(self, files, verified, repacked):
        row = {
            "id": "CARP-WIRE-004", "monitor": "x", "verdict": "known_deviation", "host": "a", "text": "no", "frames": [1], "deviation": None,
        }  # fmt: skip
        data = self.changed(files, repacked, lambda one: one["broken"].append(row))
        assert "the results say that a broke CARP-WIRE-004" in said(verified(data))

    def test_breach_in_the_capture_that_the_results_conceal_is_found(
        self, run_document, files, verified, repacked
    ):
        """A TTL of 254 in a frame that decides nothing: no case asks for it, the monitors do."""
        case = self.judged(run_document, "ELECT-002")
        quiet = next(
            event["frame"]
            for event in case["timeline"]["events"]
            if event["kind"] == "frame" and event["node"] == "a" and event["summary"].startswith("CARP")
        )
        files[case["evidence"]] = capture_with(files[case["evidence"]], quiet, 14 + 8, 254)
        told = said(verified(repacked(files)))
        assert "the monitors see CARP-WIRE-004 broken by a in its capture, the results do not say so" in told

    def test_results_that_do_not_say_what_the_monitors_were_told_are_said_not_to(
        self, files, verified, repacked
    ):
        document = verified(self.changed(files, repacked, lambda one: one.pop("basis")))
        assert self.judged(document, "ELECT-002")["invariants"] == "untold"

    def test_password_that_is_not_public_is_asked_for(self, files, verified, repacked):
        def other(one: dict[str, Any]) -> None:
            for given in one["basis"]["sides"][0]["given"]:
                given["public"] = False

        data = self.changed(files, repacked, other)
        assert self.judged(verified(data), "ELECT-002")["invariants"] == "locked"
        assert self.judged(verified(data, passwords=("conformance",)), "ELECT-002")["invariants"] == "again"

    @pytest.mark.parametrize(
        ("key", "value"),
        [("vhid", -1), ("vhid", 1 << 70), ("addresses", ["nobody"]), ("addresses", ["::1%"])],
    )
    def test_nonsense_is_a_problem_and_no_traceback(self, files, verified, repacked, key, value):
        def other(one: dict[str, Any]) -> None:
            one["basis"]["sides"][0]["given"][0][key] = value

        assert "cannot be used" in said(verified(self.changed(files, repacked, other)))


def test_matrix_that_leaves_a_scenario_out_of_its_list_is_found(material, verified):
    """Whoever ran half of the scenarios cannot say that there are no others."""
    from conformance.report.certificate import bundle

    met = {"schema": 1, "partners": [], "scenarios": ["join"], "cells": []}
    document = verified(bundle.bundle(material(interop=met), ())[0])
    assert document["problems"] == [
        {"file": "interop.json", "problem": "it does not list the scenario 'kill', which this suite has"}
    ]
    assert verified(bundle.bundle(material(interop=met | {"scenarios": ["join", "kill"]}), ())[0])["verified"]


def test_bundle_of_other_code_has_its_rules_applied_and_its_pages_left_alone(files, verified, repacked):
    files["certificate.json"] = files["certificate.json"].replace(b"c0de", b"beef")
    files["certificate.html"] += b"<!-- -->"
    document = verified(repacked(files))
    assert document["verified"]
    assert any("certificate.html was written by other code" in note for note in document["notes"])
    edit("certificate.json", '"claims_conformance": false', '"claims_conformance": true')(files)
    assert named(verified(repacked(files))) == {"certificate.json"}


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"version": 2,', b'"version": 3,'), (b'"catalogue": "sha256:', b'"catalogue": "sha256:0')],
)
def test_other_rules_or_catalogue_are_said_not_to_have_been_applied(files, verified, repacked, old, new):
    assert old in files["certificate.json"]
    files["certificate.json"] = files["certificate.json"].replace(old, new, 1)
    assert any("neither was applied again" in note for note in verified(repacked(files))["notes"])


def test_no_zip_is_said_in_one_sentence(verified):
    with pytest.raises(NotABundle, match="is not a bundle"):
        verified(b"PK nothing")


class TestSignature:
    @pytest.fixture
    def envelope(self, made, keys, run_document, files) -> bytes:
        stated = sign.statement(
            "it.zip",
            made,
            json.loads(files["certificate.json"]),
            {c["id"]: c["verdict"] for c in run_document["cases"]},
        )
        return sign.sign(stated, keys[0], "KEY")

    def test_good_one_is_good_whatever_the_bundle_is_called(self, made, envelope, keys, verified):
        document = verified(made, envelope=envelope, key=keys[1])
        assert (document["signature"], document["verified"]) == ("good", True)

    def test_without_a_key_it_is_not_checked_and_that_is_said(self, made, envelope, verified):
        document = verified(made, envelope=envelope)
        assert document["signature"] == "unchecked"
        assert any("nobody vouches" in note for note in document["notes"])

    def test_missing_one_is_a_problem_if_a_key_was_given(self, made, keys, verified):
        assert verified(made, key=keys[1])["signature"] == "missing"

    def test_bundle_of_other_bytes_is_not_vouched_for(self, files, repacked, envelope, keys, verified):
        files["README.txt"] += b"\n"
        document = verified(repacked(files), envelope=envelope, key=keys[1])
        assert document["signature"] == "bad"

    def test_key_of_somebody_else_does_not_fit(self, made, envelope, verified):
        from cryptography.hazmat.primitives import serialization as written
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        other = (
            Ed25519PrivateKey.generate()
            .public_key()
            .public_bytes(written.Encoding.PEM, written.PublicFormat.SubjectPublicKeyInfo)
        )
        assert verified(made, envelope=envelope, key=other)["signature"] == "bad"

    def test_every_byte_of_the_envelope_counts(self, envelope, keys):
        for at in range(0, len(envelope), 7):
            changed = bytearray(envelope)
            changed[at] ^= 0x01
            with pytest.raises(sign.BadSignature):
                sign.opened(bytes(changed), keys[1], "KEY")

    def test_key_that_is_none_is_refused_without_showing_it(self, made, envelope, keys, verified):
        with pytest.raises(sign.UnusableKey) as error:
            verified(made, envelope=envelope, key=keys[0])
        assert keys[0].decode().splitlines()[1] not in str(error.value)
        with pytest.raises(sign.UnusableKey):
            sign.sign({}, keys[1], "KEY")

    def test_statement_is_an_in_toto_test_result(self, envelope, keys):
        stated = sign.opened(envelope, keys[1], "KEY")
        assert stated["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
        assert stated["predicate"]["passedTests"]
        assert stated["predicate"]["result"] == "WARNED"

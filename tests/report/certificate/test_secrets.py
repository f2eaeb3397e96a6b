"""Passwords and keys get into no file that is published, wherever they were planted and however they were written."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest

from conformance.report import schema
from conformance.report.certificate import bundle, diff, documents, pics
from conformance.report.certificate.archive import unpack
from conformance.report.certificate.capture import read
from conformance.report.certificate.secrets import (
    REMOVED,
    SecretLeft,
    SecretTooShort,
    cleaned,
    cleaner,
    refuse_leaks,
)

SECRET = 'S3cr&t"<pass>'
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----"
FREE = ("title", "reason", "actual", "detail", "reproduce", "nodeid", "source")


def planted(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the secret in every place that takes free text."""
    document = copy.deepcopy(document)
    for case in document["cases"]:
        for key in FREE:
            case[key] += f" {SECRET} {KEY}"
        case["expected"] = [text + SECRET for text in case["expected"]]
        for event in (case["timeline"] or {"events": ()})["events"]:
            event |= {key: event[key] + SECRET for key in ("summary",) if key in event}
            if "fields" in event:
                event["fields"].append([SECRET, SECRET.encode().hex()])
        if case["deviation"]:
            case["deviation"] = {"reason": SECRET + "x", "reference": SECRET}
    document["arguments"].append(f"--pass={SECRET}")
    document["target"]["version"] = SECRET
    document["suite"]["commit"] = base64.b64encode(SECRET.encode()).decode()
    document.setdefault("notes", [])
    return document


def test_nothing_planted_in_the_results_reaches_the_bundle(
    run_document, material, recorded, tmp_path, monkeypatch
):
    monkeypatch.setattr(bundle, "pdf", lambda html: html.encode())
    environment = json.loads((recorded / "environment.json").read_text())
    environment["machine"]["kernel"] = SECRET
    environment[SECRET] = [SECRET, KEY]
    (tmp_path / "environment.json").write_text(json.dumps(environment))
    (tmp_path / "evidence").mkdir()
    for path in (recorded / "evidence").iterdir():
        (tmp_path / "evidence" / path.name).write_bytes(commented(path.read_bytes(), SECRET))
    document = planted(run_document)
    made = material(document, secrets=(SECRET,), folder=tmp_path)
    data, _ = bundle.bundle(made, (SECRET,))
    files = unpack(data, "it").files
    for form in (
        SECRET,
        json.dumps(SECRET)[1:-1],
        "S3cr&amp;t",
        SECRET.encode().hex(),
        "b3BlbnNzaC1r",
        base64.b64encode(SECRET.encode()).decode(),
    ):
        for path, content in files.items():
            assert form.encode() not in content, (form, path)
    assert REMOVED in files["results.json"].decode()
    assert all(
        REMOVED in read(content).comment for path, content in files.items() if path.startswith("evidence/")
    )


def commented(data: bytes, secret: str) -> bytes:
    from conformance.report.certificate.capture import rewritten

    return rewritten(data, lambda text: f"{text} {secret}")


FORMS = {
    "plain": SECRET,
    "upper case": SECRET.upper(),
    "hexadecimal": SECRET.encode().hex(),
    "hexadecimal with colons": SECRET.encode().hex(":"),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 in a longer text": base64.b64encode(b"user:" + SECRET.encode() + b"\n").decode(),
    "base64, another way": base64.b64encode(b"me:x" + SECRET.encode() + b"abc").decode(),
    "JSON": json.dumps(SECRET),
    "HTML": "S3cr&amp;t&#34;&lt;pass&gt;",
    "HTML with names": "S3cr&amp;t&quot;&lt;pass&gt;",
    "a URL": "S3cr%26t%22%3Cpass%3E",
    "a PEM key": KEY,
    "a PEM key without an end": KEY[:60],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_way_to_write_it_is_taken_out_and_found(form):
    text = f"before {FORMS[form]} after"
    with pytest.raises(SecretLeft) as error:
        refuse_leaks({"a.txt": text.encode(), "b.txt": b"nothing"}, [SECRET])
    assert error.value.files == ("a.txt",)
    assert SECRET not in str(error.value)
    refuse_leaks({"a.txt": cleaner([SECRET])(text).encode()}, [SECRET])


def test_umlauts_are_found_in_json_and_python_notation():
    for text in ("p\\u00e4ssw\\u00f6rt", "p\\xe4ssw\\xf6rt", "pässwört", "p%C3%A4ssw%C3%B6rt"):
        assert "ssw" not in cleaner(["pässwört"])(text)


def test_keys_of_objects_are_cleaned_too():
    assert cleaned({SECRET: [SECRET, 1, None, {"a": SECRET}]}, cleaner([SECRET])) == {
        REMOVED: [REMOVED, 1, None, {"a": REMOVED}]
    }


def test_secret_in_a_path_is_found():
    with pytest.raises(SecretLeft):
        refuse_leaks({f"evidence/{SECRET}.pcapng": b""}, [SECRET])


def test_secret_in_the_bytes_of_a_frame_refuses_the_bundle(recorded, run_document, material, tmp_path):
    """A frame cannot be changed: the evidence would be none."""
    case = next(case for case in run_document["cases"] if case["evidence"])
    (tmp_path / "evidence").mkdir()
    (tmp_path / "environment.json").write_bytes((recorded / "environment.json").read_bytes())
    for path in (recorded / "evidence").iterdir():
        data = path.read_bytes()
        if path.name == case["evidence"].removeprefix("evidence/"):
            digest = read(data).packets[0].data[-16:]
            data = data.replace(digest, b"--hunter2 clear-")
        (tmp_path / "evidence" / path.name).write_bytes(data)
    with pytest.raises(SecretLeft) as error:
        bundle.bundle(material(secrets=("hunter2",), folder=tmp_path), ("hunter2",))
    assert error.value.files == (case["evidence"],)


def test_password_that_is_a_word_of_the_documents_is_refused_not_published(run_document, material):
    with pytest.raises(SecretLeft, match="results.json"):
        bundle.bundle(material(), ("requirements",))
    with pytest.raises(schema.InvalidDocument):
        bundle.bundle(material(secrets=("pass",)), ("pass",))


def test_secret_that_is_too_short_is_refused_without_showing_it():
    with pytest.raises(SecretTooShort, match="3 characters"):
        cleaner(["xyz"])


def test_empty_secrets_are_none():
    assert cleaner([""])("text") == "text"


def test_pixit_says_that_the_password_was_removed(material):
    document = bundle.pixit(material())
    documents.validate(document, "pixit")
    assert document["password"] is None
    assert document["removed"] == ["password"]


def test_statement_and_declaration_hold_no_password(material):
    declared = {"target": "t", "product": {"name": "", "vendor": "", "version": ""}, "capabilities": {}}
    assert "password =" not in pics.toml(pics.pics(declared, {"log": "log lines"}, "ucarp", {}))


def test_hostile_text_is_shown_and_not_obeyed(run_document):
    hostile = "<script>alert(1)</script>\x1b[2J\u202e"
    other = copy.deepcopy(run_document)
    other["target"]["version"] = hostile
    other["cases"][0] |= {"verdict": "fail", "reason": hostile}
    document = diff.diff(diff.Side(hostile, run_document, None), diff.Side("b", other, None))
    page, text = diff.html(document), diff.text(document)
    assert "<script>" not in page
    assert "\x1b" not in page + text
    assert "\u202e" not in page + text

"""``report --certificate``, ``sign``, ``verify`` and ``diff``: from the folder of a run to a bundle that verifies elsewhere."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main
from conformance.commands import certificate, diff, sign, verify
from conformance.commands.certificate import Request, certify
from conformance.commands.errors import FAILED, UNDECIDED, USAGE, CommandError
from conformance.report.certificate import bundle as written
from conformance.report.certificate import documents
from conformance.report.certificate.archive import pack, unpack
from conformance.report.certificate.material import Product

PRODUCT = Product("Balancer", "Muster & Söhne", "7.1")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "model"
    command = [
        sys.executable,
        "-m",
        "conformance",
        "run",
        "--target",
        "model:ucarp",
        "WIRE-00",
        "--out",
        str(folder),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be changed at will."""
    return Path(shutil.copytree(recorded, tmp_path / "run"))


def change(run: Path, verdict: str) -> str:
    """Gives one case another verdict, as the run would have recorded it, and returns the requirement."""
    document = json.loads((run / "results.json").read_text())
    case = next(case for case in document["cases"] if case["id"].startswith("WIRE-004"))
    document["summary"][case["verdict"]] -= 1
    document["summary"][verdict] += 1
    case |= {"verdict": verdict, "reason": "told"}
    for row in document["requirements"]:
        if row["id"] in case["requirements"]:
            row["verdict"] = verdict
    document["verdict"] = {"fail": "fails"}.get(verdict, verdict)
    (run / "results.json").write_text(json.dumps(document))
    return "CARP-WIRE-004"


@pytest.fixture(scope="module")
def bundle(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certify(Request(recorded, PRODUCT, out=tmp_path_factory.mktemp("bundles") / "b.zip"))[0]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    from cryptography.hazmat.primitives import serialization as written
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    made, folder = Ed25519PrivateKey.generate(), tmp_path_factory.mktemp("keys")
    (folder / "k").write_bytes(
        made.private_bytes(written.Encoding.PEM, written.PrivateFormat.PKCS8, written.NoEncryption())
    )
    (folder / "k.pub").write_bytes(
        made.public_key().public_bytes(written.Encoding.PEM, written.PublicFormat.SubjectPublicKeyInfo)
    )
    return folder / "k", folder / "k.pub"


@pytest.mark.parametrize(
    ("verdict", "status", "rule"), [("fail", FAILED, "R3"), ("inconclusive", UNDECIDED, "R4")]
)
def test_run_with_one_must_that_did_not_pass_is_refused_with_the_reason(run, verdict, status, rule):
    requirement = change(run, verdict)
    with pytest.raises(CommandError, match=f"{rule}: .*{requirement}") as error:
        certify(Request(run, PRODUCT))
    assert error.value.status == status


def test_run_with_a_missing_capture_is_refused_with_its_name(run):
    gone = next((run / "evidence").iterdir())
    gone.unlink()
    with pytest.raises(CommandError, match="R6") as error:
        certify(Request(run, PRODUCT))
    assert gone.name in str(error.value)
    assert error.value.status == UNDECIDED


def test_signed_bundle_verifies_in_another_folder_under_another_name(bundle, key, tmp_path):
    envelope = sign.sign_bundle(bundle, key[0])
    there = tmp_path / "elsewhere.zip"
    shutil.copy(bundle, there)
    shutil.copy(envelope, tmp_path / "elsewhere.zip.dsse.json")
    document = verify.verify_bundle(there, key[1])
    assert (document["verified"], document["signature"]) == (True, "good")
    assert verify.exit_status(document) == 0
    assert "Verified" in verify.text(document)
    assert b"PRIVATE" not in envelope.read_bytes()


def test_changed_bundle_is_neither_verified_nor_signed(bundle, key, tmp_path):
    bad = tmp_path / "bad.zip"
    bad.write_bytes(bundle.read_bytes().replace(b"Balancer", b"Balanced"))
    document = verify.verify_bundle(bad, None)
    assert verify.exit_status(document) == 1
    assert "NOT VERIFIED" in verify.text(document)
    with pytest.raises(CommandError, match="does not verify"):
        sign.sign_bundle(bad, key[0])
    assert not (tmp_path / "bad.zip.dsse.json").exists()


def test_many_problems_are_shown_in_part():
    problems = [{"file": f"f{n}", "problem": "x"} for n in range(30)]
    basis = dict.fromkeys(("monitor", "window", "frames", "host", "none"), 0)
    document = {
        "bundle": "b",
        "verified": False,
        "signature": "none",
        "claims_conformance": False,
        "problems": problems,
        "notes": [],
        "basis": basis,
        "interop": dict.fromkeys(("again", "untold", "without"), 0),
        "invariants": dict.fromkeys(("again", "locked", "untold", "nothing"), 0),
        "cases": [],
    }
    assert "and 10 more problems" in verify.text(document)


def test_files_that_are_not_there_are_said(bundle, key, tmp_path):
    for call in (
        lambda: verify.verify_bundle(tmp_path / "no.zip", None),
        lambda: verify.verify_bundle(bundle, tmp_path / "no.pub"),
        lambda: sign.sign_bundle(bundle, tmp_path / "no"),
        lambda: certify(Request(tmp_path / "no", PRODUCT)),
        lambda: certify(Request(tmp_path / "no", PRODUCT)),
        lambda: diff.differences(tmp_path / "no", tmp_path),
        lambda: certificate.secrets_in(tmp_path / "no"),
        lambda: certificate.interop(tmp_path / "no", "x"),
    ):
        with pytest.raises(CommandError) as error:
            call()
        assert error.value.status == USAGE


def test_file_that_is_no_bundle_fails(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(CommandError, match="not a bundle") as error:
        verify.verify_bundle(tmp_path / "x.zip", None)
    assert error.value.status == FAILED


def test_places_that_cannot_be_written_are_said(run, bundle, tmp_path):
    with pytest.raises(CommandError, match="--out"):
        certify(Request(run, PRODUCT, out=tmp_path / "no/b.zip"))
    with pytest.raises(CommandError, match="--html"):
        diff.write_page(diff.differences(run, run), tmp_path / "no/d.html")


def test_pages_that_are_asked_for_are_made_beside_the_bundle(run, capsys):
    named = ["--product", "Balancer", "--vendor", "Muster", "--version", "7.1"]
    for name in ("index.html", "junit.xml", "ctrf.json"):
        (run / name).unlink(missing_ok=True)
    assert main(["report", str(run), "--certificate", "--ctrf", *named]) == 0
    assert capsys.readouterr().out.split() == [str(run / "ctrf.json"), str(run / "Muster-Balancer-7.1.zip")]
    assert not (run / "index.html").exists()


def test_secret_of_the_vendor_is_in_no_file(run):
    secret = "hunter2-very-secret"
    document = json.loads((run / "results.json").read_text())
    document["cases"][0]["detail"] = f"ucarp --pass={secret}"
    (run / "results.json").write_text(json.dumps(document))
    file = run.parent / "secrets"
    file.write_text(f"{secret}\n\n")
    path, _ = certify(Request(run, PRODUCT, secrets=certificate.secrets_in(file)))
    assert path.name == "Muster-S-hne-Balancer-7.1.zip"
    assert secret.encode() not in path.read_bytes()
    assert b"[removed]" in path.read_bytes()
    assert secret not in repr(Request(run, PRODUCT, secrets=(secret,)))


def test_declaration_of_the_vendor_must_fit_the_run(run, tmp_path):
    file = tmp_path / "pics.toml"
    file.write_text(
        'schema = 1\ntarget = "model:ucarp"\n[product]\nname = "x"\nvendor = ""\nversion = ""\n[capabilities]\nipv6 = true\n'
    )
    with pytest.raises(CommandError, match="R7: declared otherwise") as error:
        certify(Request(run, PRODUCT, pics=file))
    assert error.value.status == FAILED


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real matrix, in which a hazard shows."""
    folder = tmp_path_factory.mktemp("matrix")
    names = ["--targets", "model:openbsd,model:ucarp", "--scenarios", "join,healed"]
    main(["matrix", *names, "--lanes", "1", "--out", str(folder / "night"), "--json"])
    return folder / "night"


def test_matrix_becomes_partners_with_their_origins(met):
    found = certificate.interop(met, "model:ucarp")
    assert {one["name"]: one["rung"] for one in found["partners"]} == {
        "model:openbsd": "sim",
        "model:ucarp": "sim",
    }
    assert set(found["scenarios"]) > {"join", "healed", "kill"}
    assert {cell["verdict"] for cell in found["cells"]} == {"pass", "hazard"}
    assert all(cell["hazards"] for cell in found["cells"] if cell["verdict"] == "hazard")


@pytest.fixture(scope="module")
def made(recorded: Path, met: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with the pairs of a matrix."""
    out = tmp_path_factory.mktemp("met") / "b.zip"
    return certify(Request(recorded, PRODUCT, interop=met, out=out))[0]


class TestMeetings:
    """The captures of pairs with the product are in its bundle, digested, and measured again."""

    @staticmethod
    def changed(made: Path, folder: Path, change: Callable[[dict[str, bytes]], None]) -> list[dict[str, str]]:
        """The problems of a bundle in which somebody changed files and wrote the manifest again."""
        files = dict(unpack(made.read_bytes(), "it").files)
        change(files)
        files["manifest.json"] = documents.dump(written.manifest(files))
        (folder / "b.zip").write_bytes(pack(files))
        return list(verify.verify_bundle(folder / "b.zip", None)["problems"])

    @staticmethod
    def edited(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, bytes]], None]:
        def edit(files: dict[str, bytes]) -> None:
            document = json.loads(files["interop.json"])
            change(next(cell for cell in document["cells"] if cell.get("runs") and cell["verdict"] == "pass"))
            files["interop.json"] = documents.dump(document)

        return edit

    def test_runs_of_the_product_alone_are_there_and_are_measured_again(self, made, met):
        files = unpack(made.read_bytes(), "it").files
        listed = {row["path"] for row in json.loads(files["manifest.json"])["files"]}
        captures = {path for path in files if path.startswith("interop/")}
        assert len(captures) == 2 * 3  # two scenarios; with itself, and with the other in both orders
        assert captures <= listed
        document = verify.verify_bundle(made, None)
        assert document["problems"] == []
        assert document["interop"] == {"again": 6, "untold": 0, "without": 0}
        assert "6 runs: they were measured again" in verify.text(document)

    def test_capture_that_the_matrix_names_and_does_not_have_refuses_the_certificate(
        self, recorded, met, tmp_path
    ):
        folder = Path(shutil.copytree(met, tmp_path / "matrix"))
        gone = next(path for path in (folder / "evidence").iterdir() if "ucarp" in path.name)
        gone.unlink()
        with pytest.raises(CommandError, match=f"R6: a pair names the capture interop/{gone.name}"):
            certify(Request(recorded, PRODUCT, interop=folder))

    def test_matrix_of_an_older_suite_counts_without_captures(self, recorded, met, tmp_path):
        folder = Path(shutil.copytree(met, tmp_path / "matrix"))
        document = json.loads((folder / "results.json").read_text())
        for cell in document["cells"]:
            for one in cell["runs"]:
                del one["basis"]
        (folder / "results.json").write_text(json.dumps(document))
        made, _ = certify(Request(recorded, PRODUCT, interop=folder, out=tmp_path / "b.zip"))
        assert sum(verify.verify_bundle(made, None)["interop"].values()) == 0

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (lambda cell: cell["runs"][0].__setitem__("no_master_ms", 1.5), "no_master_ms is"),
            (lambda cell: cell["runs"][0].__setitem__("masters", {"1": ["b", "c"]}), "masters is"),
            (lambda cell: cell["runs"][0]["basis"].__setitem__("vhids", [77]), "masters is"),
            (
                lambda cell: cell["runs"][0]["basis"].__setitem__("machines", {"x": "a"}),
                "cannot be measured again",
            ),
            (lambda cell: cell["runs"][0].__setitem__("verdict", "fail"), "its runs come to 'fail'"),
            (lambda cell: cell["expected"].__setitem__("dual_master_ms", -1.0), "and the results say pass"),
            (lambda cell: cell["runs"].clear(), "no pair names this capture"),
        ],
    )
    def test_changed_row_is_contradicted_by_its_capture(self, made, tmp_path, change, told):
        assert told in str(self.changed(made, tmp_path, self.edited(change)))

    def test_captures_that_change_places_are_found(self, made, tmp_path):
        def swap(files: dict[str, bytes]) -> None:
            join, healed = (
                f"interop/{name}--model-openbsd--model-ucarp.0.pcapng" for name in ("join", "healed")
            )
            files[join], files[healed] = files[healed], files[join]

        assert {one["file"] for one in self.changed(made, tmp_path, swap)} >= {
            "interop/healed--model-openbsd--model-ucarp.0.pcapng"
        }

    def test_capture_that_is_gone_is_named(self, made, tmp_path):
        gone = "interop/join--model-ucarp--model-ucarp.0.pcapng"
        assert gone in {
            one["file"] for one in self.changed(made, tmp_path, lambda files: files.pop(gone) and None)
        }


def test_partner_that_nobody_knows_has_no_origin(met, tmp_path):
    document = json.loads((met / "results.json").read_text()) | {"rung": "netns"}
    for cell in document["cells"]:
        cell |= {"a": "ucarp", "b": "somebody"}
    (tmp_path / "results.json").write_text(json.dumps(document))
    partners = {one["name"]: one for one in certificate.interop(tmp_path, "ucarp")["partners"]}
    assert (partners["ucarp"]["origin"], partners["ucarp"]["rung"]) == ("OpenBSD 2003", "netns")
    assert (partners["somebody"]["origin"], partners["somebody"]["rung"]) == ("", "sim")


def test_folder_that_is_no_matrix_is_said_in_one_sentence(run):
    with pytest.raises(CommandError, match="holds no matrix .there is no 'cells'.; give the folder"):
        certificate.interop(run, "x")


def test_diff_reads_two_folders_and_writes_its_page(run, recorded, tmp_path):
    change(run, "fail")
    document = diff.differences(recorded, run)
    documents.validate(document, "diff")
    assert document["verdict"] == "worse"
    diff.write_page(document, tmp_path / "d.html")
    assert "WIRE-004" in (tmp_path / "d.html").read_text()

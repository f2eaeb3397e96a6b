"""The command line: one sentence for each error, the right exit status, one document on standard output."""

import gc
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import conformance
from conformance import cli
from conformance.commands.errors import CommandError
from conformance.report import schema

SIM = "model:ucarp"


def main(capsys, *arguments):
    status = cli.main([str(one) for one in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def process(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "conformance", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **options,
    )


class TestGarbage:
    """What is made lives until the command ends, so nobody looks through it; a caller gets back what it had."""

    @pytest.mark.parametrize("argv", [["targets"], None])
    def test_is_not_looked_for_while_a_command_runs(self, monkeypatch, capsys, argv):
        seen = []
        monkeypatch.setattr(cli, "_called", lambda *_: seen.append(gc.get_threshold()[0]) or 0)
        monkeypatch.setattr(sys, "argv", ["carp-conformance", "targets"])
        before = gc.get_threshold()
        try:
            assert cli.main(argv) == 0
            assert seen == [1_000_000]
            assert gc.get_threshold() == before
            # Only where the interpreter ends with the command nothing needs to be tidied up.
            assert (gc.get_freeze_count() > 0) == (argv is None)
        finally:
            gc.unfreeze()


class TestErrors:
    """Exit status 2, nothing on standard output, one line that says what to do, no traceback."""

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["run"], "give --target T for a new run, or --resume DIR"),
            (["run", "--target", SIM, "--resume", "x"], "give --target T for a new run, or --resume DIR"),
            (["run", "--target", "nosuch"], "there is no target 'nosuch'; known targets: "),
            (["doctor", "--target", "nosuch"], "there is no target 'nosuch'"),
            (["list", "--target", "nosuch"], "there is no target 'nosuch'"),
            (["list", "NOSUCH"], "NOSUCH"),
            (["run", "--target", SIM, "NOSUCH"], "NOSUCH"),
            (["run", "--target", SIM, "RX-001.nosuch"], "no case's id begins with 'RX-001.nosuch'"),
            (["run", "--resume", "EMPTY"], "holds neither results.json nor results.jsonl"),
            (["run", "--resume", "MISSING"], "holds neither results.json nor results.jsonl"),
            (["report", "EMPTY"], "holds neither results.json nor results.jsonl"),
            (
                ["run", "--target", SIM, "RX-001", "--out", "TAKEN"],
                "already holds a run: give another --out, or --resume",
            ),
            (["run", "--target", SIM, "RX-001", "--out", "FILE"], "give another --out"),
            (["run", "--target", SIM, "RX-001", "--out", "FILE/below"], "give another --out"),
            (["run", "--resume", "NOTJSON"], "results.json cannot be read"),
            (["run", "--resume", "NOHEADER"], "it has no line"),
            (["report", "FOREIGN"], "CARP-RX-999"),
            (["run", "--resume", "FOREIGN"], "CARP-RX-999"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_one_sentence(self, capsys, tmp_path, monkeypatch, arguments, says):
        monkeypatch.chdir(tmp_path)
        for name in ("EMPTY", "TAKEN", "NOTJSON", "NOHEADER", "FOREIGN"):
            Path(name).mkdir()
        Path("TAKEN/results.jsonl").write_text("")
        Path("NOTJSON/results.json").write_text("{")
        Path("NOHEADER/results.jsonl").write_text("{}\n")
        Path("FOREIGN/results.jsonl").write_text(foreign_run())
        Path("FILE").write_text("")
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        status, out, err = main(capsys, *arguments)
        assert status == 2, err
        assert out == ""
        assert says in err
        assert err.startswith("carp-conformance: ")
        assert len(err.strip().splitlines()) == 1
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
        assert not (tmp_path / "reports").exists(), "an error leaves no empty folder of a run"

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["nosuch"],
            ["run", "--lanes", "0"],
            ["run", "--lanes", "two"],
            ["run", "--lanes", "-1"],
            ["report"],
            ["list", "--frob"],
        ],
        ids=" ".join,
    )
    def test_usage(self, capsys, arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        out, err = capsys.readouterr()
        assert ended.value.code == 2
        assert out == ""
        assert err.startswith("usage: ")

    def test_an_error_with_another_status(self, capsys, monkeypatch):
        def broken(*_):
            raise CommandError("it broke", status=3)

        monkeypatch.setattr(cli.listing, "_targets", broken)
        assert main(capsys, "targets") == (3, "", "carp-conformance: it broke\n")

    def test_interrupted(self, capsys, monkeypatch):
        def interrupted(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(cli.listing, "_targets", interrupted)
        assert main(capsys, "targets") == (3, "", "carp-conformance: interrupted\n")

    def test_a_reader_that_goes_away_is_no_error(self):
        """As in ``carp-conformance list | head -1``."""
        child = subprocess.Popen(
            [sys.executable, "-m", "conformance", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        child.stdout.read(1)
        child.stdout.close()
        said = child.stderr.read().decode()
        child.stderr.close()
        assert child.wait(timeout=60) in (0, 3)
        assert said == ""


def foreign_run():
    """A recorded run whose case cites a requirement that this catalogue does not have."""
    header = {
        "record": "run", "schema": 1, "suite": {"name": "x", "version": "1", "commit": None, "catalogue": "sha256:00"},
        "target": {"name": SIM, "dialect": "ucarp", "rung": "sim", "version": "1", "pics": {}}, "started": "2026-01-01T00:00:00Z",
        "lanes": 1, "seed": None, "arguments": ["run", "--target", SIM],
    }  # fmt: skip
    case = {
        "record": "case", "id": "RX-999.x", "group": "RX", "title": "", "requirements": ["CARP-RX-999"], "verdict": "pass", "reason": "", "expected": [], "actual": "",
        "duration_s": 0.0, "evidence": None, "frames": [], "deviation": None, "reproduce": "", "nodeid": "", "source": "", "detail": "", "timeline": None, "rig": None,
    }  # fmt: skip
    return json.dumps(header) + "\n" + json.dumps(case) + "\n"


class TestDocuments:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["list"],
            ["list", "RX-001"],
            ["list", "rx", "--target", "ucarp"],
            ["targets"],
            ["doctor", "--target", SIM],
        ],
        ids=" ".join,
    )
    def test_json_is_one_document_and_nothing_else(self, arguments):
        done = process(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)
        assert done.stderr == ""

    def test_list(self, capsys):
        _, out, _ = main(capsys, "list", "RX", "--json")
        document = json.loads(out)
        assert {"id", "level", "text", "cases", "monitors", "untestable"} <= set(document["requirements"][0])
        assert all(set(r["cases"]) <= {c["id"] for c in document["cases"]} for r in document["requirements"])
        _, fewer, _ = main(capsys, "list", "RX", "--target", "ucarp", "--json")
        assert len(json.loads(fewer)["cases"]) <= len(document["cases"])

    def test_targets(self, capsys):
        _, out, _ = main(capsys, "targets", "--json")
        assert {"ucarp", SIM} <= {row["name"] for row in json.loads(out)["targets"]}

    def test_for_people(self, capsys, monkeypatch):
        monkeypatch.setenv("COLUMNS", "80")
        for arguments, says in (
            (["list", "RX-001"], "CARP-RX-001"),
            (["targets"], "model:freebsd-legacy-6"),
            (["doctor", "--target", SIM], "can be tested here"),
        ):
            status, out, err = main(capsys, *arguments)
            assert (status, err) == (0, "")
            assert says in out

    def test_version_and_help(self, capsys):
        for argument, says in (("--version", conformance.__version__), ("--help", "Exit status")):
            with pytest.raises(SystemExit) as ended:
                cli.main([argument])
            assert ended.value.code == 0
            assert says in capsys.readouterr().out

    def test_a_machine_that_lacks_something(self, capsys, monkeypatch):
        monkeypatch.setenv("CARP_CONFORMANCE_UCARP", "")
        monkeypatch.setenv("PATH", "/nonexistent")
        monkeypatch.setattr("conformance.targets.ucarp.target.shutil.which", lambda *_, **__: None)
        status, out, _ = main(capsys, "doctor", "--target", "ucarp", "--json")
        assert status == 3
        document = json.loads(out)
        assert document["targets"] == [{"name": "ucarp", "ready": False}]
        assert any(check["remedy"] == "apt-get install ucarp" for check in document["checks"])
        status, out, err = main(capsys, "run", "--target", "ucarp", "RX-001")
        assert (status, out) == (3, "")
        assert "cannot be tested here: ucarp is not installed: apt-get install ucarp" in err


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "[red]out"
    return process("run", "--target", SIM, "WIRE-001", "RX-001", "--out", folder, "--json"), folder


class TestRunInVirtualTime:
    def test_it_prints_its_document_and_nothing_else(self, done):
        ended, folder = done
        document = json.loads(ended.stdout)
        schema.validate(document, "results")
        assert document == json.loads((folder / "results.json").read_text())
        assert ended.returncode == {"conforms": 0, "fails": 1}.get(document["verdict"], 3)
        assert "Traceback" not in ended.stderr

    def test_the_folder_holds_what_it_should(self, done):
        _, folder = done
        assert {path.name for path in folder.iterdir()} >= {
            "results.json",
            "results.jsonl",
            "junit.xml",
            "ctrf.json",
            "index.html",
            "environment.json",
            "evidence",
        }
        document = json.loads((folder / "results.json").read_text())
        for case in document["cases"]:
            assert case["evidence"] is None or (folder / case["evidence"]).is_file()

    def test_for_people_it_says_where_the_report_is(self, tmp_path):
        folder = tmp_path / "[red]out"
        ended = process("run", "--target", SIM, "WIRE-001", "--out", folder)
        assert str(folder / "index.html") in ended.stdout.replace("\n", "")

    def test_pages_are_made_again(self, done, capsys):
        _, folder = done
        (folder / "index.html").unlink()
        status, out, _ = main(capsys, "report", folder, "--html")
        assert (status, out.split()) == (0, [str(folder / "index.html")])
        status, out, _ = main(capsys, "report", folder, "--junit")
        assert out.split() == [str(folder / "junit.xml")]
        status, out, _ = main(capsys, "report", folder, "--ctrf")
        assert out.split() == [str(folder / "ctrf.json")]
        status, out, _ = main(capsys, "report", folder)
        assert len(out.split()) == 3

    def test_a_cut_last_line_is_run_again(self, done, tmp_path):
        _, folder = done
        lines = (folder / "results.jsonl").read_text().splitlines(keepends=True)
        assert len(lines) >= 3
        cut = tmp_path / "cut"
        cut.mkdir()
        (cut / "results.jsonl").write_text("".join(lines[:-1]) + lines[-1][:40])
        ended = process("run", "--resume", cut, "--json")
        document = json.loads(ended.stdout)
        whole = json.loads((folder / "results.json").read_text())
        assert [case["id"] for case in document["cases"]] == [case["id"] for case in whole["cases"]]
        assert any("cannot be read" in note or "cut" in note for note in document["notes"])

    def test_a_whole_run_has_nothing_to_resume(self, done):
        _, folder = done
        before = (folder / "results.json").read_text()
        ended = process("run", "--resume", folder, "--json")
        assert [case["id"] for case in json.loads(ended.stdout)["cases"]] == [
            case["id"] for case in json.loads(before)["cases"]
        ]


@pytest.mark.slow
def test_a_live_run_that_is_killed_is_completed_by_resume(ucarp, tmp_path):
    """SIGKILL when the first of four cases is recorded: the lines so far are kept, --resume runs the rest, no case twice."""
    folder = tmp_path / "run"
    wanted = ["WIRE-001", "WIRE-002", "WIRE-003", "WIRE-004"]
    child = subprocess.Popen(
        [sys.executable, "-m", "conformance", "run", "--target", "ucarp", "--lanes", "1", "--out", str(folder), *wanted],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with child:
        assert child.stderr.readline(), "a line for the first case that ended"
        child.send_signal(signal.SIGKILL)
        child.stderr.read()
    assert child.returncode == -signal.SIGKILL
    kept = [
        json.loads(line)["id"]
        for line in (folder / "results.jsonl").read_text().splitlines()
        if json.loads(line)["record"] == "case"
    ]
    assert kept
    assert not (folder / "results.json").exists()
    ended = process("run", "--resume", folder, "--lanes", "2", "--json")
    document = json.loads(ended.stdout)
    ids = [case["id"] for case in document["cases"]]
    assert len(ids) == len(set(ids)) > len(kept)
    assert set(kept) < set(ids)
    assert document["ended"] is not None
    recorded = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    assert [row["record"] for row in recorded].count("run") == 2
    assert sorted(row["id"] for row in recorded if row["record"] == "case") == sorted(ids), (
        "no case was run twice"
    )
    assert ended.returncode in (0, 1)


def test_help_imports_nothing_that_commands_need():
    """``--help`` answers at once: it loads neither what tests nor what is tested."""
    child = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "conformance", "run", "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    loaded = {line.rpartition("|")[2].strip() for line in child.stderr.splitlines()}
    assert "conformance.cli.run" in loaded
    heavy = {
        "scapy",
        "pytest",
        "rich",
        "jinja2",
        "jsonschema",
        "conformance.model",
        "conformance.segment",
        "conformance.suite",
    }
    assert not heavy & loaded

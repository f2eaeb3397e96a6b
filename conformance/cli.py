"""The command line: parses arguments, calls a command, prints its document or its summary, turns errors into one sentence and an exit status."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import conformance
from conformance.commands.errors import CONFORMS, FAILED, UNDECIDED, USAGE, CommandError
from conformance.report.visible import visible
from conformance.targets.registry import UnknownTarget


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status (0 conforms, 1 a requirement failed, 2 usage, 3 undecided or the rig broke)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = _parser().parse_args(arguments)
    try:
        status = int(options.command(options, arguments))
        sys.stdout.flush()
    except (CommandError, UnknownTarget) as error:
        # A name that a device chose may be in it.
        print(f"carp-conformance: {visible(str(error))}", file=sys.stderr)
        return getattr(error, "status", USAGE)
    except KeyboardInterrupt:
        print("carp-conformance: interrupted", file=sys.stderr)
        return UNDECIDED
    except BrokenPipeError:
        # What is left in the buffer must go somewhere, or the interpreter complains when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNDECIDED
    except (
        SystemExit
    ):  # rich ends the program with 1, which would say that a requirement failed, when its reader goes away
        return UNDECIDED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="carp-conformance",
        description="Conformance and interoperability tests for CARP.",
        epilog="Exit status: 0 conforms, 1 a requirement failed, 2 usage error, 3 undecided or the rig broke.",
    )
    parser.add_argument("--version", action="version", version=f"carp-conformance {conformance.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = _command(commands, "run", _run, "run the cases of a target")
    run.add_argument(
        "select",
        nargs="*",
        metavar="SELECT",
        help="ID prefixes: AUTH, AUTH-011, AUTH-011.wrong (default: all cases)",
    )
    run.add_argument("--target", metavar="T", help="what to test ('carp-conformance targets' lists them)")
    run.add_argument(
        "--lanes",
        type=_positive,
        metavar="N",
        help="how many cases run side by side (default: 20 for each core)",
    )
    run.add_argument(
        "--out", type=Path, metavar="DIR", help="the folder of the run (default: reports/<UTC time>-<target>)"
    )
    run.add_argument(
        "--resume",
        type=Path,
        metavar="DIR",
        help="complete a run that was interrupted; takes target and selection from it",
    )
    _machines(run)

    listing = _command(commands, "list", _list, "requirements and the cases that cover them")
    listing.add_argument("select", nargs="*", metavar="SELECT", help="ID prefixes (default: all)")
    listing.add_argument("--target", metavar="T", help="only the cases that apply to this target")

    _command(commands, "targets", _targets, "the targets that can be tested")
    doctor = _command(commands, "doctor", _doctor, "what this machine has and lacks")
    doctor.add_argument("--target", metavar="T", help="only this target")
    doctor.add_argument(
        "--pixit", type=Path, metavar="FILE", help="the machines of this file (docs/reference/pixit.md)"
    )
    doctor.add_argument("--interface", metavar="IF", help="the tester's interface on their segment")

    mutants = _command(commands, "mutants", _mutants, "run the suite against deliberate faults of the model")
    mutants.add_argument(
        "select", nargs="*", metavar="SELECT", help="beginnings of mutant ids or groups (default: all)"
    )
    mutants.add_argument(
        "--exhaustive", action="store_true", help="find every case that kills a mutant, not only the first"
    )

    _matrices(commands)
    fidelity = _command(
        commands, "fidelity", _fidelity, "compare a run of an implementation with one of its model"
    )
    fidelity.add_argument("runs", nargs=2, type=Path, metavar="RUN", help="the folder of a run")

    judge = _command(commands, "judge", _judge, "say what is wrong in captures from anywhere")
    judge.add_argument(
        "captures",
        nargs="+",
        metavar="CAPTURE",
        help="pcap or pcapng files, also gzipped; - is standard input",
    )
    judge.add_argument("--html", type=Path, metavar="FILE", help="write the judgement as a page, too")
    _question(judge)
    watch = _command(commands, "watch", _watch, "the same live, strictly passive", json_too=False)
    watch.add_argument("--interface", required=True, metavar="IF")
    watch.add_argument(
        "--json-lines", action="store_true", help="one JSON document a line for each thing that happens"
    )
    _question(watch)

    report = _command(commands, "report", _report, "make the pages of a recorded run again", json_too=False)
    report.add_argument(
        "directory",
        nargs="+",
        metavar="DIR",
        help="the folder of a run; or: matrix DIR…, for the site of several matrices",
    )
    report.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help="where the site of matrices (default: site) or the bundle goes",
    )
    report.add_argument("--html", action="store_true", help="only index.html")
    report.add_argument("--junit", action="store_true", help="only junit.xml")
    report.add_argument("--ctrf", action="store_true", help="only ctrf.json, the Common Test Report Format")
    _certification(report, commands)
    return parser


def _matrices(commands: Any) -> None:
    matrix = _command(
        commands,
        "matrix",
        _matrix,
        "run implementations in pairs: who takes over from whom, and how long is nobody there",
    )
    matrix.add_argument(
        "--targets",
        metavar="A,B,…",
        help="the implementations; each is paired with each, itself included",
    )
    matrix.add_argument("--scenarios", metavar="S,…", help="only these scenarios")
    matrix.add_argument(
        "--rung",
        choices=("sim", "netns", "vm", "lab"),
        help="where all stand (default: where all of them can)",
    )
    matrix.add_argument("--runs", type=_positive, default=1, metavar="N", help="how often each cell is run")
    matrix.add_argument("--lanes", type=_positive, metavar="N", help="how many cells run side by side")
    matrix.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="the folder of the matrix (default: reports/<UTC time>-matrix)",
    )
    matrix.add_argument(
        "--tx",
        action="append",
        default=[],
        metavar="SPEC",
        help="spread the cells over hosts by gateways of pytest-xdist: 4*ssh=root@lab1//python=/opt/carp/bin/python; may be given several times",
    )
    matrix.add_argument("--pair", metavar="A,B", help="only the cells of this ordered pair of --targets")
    matrix.add_argument(
        "--merge",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="run nothing: make one matrix out of parts that were run apart",
    )
    _machines(matrix, several=True)
    nightly = _command(
        commands, "nightly", _nightly, "run a night of the matrix and build its site", json_too=False
    )
    nightly.add_argument(
        "--plan",
        action="store_true",
        help="run nothing: print the legs of a night as JSON, one for each job of a CI",
    )
    nightly.add_argument("--lanes", type=_positive, metavar="N", help="how many cells run side by side")
    nightly.add_argument(
        "--nights", type=Path, default=Path("reports/nights"), metavar="DIR", help="where the nights are kept"
    )
    nightly.add_argument("--out", type=Path, default=Path("site"), metavar="DIR", help="where the site goes")


def _machines(command: argparse.ArgumentParser, *, several: bool = False) -> None:
    command.add_argument(
        "--pixit",
        type=Path,
        metavar="FILE",
        action="append" if several else "store",
        help="machines that are already there (docs/reference/pixit.md)"
        + ("; may be given several times" if several else ""),
    )
    command.add_argument("--interface", metavar="IF", help="the tester's interface on their segment")
    command.add_argument(
        "--this-segment-is-mine",
        action="store_true",
        help="nobody else depends on that segment: the tester takes addresses over on it",
    )
    command.add_argument(
        "--listen",
        type=_seconds,
        metavar="S",
        help="how many seconds to listen there before anything is sent (default: 260, no speaker is slower)",
    )
    command.add_argument(
        "--keep", action="store_true", help="leave the machines that the target brings up running"
    )
    command.add_argument(
        "--destroy", action="store_true", help="remove the machines that the target brings up afterwards"
    )


def _certification(report: argparse.ArgumentParser, commands: Any) -> None:
    report.add_argument(
        "--certificate", action="store_true", help="make a bundle that anybody can check again"
    )
    report.add_argument("--product", metavar="NAME", help="what was tested, for the certificate")
    report.add_argument("--vendor", metavar="NAME", help="who makes it")
    report.add_argument("--version", dest="product_version", metavar="V", help="its version")
    report.add_argument("--pics", type=Path, metavar="FILE", help="what the vendor declares (see: pics)")
    report.add_argument("--interop", type=Path, metavar="DIR", help="the folder of a matrix")
    report.add_argument(
        "--secret-file", type=Path, metavar="FILE", help="what must be in no file, one secret a line"
    )
    sign = _command(commands, "sign", _sign, "sign a bundle with an Ed25519 key", json_too=False)
    sign.add_argument("bundle", type=Path, metavar="BUNDLE")
    sign.add_argument("--key", type=Path, required=True, metavar="FILE", help="private key, PEM")
    verify = _command(commands, "verify", _verify, "check a bundle that somebody made, trusting nobody")
    verify.add_argument("bundle", type=Path, metavar="BUNDLE")
    verify.add_argument("--key", type=Path, metavar="FILE", help="public key, PEM")
    verify.add_argument(
        "--pass-file", type=Path, metavar="FILE", help="a file with one password to try a line"
    )
    diff = _command(commands, "diff", _diff, "what changed between two runs, verdict by verdict")
    diff.add_argument("before", type=Path, metavar="DIR")
    diff.add_argument("after", type=Path, metavar="DIR")
    diff.add_argument("--html", type=Path, metavar="FILE", help="write it as a page, too")
    pics = _command(commands, "pics", _pics, "draft the declaration of an implementation by probing it")
    pics.add_argument("--target", required=True, metavar="T")
    pics.add_argument("--declared", type=Path, metavar="FILE", help="a declaration to hold against it")
    pics.add_argument(
        "--out", type=Path, metavar="FILE", help="where the draft goes (default: standard output)"
    )
    pics.add_argument("--form", type=Path, metavar="FILE", help="write the printable form, too")


def _command(
    commands: Any, name: str, function: Any, help: str, *, json_too: bool = True
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=help, description=help[0].upper() + help[1:] + "."
    )
    command.set_defaults(command=function)
    if json_too:
        command.add_argument(
            "--json", action="store_true", help="one JSON document on standard output and nothing else there"
        )
    return command


def _question(command: argparse.ArgumentParser) -> None:
    command.add_argument("--vhid", type=int, metavar="N", help="only this virtual host")
    command.add_argument(
        "--pass",
        dest="passwords",
        action="append",
        default=[],
        metavar="P",
        help="a password to try; may be given several times",
    )
    command.add_argument("--pass-file", type=Path, metavar="F", help="a file with one password to try a line")
    command.add_argument(
        "--address",
        dest="addresses",
        action="append",
        default=[],
        metavar="A",
        help="a shared address; may be given several times",
    )
    command.add_argument(
        "--dialect", metavar="D", help="freebsd, freebsd-legacy, openbsd or ucarp (default: guessed)"
    )


def _asked(options: argparse.Namespace) -> Any:
    from conformance.commands.judging import Question

    return Question.of(options.vhid, options.passwords, options.pass_file, options.addresses, options.dialect)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds up to 3600")
    return value


def _wanted_machines(options: argparse.Namespace) -> Any:
    from conformance.commands.machines import Machines
    from conformance.targets.admission import LISTEN_S

    return Machines(
        pixit=options.pixit,
        interface=options.interface,
        mine=options.this_segment_is_mine,
        listen_s=options.listen or LISTEN_S,
        keep=options.keep,
        destroy=options.destroy,
    )


def _print_json(document: Any) -> None:
    json.dump(document, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


def _run(options: argparse.Namespace, arguments: list[str]) -> int:
    from conformance.commands.run import Order, run
    from conformance.commands.summary import print_run
    from conformance.report.results import EXIT_STATUS

    if (options.target is None) == (options.resume is None):
        raise CommandError("give --target T for a new run, or --resume DIR for one that was interrupted")
    document, folder = run(
        Order(
            options.target or "",
            tuple(options.select),
            options.lanes,
            options.out,
            options.resume,
            machines=_wanted_machines(options),
        ),
        arguments,
    )
    if options.json:
        _print_json(document)
    else:
        print_run(document, folder)
    return EXIT_STATUS[document["verdict"]]


def _list(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.listing import listing
    from conformance.commands.summary import print_list

    document = listing(options.select, options.target)
    _print_json(document) if options.json else print_list(document)
    return CONFORMS


def _targets(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.listing import targets
    from conformance.commands.summary import print_targets

    document = targets()
    _print_json(document) if options.json else print_targets(document)
    return CONFORMS


def _doctor(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.doctor import doctor
    from conformance.commands.summary import print_doctor

    document = doctor(options.target, options.pixit, options.interface)
    _print_json(document) if options.json else print_doctor(document)
    return CONFORMS if all(target["ready"] for target in document["targets"]) else UNDECIDED


def _mutants(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.mutants import mutants
    from conformance.commands.summary import print_mutants

    document = mutants(options.select, exhaustive=options.exhaustive)
    _print_json(document) if options.json else print_mutants(document)
    return FAILED if document["summary"]["survived"] or document["summary"]["unproven"] else CONFORMS


def _matrix(options: argparse.Namespace, arguments: list[str]) -> int:
    from conformance.commands.matrix import Order, exit_status, merge_matrices, print_matrix, run_matrix

    if (options.targets is None) == (options.merge is None):
        raise CommandError("give --targets A,B,… for a new matrix, or --merge DIR… for parts of one")
    if options.merge is not None:
        document, folder = merge_matrices(options.merge, options.out)
        _print_json(document) if options.json else print_matrix(document, folder)
        return exit_status(document)
    order = Order.of(
        options.targets,
        options.scenarios,
        options.out,
        options.rung,
        options.runs,
        options.lanes,
        quiet=options.json,
        gateways=options.tx,
        pixits=options.pixit or (),
        machines=replace(_wanted_machines(options), pixit=None),
        pair=options.pair,
    )
    document, folder = run_matrix(order, arguments)
    _print_json(document) if options.json else print_matrix(document, folder)
    return exit_status(document)


def _nightly(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.matrix import night_legs, run_nightly

    if options.plan:
        _print_json(night_legs())
        return CONFORMS
    return run_nightly(options.nights, options.out, options.lanes)


def _fidelity(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.fidelity import exit_status, fidelity, print_fidelity

    document = fidelity(*options.runs)
    _print_json(document) if options.json else print_fidelity(document)
    return exit_status(document)


def _judge(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.judging import exit_status, judged, summary_text, write_page

    document = judged(options.captures, _asked(options))
    if options.html is not None:
        write_page(document, options.html)
    _print_json(document) if options.json else print(summary_text(document), end="")
    return exit_status(document)


def _watch(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.judging import watched

    return watched(options.interface, _asked(options), json_lines=options.json_lines)


def _only_for_certificates(options: argparse.Namespace) -> None:
    given = [
        name
        for name in ("out", "product", "vendor", "product_version", "pics", "interop", "secret_file")
        if getattr(options, name) is not None
    ]
    if given:
        option = {"product_version": "version", "secret_file": "secret-file"}.get(given[0], given[0])
        raise CommandError(f"--{option} is for a certificate: give --certificate with it, or leave it out")


def _certify(folder: Path, options: argparse.Namespace) -> int:
    from conformance.commands.certificate import Request, certify, secrets_in
    from conformance.report.certificate.material import Product

    if not (options.product and options.vendor and options.product_version):
        raise CommandError("a certificate names what was tested: give --product, --vendor and --version")
    product = Product(options.product, options.vendor, options.product_version)
    secrets = secrets_in(options.secret_file)
    path, _ = certify(Request(folder, product, options.pics, options.interop, secrets, options.out))
    print(path)
    return CONFORMS


def _sign(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.sign import sign_bundle

    print(sign_bundle(options.bundle, options.key))
    return CONFORMS


def _verify(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.certificate import secrets_in
    from conformance.commands.verify import exit_status, text, verify_bundle

    document = verify_bundle(options.bundle, options.key, secrets_in(options.pass_file))
    _print_json(document) if options.json else print(text(document))
    return exit_status(document)


def _diff(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.diff import differences, write_page
    from conformance.report.certificate.diff import exit_status, text

    document = differences(options.before, options.after)
    if options.html is not None:
        write_page(document, options.html)
    _print_json(document) if options.json else print(text(document))
    return exit_status(document)


def _pics(options: argparse.Namespace, arguments: list[str]) -> int:
    from conformance.commands.pics import drafted, exit_status, probed, write
    from conformance.report.certificate.pics import form, toml

    document = probed(options.target, options.declared, arguments)
    if options.form is not None:
        write(form(document), options.form)
    if options.json:
        _print_json(document)
    elif options.out is not None:
        write(toml(drafted(document)), options.out)
    else:
        print(toml(drafted(document)))
    return exit_status(document)


def _report(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.report import report

    first, *rest = options.directory
    if first == "matrix" and rest:
        from conformance.commands.matrix import write_site

        out = options.out or Path("site")
        write_site([Path(one) for one in rest], out)
        print(out / "index.html")
        return CONFORMS
    if rest:
        raise CommandError(
            "report takes one folder of a run; for the site of matrices: report matrix DIR… --out SITE"
        )
    if not options.certificate:
        _only_for_certificates(options)
    all_of_them = not (options.html or options.junit or options.ctrf or options.certificate)
    for path in report(
        Path(first),
        html_too=options.html or all_of_them,
        junit_too=options.junit or all_of_them,
        ctrf_too=options.ctrf or all_of_them,
    ):
        print(path)
    return _certify(Path(first), options) if options.certificate else CONFORMS

"""``report`` on the command line: pages of a run, the site of matrices, a certificate."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from conformance.cli.options import command
from conformance.commands.errors import CONFORMS, CommandError


def add_parser(commands: Any) -> None:
    report = command(commands, "report", _report, "make the pages of a recorded run again", json_too=False)
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


def _report(options: argparse.Namespace, _: list[str]) -> int:
    from conformance.commands.report import report

    first, *rest = options.directory
    if first == "matrix" and rest:
        return _site([Path(one) for one in rest], options.out or Path("site"))
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


def _site(matrices: list[Path], out: Path) -> int:
    from conformance.commands.matrix import write_site

    write_site(matrices, out)
    print(out / "index.html")
    return CONFORMS


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

"""``python -m conformance.lab.box``: makes the box, or says where it is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from conformance.lab.box.build import build, cache_folder, input_digest, ready, recipe_digest
from conformance.lab.box.command import BoxError


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 with the path on standard output, 3 where it cannot be built."""
    parser = argparse.ArgumentParser(
        prog="python -m conformance.lab.box",
        description="Make the Vagrant box of ucarp from Debian's packages; take it from the cache if nothing has changed.",
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="another folder for boxes")
    parser.add_argument("--again", action="store_true", help="build it even if it is in the cache")
    parser.add_argument("--packages", action="store_true", help="list what is in it, too")
    options = parser.parse_args(arguments)
    folder = options.cache or cache_folder()
    try:
        again = build(folder, input_digest() or recipe_digest(), _tell) if options.again else None
        box = again or ready(_tell, folder)
    except BoxError as error:
        print(f"carp-conformance: {error}", file=sys.stderr)
        return 3
    print(box.path)
    print(f"sha256:{box.content}", file=sys.stderr)
    if options.packages:
        print("\n".join(box.packages))
    return 0


def _tell(text: str) -> None:
    print(f"carp-conformance: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

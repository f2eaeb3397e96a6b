"""What the commands print for people can be read in a terminal."""

from __future__ import annotations

from conformance.commands.listing import targets
from conformance.commands.summary import print_targets
from conformance.targets.protocol import CAPABILITIES


def test_targets_has_a_line_for_each(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    document = targets()
    print_targets(document)
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["target", "rung", "dialect", "can", "descends", "from"]
    rows = [line for line in lines if line]
    for line, target in zip(rows, document["targets"], strict=False):
        can = f"{sum(target['pics'].values())} of {len(CAPABILITIES)}" if target["pics"] else "as declared"
        assert line.startswith(target["name"] + " ")
        assert f" {can} " in line
        assert line.rstrip().endswith(target["origin"])
    assert len(rows) == len(document["targets"]) + 1
    assert "--json" in rows[-1]

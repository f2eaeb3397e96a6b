"""``pics``: what probing finds on models, and how a draft and a contradiction come of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.commands import pics as command
from conformance.commands.errors import CommandError
from conformance.commands.machines import Machines
from conformance.commands.probing import _ACCESS, probe
from conformance.report.certificate import documents, pics
from conformance.targets.experiments import EXPERIMENTS, tried
from conformance.targets.protocol import CAPABILITIES
from conformance.targets.registry import find, names

BOX = Path(__file__).parents[2] / "fixtures" / "pixit" / "blackbox.toml"
MODELS = sorted(name for name in names() if name.startswith("model:") and "@" not in name)


@pytest.mark.parametrize("name", MODELS)
def test_model_has_what_its_profile_claims(name):
    document = command.probed(name, None, ())
    documents.validate(document, "pics")
    assert pics.findings(document) == []
    assert command.exit_status(document) == 0


@pytest.mark.slow
def test_a_model_in_namespaces_has_nothing_that_its_profile_denies(namespaces):
    """Only what it denies is tried: in real time the rest takes a minute."""
    target = find("model:ucarp@netns")
    denied = [one for one in EXPERIMENTS if one not in _ACCESS and not target.profile.pics.get(one)]
    with target.bench(1) as bench:
        found = {one: tried(target, bench, EXPERIMENTS[one]) for one in denied}
    assert len(found) > 5
    assert {one: said.evidence for one, said in found.items() if said.has} == {}


def test_every_experiment_is_about_a_known_capability():
    assert set(EXPERIMENTS) <= set(CAPABILITIES)


def test_what_no_tool_of_an_implementation_can_tell_its_model_does_not_tell():
    """Each ucarp is a process of its own, and nothing lists what the others serve."""
    found = probe(find("model:ucarp"))["vhid_list"]
    assert not found.has
    assert "nothing lists" in found.evidence


def test_daemon_that_uses_one_of_two_addresses_is_found_out():
    found = probe(find("model:ucarp"))
    assert not found["multiple_addresses"].has
    assert not found["ipv6"].has
    assert found["multiple_vhids"].has


def test_claim_that_is_not_true_is_a_finding_and_the_draft_mends_it(tmp_path):
    target = find("model:openbsd")
    claims = command.own(target)
    claims["capabilities"] |= {"scripts": True, "kill": False}
    file = tmp_path / "p.toml"
    command.write(pics.toml(pics.pics(claims, CAPABILITIES, "openbsd", {})), file)
    document = command.probed("model:openbsd", file, ())
    assert [finding.partition(":")[0] for finding in pics.findings(document)] == ["scripts", "kill"]
    assert command.exit_status(document) == 1
    assert pics.findings(command.drafted(document)) == []


def test_declaration_of_another_target_is_refused(tmp_path):
    file = tmp_path / "p.toml"
    command.write(pics.toml(pics.pics(command.own(find("model:openbsd")), CAPABILITIES, "openbsd", {})), file)
    with pytest.raises(CommandError, match="model:openbsd"):
        command.probed("model:ucarp", file, ())


def test_files_that_cannot_be_used_are_said(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        command.declaration(tmp_path / "no.toml")
    (tmp_path / "bad.toml").write_text("schema = 2")
    with pytest.raises(CommandError, match="no PICS declaration"):
        command.declaration(tmp_path / "bad.toml")
    with pytest.raises(CommandError, match="cannot be written"):
        command.write("x", tmp_path / "no/x")


class Lacking:
    profile = find("model:openbsd").profile

    def lacks(self):
        return (("the moon is missing", "fetch it"),)


def test_target_that_is_not_ready_is_said_with_the_remedy(monkeypatch):
    monkeypatch.setattr("conformance.commands.machines.find", lambda name: Lacking())
    monkeypatch.setattr(command, "own", lambda target: {"target": "x"})
    with pytest.raises(CommandError, match="the moon is missing: fetch it") as error:
        command.probed("x", None, ())
    assert error.value.status == 3


def test_box_of_a_pixit_is_probed_only_where_the_user_says_that_it_may_be():
    with pytest.raises(CommandError, match="name the interface of the segment that it may do that on"):
        command.probed("blackbox", None, [], Machines(pixit=BOX))
    with pytest.raises(CommandError, match="blackbox cannot be probed here"):
        command.probed("blackbox", None, [])

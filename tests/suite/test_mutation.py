"""The campaign: who is killed by what, who survives, and what is only said to be violated."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.catalogue import Level, load
from conformance.commands.mutants import mutants
from conformance.model.mutants.without import NO_MUTANT
from conformance.report.schema import validate

PLANTED = Path(__file__).with_name("planted.py")


def planted(ids, *options, cases="test_wire.py"):
    """``carp-conformance mutants`` with planted mutants: exit status and what it prints."""
    command = [sys.executable, str(PLANTED), ids, cases, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def rows(ids, *options, **more):
    """The exit status, and the document's rows by the id of the mutant."""
    status, said = planted(ids, "--json", *options, **more)
    document = json.loads(said)
    validate(document, "mutants")
    return status, {row["id"]: row for row in document["mutants"]}


@pytest.fixture(scope="module")
def campaign():
    """The document of the whole campaign."""
    return mutants([], exhaustive=False)


class TestPlanted:
    """What is said about mutants whose fate is known beforehand."""

    def test_killed(self):
        status, found = rows("killed")
        assert status == 0
        assert found["killed"]["killed_by"] == ["WIRE-004.ttl_is_255"]
        assert found["killed"]["proven"] == ["CARP-WIRE-004"]
        assert "TTL is 254" in found["killed"]["said"][0]

    def test_what_survives_or_is_said_wrongly(self):
        status, found = rows("not-noticed,said-wrongly,of-others,said-too-much,killed")
        assert status == 1
        assert {id for id, row in found.items() if row["killed"]} == {"said-too-much", "killed"}
        assert found["not-noticed"]["unproven"] == ["CARP-WIRE-004"]
        assert found["not-noticed"]["unrelated"] == []
        assert found["said-wrongly"]["unrelated"] == ["WIRE-004.ttl_is_255"]
        assert found["of-others"]["unproven"] == [], "no case applies, so none can prove it"
        assert found["said-too-much"]["unproven"] == ["CARP-WIRE-005"]

    def test_survivor_in_words(self):
        status, said = planted("not-noticed")
        assert status == 1
        assert "✘ not-noticed (CARP-WIRE-004): a row that no case looks at: survived every case" in said
        assert "0 of 1 mutants killed, 1 survived" in said

    def test_wrong_claims_in_words(self):
        status, said = planted("said-wrongly,said-too-much")
        assert status == 1
        assert "noticed only by a case of other requirements: WIRE-004.ttl_is_255" in said
        assert "none of the cases of CARP-WIRE-005 noticed it" in said
        assert "1 are said to violate a requirement whose cases pass" in said

    def test_wrong_claim_alone_fails(self):
        assert planted("said-too-much")[0] == 1

    def test_case_that_fails_on_the_healthy_dialect_kills_nothing(self):
        status, found = rows("healthy")
        assert status == 1
        assert not found["healthy"]["killed_by"]

    def test_case_that_breaks_kills_nothing(self):
        status, found = rows("broken")
        assert status == 1
        assert not found["broken"]["killed_by"]
        assert "WIRE-004.ttl_is_255" in found["broken"]["erred"]

    def test_exhaustive(self):
        _, found = rows("said-too-much", "--exhaustive")
        assert found["said-too-much"]["killed_by"] == ["WIRE-004.ttl_is_255"]

    def test_unknown_selection(self):
        command = [sys.executable, "-m", "conformance", "mutants", "no-such-mutant"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2
        assert "no mutant's id or group begins with no-such-mutant" in done.stderr


@pytest.mark.slow
class TestCampaign:
    """All mutants against all cases: a survivor is a hole in the suite."""

    def test_document(self, campaign):
        validate(campaign, "mutants")

    def test_every_mutant_is_killed_by_a_case_of_what_it_violates(self, campaign):
        survivors = [
            (row["id"], row["unrelated"], row["erred"]) for row in campaign["mutants"] if not row["killed"]
        ]
        assert not survivors

    def test_every_claim_is_proven(self, campaign):
        assert not [(row["id"], row["unproven"]) for row in campaign["mutants"] if row["unproven"]]

    def test_every_must_with_a_case_kills(self, campaign, listed):
        musts = {one.id for one in load() if one.level is Level.MUST}
        assert sorted(musts & covered(listed) - proven(campaign)) == []

    def test_what_else_has_a_case_kills_or_has_a_written_reason(self, campaign, listed):
        assert sorted(covered(listed) - proven(campaign)) == sorted(NO_MUTANT)


def test_a_must_is_never_excused():
    assert [id for id in NO_MUTANT if load()[id].level is Level.MUST] == []
    assert all(reason.endswith(".") for reason in NO_MUTANT.values())


def proven(campaign):
    """The requirements of which a case has killed a mutant."""
    return {id for row in campaign["mutants"] for id in row["proven"]}


def covered(listed):
    """The requirements that have a case."""
    return {row["id"] for row in listed["requirements"] if row["cases"]}

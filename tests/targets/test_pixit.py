"""The PIXIT file: every example loads, every fault is one sentence that says where and how to mend it."""

import re
import tomllib
from ipaddress import ip_address
from pathlib import Path

import jsonschema
import pytest

from conformance.targets import pixit as module
from conformance.targets.pixit import Action, Declared, KnownSpeaker, PixitError, load
from conformance.targets.pixit_file import pixit_of, schema

EXAMPLES = sorted((Path(__file__).parents[2] / "fixtures" / "pixit").glob("*.toml"))
SOUND = """
schema = 1
system = "blackbox"
password = ""
vhids = { first = 1, last = 4 }
shared_addresses = ["192.0.2.100", "192.0.2.101"]
[tester]
addresses = ["192.0.2.254"]
[[host]]
name = "a"
addresses = ["192.0.2.1"]
"""


@pytest.fixture(autouse=True)
def _password_in_the_environment(monkeypatch):
    monkeypatch.setenv("CARP_PASSWORD", "from the environment")


def read(tmp_path, text=SOUND, **replaced):
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "lab.toml"
    path.write_text(text)
    return load(path)


def refused(tmp_path, text):
    with pytest.raises(PixitError) as raised:
        read(tmp_path, text)
    assert "\n" not in str(raised.value)
    return raised.value


SPOKEN = {
    "host[0].connection": ('name = "a"', 'name = "a"\nconnection = "ssh://root@fw-hunter2.example"'),
    "host[0].interface": ('name = "a"', 'name = "a"\ninterface = "hunter2"'),
    "tester.interface": ("[tester]", '[tester]\ninterface = "Hunter2.7"'),
    "product": ("schema = 1", 'schema = 1\nproduct = "the hunter2 box"'),
}


@pytest.mark.parametrize("where", SPOKEN)
def test_a_password_that_stands_in_a_name_is_refused(tmp_path, where):
    """Results and messages tell the name; of it nothing is said but where it stands."""
    text = SOUND.replace('password = ""', 'password = "hunter2"').replace(*SPOKEN[where])
    error = refused(tmp_path, text)
    assert (error.where, f"it stands in {where}" in str(error)) == ("password", True)
    assert "hunter2" not in str(error).lower()
    assert read(tmp_path, text.replace('password = "hunter2"', 'password = "correct horse"')).password


def test_a_short_password_is_refused_where_a_name_is_just_that(tmp_path):
    assert "host[0].name" in str(refused(tmp_path, SOUND.replace('password = ""', 'password = "a"')))
    assert read(tmp_path, SOUND.replace('password = ""', 'password = "bl"')).password == "bl"


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(dict(schema()))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_loads(path):
    made = load(path)
    assert made.path == path
    assert made.system in ("freebsd", "freebsd-legacy", "openbsd", "ucarp-vm", "blackbox")
    assert made.password
    assert made.password not in repr(made)
    assert [host.name for host in made.hosts] == ["a", "b"][: len(made.hosts)]
    assert made.tester_addresses
    assert made.shared_addresses


def test_there_is_an_example_of_each_kind():
    assert sorted(path.stem for path in EXAMPLES) == [
        "blackbox",
        "freebsd",
        "freebsd-legacy",
        "openbsd",
        "ucarp",
    ]


def test_what_the_examples_say_arrives():
    freebsd, legacy, _, _, box = (
        load(EXAMPLES[0].parent / f"{name}.toml")
        for name in ("freebsd", "freebsd-legacy", "openbsd", "ucarp", "blackbox")
    )
    a, b = freebsd.hosts
    assert (a.connection, a.interface) == ("ssh://root@198.51.100.11:22", "vtnet1")
    assert (b.sudo, b.identity, b.ssh_config) == (
        True,
        freebsd.path.parent / "keys" / "lab",
        freebsd.path.parent / "ssh_config",
    )
    assert freebsd.password == "from the environment"
    assert (freebsd.vhids, freebsd.vlans) == (range(1, 21), range(3001, 3009))
    assert "sysctl" in freebsd.may_change
    assert freebsd.speakers == (KnownSpeaker(protocol="vrrp", id=51, source=ip_address("192.0.2.253")),)
    assert (legacy.tester_inner_interface, legacy.hosts[0].inner_interface) == ("eth2", "em2")
    assert legacy.shared_inner_addresses[0] == legacy.tester_inner_addresses[0] - 154
    assert box.declared == (
        Declared(
            host="a", vhid=1, addresses=(ip_address("192.0.2.100"),), advbase=1, advskew=100, preempt=True
        ),
    )
    assert box.password == "conformance"
    assert box.hosts[0].mac == bytes.fromhex("020000000201")
    assert box.actions["link_down"] == Action(
        command=("./pdu", "port", "{host}", "off"), limit_ns=60_000_000_000
    )
    assert box.actions["reboot"].limit_ns == 600_000_000_000


def test_shared_addresses_may_be_those_that_are_declared(tmp_path):
    text = SOUND.replace('shared_addresses = ["192.0.2.100", "192.0.2.101"]', "")
    made = read(tmp_path, text + '[[declared]]\nhost="a"\nvhid=1\naddresses=["192.0.2.7"]')
    assert made.shared_addresses == (ip_address("192.0.2.7"),)
    assert made.declared[0] == Declared(host="a", vhid=1, addresses=made.shared_addresses)


def test_a_password_file_is_one_line(tmp_path):
    (tmp_path / "key").write_text("open sesame\nnot this\n")
    made = read(tmp_path, **{'password = ""': 'password_file = "key"'})
    assert made.password == "open sesame"


def test_an_empty_password_file_is_no_password(tmp_path):
    (tmp_path / "key").write_text("")
    assert read(tmp_path, **{'password = ""': 'password_file = "key"'}).password == ""


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("schema = 1", "schema = 2", "schema", "1 was expected"),
        ("schema = 1", "schema = 1\ncolour = 3", "the file", "'colour' was unexpected"),
        ('system = "blackbox"', "", "the file", "'system' is a required property"),
        ('password = ""', "", "password", "it names no password"),
        ('password = ""', "password = 7", "password", "a password is a text"),
        (
            'password = ""',
            'password = ""\npassword_env = "X"',
            "password",
            "password and password_env are given",
        ),
        ('password = ""', 'password_env = "NOT_THERE"', "password_env", "has no variable NOT_THERE"),
        ('password = ""', 'password_file = "nowhere"', "password_file", "nowhere cannot be read"),
        ("first = 1, last = 4", "first = 4, last = 1", "vhids", r"the first one \(4\) is greater"),
        ("last = 4", "last = 256", "vhids.last", "256 is greater than the maximum"),
        ('"192.0.2.254"', '"192.0.2.254/24"', "tester.addresses", "is no IP address"),
        ('["192.0.2.254"]', "[]", "tester.addresses", "the tester has no address"),
        ('"192.0.2.254"', '"192.0.2.1"', "addresses", "192.0.2.1 is given to the tester and to host a"),
        ('"192.0.2.1"', '"192.0.2.100"', "addresses", "192.0.2.100 is given to host a and to the virtual"),
        ('["192.0.2.100", "192.0.2.101"]', "[]", "shared_addresses", "no address for a virtual host"),
        ('name = "a"', 'name = "b"', "host", "the machines are named b; name them a"),
        ('name = "a"', 'name = "a"\nmac = "02:00"', r"host\[0\].mac", "does not match"),
        ("[tester]", "[actions.kill]\n[tester]", "actions.kill", ""),
        ("[tester]", "[actions.kill]\nseconds=1\n[tester]", "actions.kill", "neither a command nor a prompt"),
        (
            "[tester]",
            '[actions.kill]\ncommand=["x"]\nprompt="y"\n[tester]',
            "actions.kill",
            "a command and a",
        ),
        (
            "[tester]",
            '[actions.kill]\nprompt="end {vhid}"\n[tester]',
            "actions.kill",
            r"no placeholder \{vhid\}",
        ),
        (
            "[tester]",
            '[actions.configure]\nprompt="{password_file}"\n[tester]',
            "actions.configure",
            "no placeholder",
        ),
        ("[tester]", '[actions.kill]\nprompt="end {"\n[tester]', "actions.kill", "without its partner"),
        ("[tester]", '[actions.dance]\nprompt="!"\n[tester]', "actions", "'dance' was unexpected"),
        (
            "[tester]",
            '[[declared]]\nhost="b"\nvhid=1\naddresses=["192.0.2.100"]\n[tester]',
            r"declared\[0\]",
            "no host b",
        ),
        (
            "[tester]",
            '[[declared]]\nhost="a"\nvhid=9\naddresses=["192.0.2.100"]\n[tester]',
            r"declared\[0\]",
            r"vhid 9 is none of vhids \(1 to 4\)",
        ),
        (
            "[tester]",
            '[[declared]]\nhost="a"\nvhid=1\naddresses=["192.0.2.9"]\n[tester]',
            r"declared\[0\]",
            "192.0.2.9 is none of shared_addresses",
        ),
        (
            "[tester]",
            '[[declared]]\nhost="a"\nvhid=1\naddresses=[]\n[tester]',
            r"declared\[0\]",
            "it has no address",
        ),
        (
            "[tester]",
            '[[declared]]\nhost="a"\nvhid=1\naddresses=["192.0.2.100"]\n' * 2 + "[tester]",
            r"declared\[1\]",
            "declared twice",
        ),
        (
            "[tester]",
            '[[speaker]]\nprotocol="vrrp"\nid=3\nsource="router"\n[tester]',
            r"speaker\[0\].source",
            "'router' is no IP",
        ),
    ],
)
def test_a_fault_is_one_sentence(tmp_path, old, new, where, what):
    assert old in SOUND
    error = refused(tmp_path, SOUND.replace(old, new, 1))
    assert error.path == tmp_path / "lab.toml"
    assert re.fullmatch(where, error.where), error.where
    assert re.search(what, f"{error.what}; {error.remedy}"), str(error)
    assert str(error).startswith(f"{error.path}, {error.where}: {error.what}; {error.remedy}")


def test_a_password_of_a_wrong_type_is_not_repeated(tmp_path):
    assert "4711" not in str(refused(tmp_path, SOUND.replace('password = ""', "password = 4711")))


@pytest.mark.parametrize(
    ("content", "what"),
    [(None, "it cannot be read"), (b"schema = ", "it is not TOML"), (b"\xff", "it is not a text in UTF-8")],
)
def test_a_file_that_is_none(tmp_path, content, what):
    path = tmp_path / "lab.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PixitError, match=what) as raised:
        load(path)
    assert raised.value.where == ""
    assert str(raised.value).startswith(f"{path}: {what}")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(PixitError, match="cannot be read"):
        load(tmp_path)


def test_the_shape_that_others_build_on_is_frozen(tmp_path):
    made = read(tmp_path)
    with pytest.raises(AttributeError):
        made.system = "other"
    assert not hasattr(made, "__dict__")
    assert module.Pixit(system="x", hosts=()).actions == {}


def test_what_the_schema_lets_through_is_what_the_code_reads(tmp_path):
    """Every property of a declared virtual host is a field, and the other way round."""
    properties = schema()["properties"]["declared"]["items"]["properties"]
    assert set(properties) == set(Declared.__dataclass_fields__)
    assert pixit_of(tomllib.loads(SOUND), tmp_path / "x", {}).declared == ()

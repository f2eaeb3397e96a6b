"""``judge`` and ``watch`` as a stranger calls them: what is asked for wrongly is told in one sentence."""

import pytest

from conformance.cli import main
from conformance.commands import judging
from conformance.commands.errors import CommandError
from conformance.commands.judging import Question
from tests.judge.making import Member, addresses, write

LONE = Member().run(0, 5)


def said(capsys, *arguments):
    """Exit status, standard output and error of ``judge`` with these arguments."""
    status = main(["judge", *map(str, arguments)])
    return status, *capsys.readouterr()


def question(**changes):
    return Question.of(
        **{"vhid": None, "given": (), "file": None, "addresses": (), "dialect": None, **changes}
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--vhid", "999"], "--vhid 999: there is no such virtual host; give a number from 1 to 255"),
        (["--vhid", "0"], "--vhid 0: there is no such virtual host"),
        (["--address", "here"], "--address here: this is no IP address; give one such as 192.0.2.1"),
        (["--dialect", "windows"], "there is no dialect 'windows'; known are freebsd"),
        (["--pass-file", "nowhere"], "--pass-file nowhere: cannot be read"),
        (["--html", "nowhere/page.html"], "--html nowhere/page.html: cannot be written"),
    ],
)
def test_what_is_asked_for_wrongly_is_told_in_one_sentence(tmp_path, capsys, arguments, sentence):
    status, out, error = said(capsys, write(tmp_path, LONE), *arguments)
    assert (status, out, error.count("\n")) == (2, "", 1)
    assert error.startswith(f"carp-conformance: {sentence}")


@pytest.mark.parametrize("name", ["nothing-there.pcap", "."])
def test_a_capture_that_cannot_be_opened(tmp_path, capsys, name):
    status, out, error = said(capsys, tmp_path / name)
    assert (status, out) == (2, "")
    assert error.endswith("give the path of a readable capture file.\n")


def test_addresses_as_ifconfig_prints_them():
    asked = question(addresses=("192.0.2.1/24", "fe80::1%vtnet0", "2001:db8::1/64", "fe80::2%em0/64"))
    assert asked.addresses == addresses("192.0.2.1", "fe80::1", "2001:db8::1", "fe80::2")
    with pytest.raises(CommandError, match="--address 192.0.2.300"):
        question(addresses=("192.0.2.300",))


def test_no_password_is_in_what_a_question_looks_like(tmp_path):
    (tmp_path / "candidates").write_text("from the file\n\nand another\n", encoding="utf-8")
    asked = question(given=("from the line",), file=tmp_path / "candidates")
    assert asked.passwords == ("from the line", "from the file", "and another")
    assert not any(password in repr(asked) for password in asked.passwords)


def test_another_virtual_host_than_the_one_in_the_capture(tmp_path, capsys):
    status, out, _ = said(capsys, write(tmp_path, LONE, Member(vhid=9).run(0.5, 2)), "--vhid", "7")
    assert status == 3
    assert "7 advertisements are of other virtual hosts than the one asked for: vhid 1, 9." in out


def test_the_summary_tells_the_day(tmp_path, capsys):
    """Times of day are UTC, as the first line says."""
    _, out, _ = said(capsys, write(tmp_path, LONE))
    assert out.splitlines()[0].endswith("5 frames, 2023-11-14 22:13:20 to 22:13:24 UTC")
    _, out, _ = said(capsys, write(tmp_path, LONE, Member().run(86_400, 3, first=9)))
    assert out.splitlines()[0].endswith("2023-11-14 22:13:20 to 2023-11-15 22:13:22 UTC")


def test_with_several_captures_every_frame_tells_its_own(tmp_path, capsys):
    """Both were MASTER: one is seen at each side."""
    other = Member(source="192.0.2.12", advskew=100, counter=9).run(3.5, 6)
    first = write(tmp_path, Member().run(0, 12), name="a.pcap")
    page = tmp_path / "page.html"
    _, out, _ = said(capsys, first, write(tmp_path, other, name="b.pcap"), "--html", page)
    assert "(start, frame 1 of capture 1)" in out
    assert "(frames 1 of capture 2 to " in out
    assert "is master from frame 1 of capture 1 (start)" in page.read_text("utf-8")


def test_a_hostile_name_reaches_no_terminal(tmp_path, capsys):
    status, out, error = said(capsys, tmp_path / "x\x1b]0;owned\x07.pcap")
    assert (status, out) == (2, "")
    assert "\x1b" not in error
    assert "\x07" not in error


def test_watch_hands_over_what_was_asked_for(monkeypatch, capsys):
    asked = {}

    def stand_in(interface, **options):
        asked.update(options, interface=interface)
        return judging.judged([], question())

    monkeypatch.setattr(judging, "watch", stand_in)
    assert main(["watch", "--interface", "em0", "--vhid", "7", "--pass", "p", "--json-lines"]) == 3
    assert (asked["interface"], asked["vhid"], asked["passwords"]) == ("em0", 7, ("p",))
    assert asked["json_lines"] is True


def test_an_interface_that_cannot_be_watched(capsys):
    assert main(["watch", "--interface", "carp-none0"]) == 2
    assert capsys.readouterr().err.startswith("carp-conformance: carp-none0: ")

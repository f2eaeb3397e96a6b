"""The shell of a machine, here that of this one."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from conformance.lab.shell import HostError, Shell


@pytest.fixture
def sh():
    made = Shell("a", ["/bin/sh"])
    yield made
    made.close()


def test_answer_has_output_complaint_and_status(sh):
    said = sh.run("echo out; echo err >&2; exit 3")
    assert (said.status, said.out, said.err) == (3, "out\n", "err\n")


def test_scripts_do_not_touch_each_other(sh):
    sh.run("x=1; cd /; exit 1")
    assert sh.run('echo "<$x>"').out == "<>\n"


def test_script_has_no_standard_input(sh):
    assert sh.run("cat; echo done").out == "done\n"


def test_output_without_a_newline_and_large_output(sh):
    assert sh.run("printf abc").out == "abc"
    assert (
        len(
            sh.run(
                "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done"
            ).out
        )
        == 123_000
    )


def test_output_that_looks_like_an_end_is_only_output(sh):
    assert sh.run("echo; echo 0123456789abcdef-1 0; echo more").out.endswith("more\n")


def test_script_that_must_not_fail_says_what_failed_and_hides_the_password(sh):
    sh.hide("s3cret")
    with pytest.raises(
        HostError, match=r"machine a: `echo no \*\*\* >&2; exit 7` ended with status 7: no \*\*\*; "
    ) as caught:
        sh.do("echo no s3cret >&2; exit 7")
    assert "s3cret" not in str(caught.value)


def test_password_is_in_no_argument_list_of_a_process_that_lasts(sh):
    answer = sh.begin("sleep 2 # pass s3cret-one")
    seen = [one.read_bytes() for one in Path("/proc").glob("[0-9]*/cmdline") if os.access(one, os.R_OK)]
    assert answer() is None
    assert not any(b"s3cret-one" in line for line in seen)


def test_machine_that_does_not_answer_is_given_up_in_one_sentence(sh):
    with pytest.raises(HostError, match=r"machine a: it did not answer in 0\.2 s; look whether it runs"):
        sh.run("while :; do :; done", within_ns=200_000_000)
    assert not sh.alive


def test_shell_that_ends_tells_its_last_words():
    sh = Shell("b", ["/bin/sh", "-c", "echo Permission denied >&2; exit 255"])
    with pytest.raises(
        HostError, match="machine b: the connection ended: Permission denied; look whether you can log in"
    ):
        sh.run("true")
    sh.close()


def test_shell_dies_with_the_process_that_made_it():
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        sh = Shell("a", ["/bin/sh"])
        os.write(writing, sh.run("echo $PPID; sh -c 'echo $PPID'").out.split()[1].encode())
        signal.pause()
    shell_pid = int(os.read(reading, 32))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{shell_pid}").exists() and "Z" not in Path(f"/proc/{shell_pid}/stat").read_text():
        assert time.monotonic() < deadline


def test_shell_that_was_closed_is_a_machine_that_is_gone(sh):
    sh.close()
    with pytest.raises(HostError, match="machine a: the connection ended"):
        sh.run("true")

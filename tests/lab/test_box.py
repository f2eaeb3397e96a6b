"""The builder of the ucarp box: what it is made of decides whether it is made again; the disk boots by GRUB and is the same each time."""

import json
import os
import shutil
import struct
import tarfile

import pytest

from conformance.lab.box import build
from conformance.lab.box.__main__ import main
from conformance.lab.box.command import DATE
from conformance.lab.box.disk import BOOT, make_disk, pack

needs_tools = pytest.mark.skipif(bool(build.lacks()), reason="; ".join(what for what, _ in build.lacks()))


def kept(folder, inputs, recipe=None, size=3):
    path = folder / f"ucarp-{inputs[:16]}.box"
    path.write_bytes(b"box")
    record = {
        "recipe": recipe or build.recipe_digest(),
        "inputs": inputs,
        "sha256": "ab" * 32,
        "size": size,
        "packages": ["ucarp 1 amd64"],
    }
    path.with_suffix(".json").write_text(json.dumps(record))
    return path


class TestCache:
    def test_a_box_of_the_same_inputs_is_taken(self, tmp_path):
        path = kept(tmp_path, "11" * 32)
        box = build.cached(tmp_path, "11" * 32)
        assert box.path == path
        assert box.packages == ("ucarp 1 amd64",)

    def test_other_inputs_have_no_box(self, tmp_path):
        kept(tmp_path, "11" * 32)
        assert build.cached(tmp_path, "22" * 32) is None

    def test_a_box_that_was_cut_off_is_none(self, tmp_path):
        kept(tmp_path, "11" * 32, size=4)
        assert build.cached(tmp_path, "11" * 32) is None

    def test_the_package_index_is_an_input(self, tmp_path, monkeypatch):
        monkeypatch.setattr(build, "MIRROR_LISTS", tmp_path)
        assert build.input_digest() is None
        index = tmp_path / "mirror_dists_bookworm_InRelease"
        index.write_text("one")
        first = build.input_digest()
        index.write_text("two")
        assert build.input_digest() not in (None, first)

    def test_without_an_index_the_last_one_of_the_recipe_is_taken(self, tmp_path, monkeypatch):
        monkeypatch.setattr(build, "MIRROR_LISTS", tmp_path / "none")
        kept(tmp_path, "22" * 32, recipe="another")
        path = kept(tmp_path, "11" * 32)
        assert build.ready(folder=tmp_path).path == path

    def test_where_it_cannot_be_built_the_last_one_is_taken_and_said(self, tmp_path, monkeypatch):
        monkeypatch.setattr(build, "input_digest", lambda: "33" * 32)
        monkeypatch.setattr(
            build, "lacks", lambda: (("mmdebstrap is missing", "apt-get install mmdebstrap"),)
        )
        path, said = kept(tmp_path, "11" * 32), []
        assert build.ready(said.append, tmp_path).path == path
        assert "mmdebstrap is missing" in said[0]

    def test_without_any_it_is_one_sentence_and_status_3(self, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr(
            build, "lacks", lambda: (("mmdebstrap is missing", "apt-get install mmdebstrap"),)
        )
        assert main(["--cache", str(tmp_path)]) == 3
        assert capsys.readouterr().err.startswith(
            "carp-conformance: the ucarp box cannot be built: mmdebstrap is missing; apt-get"
        )

    def test_versions_differ_with_the_content(self, tmp_path):
        one, two = (build.Box(tmp_path, "11", content * 32, ()) for content in ("aa", "bb"))
        assert one.version != two.version


class TestWithoutRoot:
    @pytest.fixture
    def user(self, tmp_path, monkeypatch):
        """An ordinary user whose subordinate ids are in a file each; ``newuidmap`` is there."""
        files = (tmp_path / "subuid", tmp_path / "subgid")
        monkeypatch.setattr(build.os, "geteuid", lambda: 1000)
        monkeypatch.setattr(build.os, "getuid", lambda: 1000)
        monkeypatch.setattr(build.getpass, "getuser", lambda: "ada")
        monkeypatch.setattr(build, "which", lambda tool: f"/usr/bin/{tool}")
        monkeypatch.setattr(build, "SUBORDINATE_IDS", files)
        return files

    @pytest.mark.parametrize("line", ["ada:100000:65536", "1000:100000:65536", "bob:1:2\nada:100000:70000"])
    def test_ids_of_the_user_are_enough(self, user, line):
        for file in user:
            file.write_text(f"{line}\n")
        assert list(build._rootless_lacks()) == []

    @pytest.mark.parametrize("line", ["", "bob:100000:65536", "ada:100000:1000", "ada"])
    def test_user_without_ids_is_told_the_command(self, user, line):
        user[0].write_text("ada:100000:65536\n")
        user[1].write_text(f"{line}\n")
        assert list(build._rootless_lacks()) == [
            (
                "the user ada has no subordinate ids",
                "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ada, or run as root",
            )
        ]

    def test_tool_that_maps_them_is_named_with_its_package(self, user, monkeypatch):
        for file in user:
            file.write_text("ada:100000:65536\n")
        monkeypatch.setattr(build, "which", lambda _: None)
        assert (
            "the command 'newuidmap' is missing",
            "apt-get install uidmap, or run as root",
        ) in build.lacks()

    def test_root_needs_none_of_it(self, user, monkeypatch):
        monkeypatch.setattr(build.os, "geteuid", lambda: 0)
        assert list(build._rootless_lacks()) == []


@needs_tools
class TestDisk:
    @pytest.fixture
    def disk(self, tmp_path):
        def make(name):
            work = tmp_path / name
            work.mkdir()
            shutil.copy(build._HERE / "grub.cfg", work)
            with tarfile.open(work / "root.tar", "w") as tar:
                for file in ("vmlinuz", "initrd.img"):
                    member = tarfile.TarInfo(file)
                    member.mtime = DATE
                    tar.addfile(member)
            make_disk(work)
            return work

        return make

    def test_holds_grub_one_partition_and_the_file_system(self, disk):
        raw = (disk("one") / "disk.raw").read_bytes()
        kind, start = raw[446 + 4], struct.unpack_from("<I", raw, 446 + 8)[0]
        assert raw[510:512] == b"\x55\xaa"
        assert (kind, start) == (0x83, 2048)
        assert raw[:440] == (BOOT / "boot.img").read_bytes()[:440]
        assert b"/vmlinuz" in raw[512 : 2048 * 512] or b"GRUB" in raw[:512]
        assert raw[2048 * 512 + 1024 + 56 : 2048 * 512 + 1024 + 58] == b"\x53\xef"

    def test_is_the_same_byte_by_byte_each_time(self, disk):
        one, two = disk("one"), disk("two")
        os.utime(two / "root.tar", (1, 1))
        assert (one / "box.img").read_bytes() == (two / "box.img").read_bytes()
        assert pack(one).read_bytes() == pack(two).read_bytes()

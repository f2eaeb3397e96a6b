"""Why two MASTERs stood side by side: digests, refusals, deafness, ties, one family filtered."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.judge.digests import believes
from conformance.judge.events import DualMaster
from conformance.judge.findings import difference, password_words
from conformance.judge.host import Family, Host
from conformance.judge.speaker import Speaker

_ENOUGH = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """A diagnosis: ``id`` for programs, ``words`` that follow "because", ``sure`` if the wire proves it."""

    id: str
    words: str
    sure: bool = True


_REFUSALS = (
    ("TTL", "ttl-changed"),
    ("version", "version-differs"),
    ("checksum", "checksum-wrong"),
    ("fragment", "fragmented"),
    ("bytes", "length-wrong"),
    ("vhid 0", "vhid-0"),
)


def refusal_id(reason: str) -> str:
    """The finding's id for a reason of :func:`conformance.judge.form.refusal`."""
    return next(name for word, name in _REFUSALS if word in reason)


def why_two_masters(host: Host, family: Family, dual: DualMaster) -> Reason:
    """The likeliest reason why neither of two speakers that stood as MASTER yields to the other."""
    older, younger = dual.older, dual.younger
    for speaker in (younger, older):
        if speaker.refusals and speaker.rivalry:
            reason = max(speaker.refusals, key=lambda one: len(speaker.refusals[one]))
            return Reason(
                refusal_id(reason), f"nobody believes the advertisements of {speaker.source}: {reason}"
            )
    return (
        _digests(older, younger)
        or _digests_then(dual)
        or filtered_family(host, family, older, younger)
        or _hearing(older, younger)
    )


def _digests_then(dual: DualMaster) -> Reason | None:
    """What was wrong with the digests while both were MASTER, if that was mended later."""
    for speaker, other in ((dual.younger, dual.older), (dual.older, dual.younger)):
        for material, (against, frames) in speaker.disbelieved.items():
            if any(dual.start <= ref <= dual.end for ref in frames):
                name, words = difference(material, against)
                mine = words.replace("its digest", f"the digest of {speaker.source}")
                return Reason(name, f"{other.source} did not believe {speaker.source}: {mine}")
    return None


def _digests(older: Speaker, younger: Speaker) -> Reason | None:
    if older.key is not None and younger.key is not None:
        if believes(older.key.material, younger.key.material):
            return None
        name, words = difference(younger.key.material, older.key.material)
        return Reason(
            name,
            (
                f"{younger.source} and {older.source} do not believe each other: "
                f"{words.replace('its digest', f'the digest of {younger.source}')}"
            ),
        )
    for one, other in ((younger, older), (older, younger)):
        if one.key is None and one.mismatched:
            words = f"the digest of {one.source} fits no password and address set that is known"
            if other.key is not None:
                words += f", that of {other.source} fits {password_words(other.key.material)}"
                return Reason("foreign-speaker", words)
            return Reason("digest-unknown", words, sure=False)
    return None


def filtered_family(host: Host, family: Family, older: Speaker, younger: Speaker) -> Reason | None:
    """Whether the ``younger`` host speaks both families and the ``older`` one is heard in this one only
    (hazard H12).
    """
    other = host.families.get(10 - family.version)
    if other is None or not other.history.handovers:
        return None
    near = [
        twin
        for twin in other.speakers.values()
        if twin.count
        and any(
            abs(dual.time_ns - one.start_ns) < 50_000_000
            for dual in other.history.handovers
            for one in family.history.duals
            if one.younger is younger
        )
    ]
    if not near or any(
        twin not in near or twin.count > 2 * younger.count for twin in other.speakers.values()
    ):
        return None
    here, there = f"IPv{family.version}", f"IPv{other.version}"
    words = (
        f"{older.source} is heard over {here} only, while {younger.source} also "
        f"speaks {there}: a BACKUP with both families misses the {there} advertisements"
    )
    return Reason("family-filtered", words)


def deaf(speaker: Speaker) -> bool:
    """Whether a speaker's counter shows that it does not take in what others send: it never follows, or
    goes on by itself.
    """
    return (
        speaker.chances >= _ENOUGH
        and speaker.followed == 0
        and (speaker.deaf > 0 or speaker.randoms >= _ENOUGH)
        and not speaker.constant_counter
    )


def _no_hearing(better: Speaker, worse: Speaker) -> Reason:
    if better.key is not None and worse.key is not None:
        return Reason("no-hearing", f"{worse.source} and {better.source} do not hear each other")
    words = (
        f"neither of {worse.source} and {better.source} takes in what the other sends: they do not hear each "
        "other, or do not believe each other (which of both, the passwords would tell)"
    )
    return Reason("no-hearing-or-belief", words)


def _hearing(older: Speaker, younger: Speaker) -> Reason:
    assert older.last_form is not None
    assert younger.last_form is not None
    if older.last_form.rank == younger.last_form.rank and older.last_form.demote == younger.last_form.demote:
        return Reason(
            "tie",
            (
                f"both announce advbase {older.last_form.advbase} advskew "
                f"{older.last_form.advskew} and neither yields to an equal"
            ),
            sure=False,
        )
    better, worse = (older, younger) if older.last_form.rank < younger.last_form.rank else (younger, older)
    if deaf(worse):
        if better.followed:
            return Reason(
                "one-way-loss",
                (
                    f"{worse.source} does not take in the better advertisements "
                    f"of {better.source}, while {better.source} hears it "
                    "(loss in one direction, a filter, or net.inet.carp.allow=0)"
                ),
            )
        if deaf(better):
            return _no_hearing(better, worse)
    words = (
        f"{worse.source} does not yield to the better advertisements "
        f"of {better.source}: it does not hear or does not believe them"
    )
    return Reason("deaf-backup", words, sure=deaf(worse))

"""Two members of a group, and what `judge` says of a story about them."""

from conformance.judge.judge import judge
from tests.judge.making import VIP, Member, write

A = Member()
B = Member(source="192.0.2.12", advskew=100, counter=1 << 32)
TWO = (VIP, "192.0.2.5")
START = [A.announcement(0.001)]


def story(folder, *frames, **options):
    """The ids of the findings on vhid 1 over IPv4, the segment's last, and the document."""
    options.setdefault("passwords", ("secret", "other"))
    document = judge([write(folder, *frames)], **options)
    hosts = [host for host in document["vhids"] if (host["vhid"], host["family"]) == (1, 4)]
    findings = [one for host in hosts for one in host["findings"]] + document["findings"]
    return [one["id"] for one in findings], findings[0]["text"] if findings else "", document


def only(folder, *frames, **options):
    """The text of the only finding, after its id."""
    ids, text, _ = story(folder, *frames, **options)
    return [*ids, text]

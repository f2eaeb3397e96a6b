"""The page that compares the dialects: each rule with its values and what confirms them; state machines.

Values that dialects share are named once: seven columns would not fit on any page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cells import code, plain, table

from conformance.model import (
    administering,
    announcing,
    balancing,
    election,
    loglines,
    onwire,
    platform,
    receiving,
    timing,
    vrrp3,
)
from conformance.model.rows import KEYS, SYSTEM, Confirmed, Row
from conformance.model.table import transitions_markdown

CHAPTERS: Sequence[tuple[str, Sequence[Row]]] = (
    ("Time", timing.ROWS),
    ("On the wire and capabilities", onwire.ROWS),
    ("ARP and neighbour discovery", announcing.ROWS),
    ("Reception", receiving.ROWS),
    ("Election", election.ROWS),
    ("Configuration", administering.ROWS),
    ("Load balancing", balancing.ROWS),
    ("The machine around it", platform.ROWS),
    ("Log lines", loglines.ROWS),
)
"""All of ``ROWS``, by what they are about."""


def dialects() -> str:
    """The page, in Markdown that a repository's web page shows as well."""
    systems = table(("dialect", "taken from"), ((code(key), SYSTEM[key]) for key in KEYS))
    confirmed = {
        kind: sum(row.sources[key].kind is kind for _, rows in CHAPTERS for row in rows for key in KEYS)
        for kind in Confirmed
    }
    counts = ", ".join(f"{count} {kind.value}" for kind, count in confirmed.items())
    text = (
        "# How CARP dialects differ\n\n"
        "<!-- Written by docs/generate.py from conformance/model/: do not edit. -->\n\n"
        "The rules in which implementations differ, as the models of this suite hold them. A value is named "
        f"with the dialects that share it and with what confirms it ({counts}). A recording is one of "
        f"`fixtures/captures`; what was read is a function of the implementation's source.\n\n{systems}"
    )
    for title, rows in CHAPTERS:
        text += f"\n## {title}\n" + "".join(_rule(row) for row in rows)
    return text + _vrrp3() + _machines()


def _rule(row: Row) -> str:
    values: dict[str, list[str]] = {}
    for key in KEYS:
        values.setdefault(_value(row, key), []).append(key)
    lines = (
        (plain(value), "all" if len(keys) == len(KEYS) else ", ".join(keys), _confirmed_by(row, keys))
        for value, keys in values.items()
    )
    shown = table(("value", "dialects", "confirmed by"), lines)
    return f"\n### {code(row.name)}\n\n{_sentence(row.meaning)}.\n\n{shown}"


def _sentence(meaning: str) -> str:
    return plain(meaning[0].upper() + meaning[1:])


def _value(row: Row, key: str) -> str:
    """What a dialect does; a value that is the docstring of a function loses the capital of a sentence."""
    shown = row.shown(key)
    begins_a_sentence = callable(row.values[key]) and key not in row.text and shown[1:2].islower()
    return shown[0].lower() + shown[1:] if begins_a_sentence else shown


def _confirmed_by(row: Row, keys: Sequence[str]) -> str:
    """The sources of the dialects that share a value, each once, the strongest kind first."""
    strength = list(Confirmed)
    sources = sorted(
        dict.fromkeys(row.sources[key] for key in keys), key=lambda source: strength.index(source.kind)
    )
    said = (
        f"{kind.value}: {plain('; '.join(s.reference for s in sources if s.kind is kind))}"
        for kind in strength
        if any(s.kind is kind for s in sources)
    )
    return "; ".join(said)


def _vrrp3() -> str:
    rows = (
        (
            code(one.name),
            plain(one.meaning),
            plain(one.shown()),
            plain(one.rfc) + (f" ({one.clause})" if one.clause else ""),
            plain(one.source),
        )
        for one in vrrp3.ROWS
    )
    shown = table(("rule", "about", "FreeBSD 15 with carpver 3", "RFC 9568 (section)", "confirmed by"), rows)
    return (
        "\n## VRRPv3\n\nWhat a virtual host of FreeBSD 15 does that speaks VRRPv3 in place of CARP, beside what RFC 9568 "
        "wants. Intervals are centiseconds; M is the master's. Its state machine, ARP and neighbour discovery are those "
        f"of CARP.\n\n{shown}"
    )


def _machines() -> str:
    below = re.sub(r"^## ", "### ", transitions_markdown().rstrip(), flags=re.MULTILINE)
    return (
        "\n## State machines\n\nWhat can happen to a virtual host and what it does then, in this order. "
        "What is not in a table cannot happen; reasons are in the words of FreeBSD 13's log.\n\n"
        f"{below}\n"
    )

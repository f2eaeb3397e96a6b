"""The reference of the PIXIT file, written from its schema and from the examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cells import code, plain, table

from conformance.targets.pixit_file import schema

Schema = Mapping[str, Any]
_EXAMPLES = Path(__file__).parents[1] / "fixtures" / "pixit"
_HEAD = """# The PIXIT file

The PIXIT (ISO/IEC 9646: *protocol implementation extra information for testing*) is what the tester must know to test machines that are already there: how to reach
them, which segment is theirs, which addresses and vhids nobody else uses, and what may be changed. It is a TOML file; `--pixit FILE` takes it:

```text
carp-conformance run --target freebsd --pixit lab.toml --interface eth1 --this-segment-is-mine
```

Unknown keys are refused, so that a misspelt one is not overlooked. Paths in it are relative to its folder. One of `password`, `password_file` and `password_env` must be
there. The schema is `conformance/targets/schema/pixit.schema.json`.

The password of the virtual hosts is taken out of everything that a run or a matrix writes; one that stands in a name of the file (a machine's connection or interface, the
product) is refused, because results and messages tell these names.

On such a segment the tester takes addresses over. So it needs `--interface` and `--this-segment-is-mine`, listens first, and ends with status 2 and without having sent
anything when it hears a speaker of CARP or VRRP that the file does not name: one in `speaker`, or a virtual host in `declared`. It listens for 260 s: a speaker of CARP with the
greatest timers (advbase 255, advskew 255) advertises every 255.996 s, one of VRRP every 255 s, so that every master is heard. `--listen S` makes it shorter,
for a segment that you know; who advertises less often is then not heard.
"""


def pixit() -> str:
    """The page."""
    whole = schema()
    parts = [_HEAD, "\n## The file\n\n", _table(whole)]
    for name, part in whole["properties"].items():
        inner = _inner(part, whole)
        if inner is not None:
            title = f"`[[{name}]]`" if part.get("type") == "array" else f"`[{name}]`"
            parts += [f"\n## {title}\n\n{plain(part['description'])}\n\n", _table(inner)]
    parts += [
        "\n## An action\n\nEither a `command` or a `prompt`.\n\n",
        _table(whole["$defs"]["action"]),
    ]
    parts.append("\n## Examples\n")
    for path in sorted(_EXAMPLES.glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        parts.append(f"\n### `{path.name}`\n\n```toml\n{text}```\n")
    return "".join(parts)


def _inner(part: Schema, whole: Schema) -> Schema | None:
    """The object that a property holds, or an array of it; None for plain values."""
    found = part.get("items", part)
    found = whole["$defs"].get(str(found.get("$ref", "")).rpartition("/")[2], found)
    return found if "properties" in found and "$ref" not in part else None


def _table(part: Schema) -> str:
    required = part.get("required", ())
    rows = [
        (code(name), _kind(one), "yes" if name in required else "", _says(one))
        for name, one in part["properties"].items()
    ]
    return table(("key", "value", "needed", "what it is"), rows)


def _kind(one: Schema) -> str:
    if "$ref" in one:
        name = one["$ref"].rpartition("/")[2]
        return {
            "addresses": "list of IP addresses",
            "interface": "interface",
            "vhids": "table with first, last",
            "vlans": "table with first, last",
            "action": "table",
        }[name]
    if "const" in one or "enum" in one:
        return " or ".join(code(str(value)) for value in one.get("enum", [one.get("const")]))
    names = {
        "string": "text",
        "boolean": "true or false",
        "integer": "whole number",
        "array": "list",
        "object": "table",
    }
    limits = [f"{one[key]}" for key in ("minimum", "maximum") if key in one]
    kind = names.get(str(one.get("type")), str(one.get("type")))
    return f"{kind}, {' to '.join(limits)}" if len(limits) == 2 else kind


def _says(one: Schema) -> str:
    return "<br>".join([plain(one.get("description", "")), *_choices(one)])


def _choices(one: Schema) -> Iterator[str]:
    for choice in one.get("items", {}).get("oneOf", ()):
        yield f"{code(choice['const'])}: {plain(choice['description'])}"

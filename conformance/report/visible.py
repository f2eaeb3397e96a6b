"""Text from a device made harmless to look at: what a terminal, a page or XML would obey becomes visible."""

from __future__ import annotations

import re
from typing import Any, Final

# Controls but tab and line feed, lone surrogates, byte order marks, non-characters, and everything that turns
# the direction of text around or hides it: a device must not be able to reorder or blank a page.
_OBEYED: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ufffe\uffff"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 17))
    + "\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    r"""`text` with each character that would be obeyed written as its escape, as `\x1b` or `\u202e`.

    Tab and line feed stay; CR LF becomes a line feed. What comes back is legal in XML 1.0 and HTML once it is escaped.
    """
    # Most texts are lines of ASCII, and the search below is what a page's time goes into.
    if text.isascii() and (text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable()):
        return text
    return _OBEYED.sub(_escape, text.replace("\r\n", "\n"))


def all_visible(value: Any) -> Any:
    """`value` (plain JSON) with `visible` applied to every string in it but the keys of objects."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {key: all_visible(one) for key, one in value.items()}
    return [all_visible(one) for one in value] if isinstance(value, list) else value


def clip(text: str, longest: int) -> str:
    """`text` cut to `longest` characters, with the number of those that were left out said at its end."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text) - longest} more characters in results.json)"


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"

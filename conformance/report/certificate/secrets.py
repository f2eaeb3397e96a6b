"""Keeps passwords and keys out of what is published: takes them out of texts, and finds them in bytes however written."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

REMOVED: Final = "[removed]"
SHORTEST: Final = 4
_KEY = re.compile(
    r"-----BEGIN (?P<kind>[A-Z0-9 ]*PRIVATE KEY)-----.*?(?:-----END (?P=kind)-----|\Z)", re.DOTALL
)
_KEY_BYTES = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")


@dataclass(eq=False)
class SecretTooShort(Exception):
    """A secret that is too short to be told from ordinary text; the text never shows it."""

    length: int

    def __str__(self) -> str:
        return (
            f"a secret of {self.length} characters cannot be told from ordinary text; "
            f"run the cases with a password of at least {SHORTEST} characters."
        )


@dataclass(eq=False)
class SecretLeft(Exception):
    """Files that would still hold a secret; the text never shows it."""

    files: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"a password or key is still in {', '.join(self.files)} and cannot be taken out there; "
            "run the cases with a password that is used nowhere else and is no word of the documents."
        )


def cleaner(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that takes ``secrets`` and private keys in PEM out of a text. Raises :class:`SecretTooShort`."""
    listed = _checked(secrets)
    forms = sorted({form for secret in listed for form in _forms(secret)}, key=lambda form: -len(form))
    pattern = re.compile("|".join(map(re.escape, forms)), re.IGNORECASE) if forms else None

    def clean(text: str) -> str:
        without = _KEY.sub(REMOVED, text)
        return pattern.sub(REMOVED, without) if pattern else without

    return clean


def hidden_word(secret: str) -> Callable[[str], str]:
    """A function that takes ``secret``, and private keys in PEM, out of a text where it stands as a word."""
    pattern = re.compile(rf"(?<!\w){re.escape(secret)}(?!\w)")
    return lambda text: pattern.sub(REMOVED, _KEY.sub(REMOVED, text))


def cleaned(value: Any, clean: Callable[[str], str]) -> Any:
    """``value`` (plain JSON) with ``clean`` applied to every string in it, the keys of objects included."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(key): cleaned(one, clean) for key, one in value.items()}
    if isinstance(value, list):
        return [cleaned(one, clean) for one in value]
    return value


def refuse_leaks(files: Mapping[str, bytes], secrets: Iterable[str]) -> None:
    """Raises :class:`SecretLeft` if a file, or its path, holds one of ``secrets`` in any form, or a private key."""
    needles = {form.lower().encode() for secret in _checked(secrets) for form in _forms(secret)}
    found = [path for path, data in files.items() if _holds(path.encode() + b"\n" + data, needles)]
    if found:
        raise SecretLeft(tuple(sorted(found)))


def _holds(data: bytes, needles: Iterable[bytes]) -> bool:
    folded = data.lower()
    return bool(_KEY_BYTES.search(data)) or any(needle in folded for needle in needles)


def _checked(secrets: Iterable[str]) -> list[str]:
    listed = sorted({secret for secret in secrets if secret})
    for secret in listed:
        if len(secret) < SHORTEST:
            raise SecretTooShort(len(secret))
    return listed


def _forms(secret: str) -> set[str]:
    """The ways in which tools write a text: as it is, in hexadecimal, base64, percent, JSON, HTML and Python notation."""
    raw = secret.encode("utf-8", "surrogatepass")
    coded = {_base64(raw, shift) for shift in range(3)}
    written = {
        secret,
        raw.hex(),
        raw.hex(":"),
        raw.hex(" "),
        quote(secret, safe="", errors="replace"),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
        html.escape(secret, quote=False),
        html.escape(secret).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
        secret.encode("unicode_escape").decode("ascii"),
        base64.b64encode(raw).decode().rstrip("="),
    }
    return {form for form in written | coded if len(form) >= SHORTEST}


def _base64(raw: bytes, shift: int) -> str:
    """What of ``raw`` shows in base64 of a longer text in which it begins ``shift`` bytes after a group of three."""
    whole = base64.b64encode(bytes(shift) + raw).decode()
    # The outermost characters carry bits of the neighbours, too.
    kept = whole[(0, 2, 3)[shift] : len(whole) - (0, 3, 2)[(shift + len(raw)) % 3]]
    # Short remains would hit ordinary text.
    return kept if len(kept) >= 2 * SHORTEST else ""

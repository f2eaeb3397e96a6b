"""Signs a bundle: an in-toto statement about its bytes in a DSSE envelope with an Ed25519 signature.

By securesystemslib, which the TUF and in-toto projects keep for this purpose: envelope, encoding before signing and key ids are
theirs, and any other DSSE tool can read what is written here. Keys are the PEM files that OpenSSL makes; no network, no account.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

PAYLOAD: Final = "application/vnd.in-toto+json"
_STATEMENT: Final = "https://in-toto.io/Statement/v1"
_PREDICATE: Final = "https://in-toto.io/attestation/test-result/v0.1"
SUFFIX: Final = ".dsse.json"
"""The envelope lies beside the bundle under the bundle's name with this after it."""

Document = dict[str, Any]


class NoSignatures(Exception):
    """The library for signatures is not installed."""

    def __init__(self) -> None:
        super().__init__("signatures need an extra: pip install 'carp-conformance[verify]'.")


class UnusableKey(Exception):
    """A key file that cannot be used; the text never shows the key."""

    def __init__(self, name: str, wanted: str) -> None:
        self.name, self.wanted = name, wanted
        super().__init__(
            f"{name} is not {wanted}; make a pair with: openssl genpkey -algorithm ed25519 -out KEY && openssl pkey -in KEY -pubout -out KEY.pub"
        )


@dataclass(eq=False)
class BadSignature(Exception):
    """An envelope that does not vouch for the bundle, and why."""

    problem: str

    def __str__(self) -> str:
        return self.problem


def statement(name: str, data: bytes, certificate: Mapping[str, Any], cases: Mapping[str, str]) -> Document:
    """The in-toto statement about the bundle ``data`` called ``name``; ``cases`` are verdicts by case id."""
    claims = certificate["claims_conformance"]
    return {
        "_type": _STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": hashlib.sha256(data).hexdigest()}}],
        "predicateType": _PREDICATE,
        "predicate": {
            "result": "PASSED" if claims else "WARNED",
            "configuration": [
                {"name": part, "digest": {"sha256": certificate["suite"][part].removeprefix("sha256:")}}
                for part in ("catalogue", "code")
            ],
            "passedTests": sorted(id for id, verdict in cases.items() if verdict == "pass"),
            "warnedTests": sorted(
                id for id, verdict in cases.items() if verdict in ("known_deviation", "inconclusive")
            ),
            "failedTests": sorted(id for id, verdict in cases.items() if verdict == "fail"),
        },
    }


def sign(stated: Mapping[str, Any], key: bytes, key_name: str) -> bytes:
    """The envelope for ``stated``, signed with the private key in PEM. Raises :class:`NoSignatures`, :class:`UnusableKey`."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
        from securesystemslib.dsse import Envelope
        from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]
    except ImportError as error:
        raise NoSignatures from error
    try:
        private = load_pem_private_key(key, password=None)
    except (ValueError, TypeError) as error:
        raise UnusableKey(key_name, "an Ed25519 private key in PEM without a passphrase") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise UnusableKey(key_name, "an Ed25519 private key in PEM without a passphrase")
    envelope = Envelope(json.dumps(stated, ensure_ascii=False).encode(), PAYLOAD, {})
    envelope.sign(CryptoSigner(private))
    return _written(envelope.to_dict())


def opened(envelope: bytes, key: bytes, key_name: str) -> Document:
    """The statement in ``envelope``, which must be signed with the private half of ``key`` (PEM, public).

    Raises :class:`BadSignature`, :class:`NoSignatures`, :class:`UnusableKey`.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
        from securesystemslib.dsse import Envelope
        from securesystemslib.exceptions import VerificationError
        from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]
    except ImportError as error:
        raise NoSignatures from error
    try:
        public = load_pem_public_key(key)
    except (ValueError, TypeError) as error:
        raise UnusableKey(key_name, "an Ed25519 public key in PEM") from error
    if not isinstance(public, Ed25519PublicKey):
        raise UnusableKey(key_name, "an Ed25519 public key in PEM")
    try:
        read = Envelope.from_dict(json.loads(envelope))
        if _written(read.to_dict()) != envelope:
            raise BadSignature("the envelope is not written as this suite writes it")
        read.verify([SSlibKey.from_crypto(public)], 1)
        stated = json.loads(read.payload)
    except VerificationError as error:
        raise BadSignature(
            f"the envelope is not signed with the key in {key_name}, or was changed since"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, LookupError) as error:
        raise BadSignature("the envelope is damaged") from error
    if read.payload_type != PAYLOAD or not isinstance(stated, dict) or stated.get("_type") != _STATEMENT:
        raise BadSignature("the envelope is about something else than a bundle")
    return dict(stated)


def vouches(stated: Mapping[str, Any], data: bytes) -> bool:
    """Whether a statement is about exactly these bytes, whatever the file is called now."""
    return [one["digest"]["sha256"] for one in stated["subject"]] == [hashlib.sha256(data).hexdigest()]


def _written(envelope: Mapping[str, Any]) -> bytes:
    return (json.dumps(envelope, indent=1) + "\n").encode()

"""Checks the digest of each advertisement and names the material of those that do not fit."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from conformance.judge.form import Advert, Ref
from conformance.judge.host import Host
from conformance.judge.keyring import Key, Material, Passwords, Search, address_sets, candidates
from conformance.judge.ledger import MAX_FRAMES
from conformance.judge.speaker import Speaker
from conformance.wire.digest import Address
from conformance.wire.frame import virtual_mac

_MAX_KEYS = 8
_MAX_SEARCHES = 24
_MAX_HOST_SEARCHES = 64


def believes(reference: Material, material: Material) -> bool:
    """Whether a host with the material ``reference`` believes a digest over ``material``: same key, same
    addresses, same order and MAC.
    """
    return (
        reference.password == material.password
        and reference.mixed == material.mixed
        and reference.long == material.long
        and reference.address_set == material.address_set
        and reference.lladdr == material.lladdr
        and reference.in_order == material.in_order
    )


@dataclass(slots=True)
class Digests:
    """Verifies digests with the operator's passwords and addresses; ``seen`` are addresses from ARP and
    neighbour discovery, by VLAN; ``known`` are keys that virtual hosts were given, by vhid.
    """

    passwords: Passwords
    addresses: tuple[Address, ...]
    seen: dict[tuple[int, ...], dict[Address, None]] = field(default_factory=dict)
    known: dict[int, list[Key]] = field(default_factory=dict)

    _for: tuple[object, ...] = ()
    _search_in: Search = field(default_factory=lambda: Search(iter(())))

    @property
    def active(self) -> bool:
        """Whether there is any password to check with."""
        return bool(self.passwords.given)

    def check(self, host: Host, speaker: Speaker, advert: Advert) -> bool | None:
        """True if the digest was made with known material (then ``speaker.key`` is that key), False if not,
        None if nobody can tell yet.
        """
        counter, digest = advert.counter, advert.digest
        for key in (*speaker.keys, *host.keys, *self.known.get(host.vhid, ())):
            if hmac.compare_digest(key.digest(counter), digest):
                self._use(host, speaker, key, advert.ref)
                speaker.authentic += 1
                return True
        found = self._search(host, speaker, advert)
        if found is not None:
            self._use(host, speaker, found, advert.ref)
            speaker.authentic += 1
            return True
        if not self.active:
            speaker.unchecked += 1
            return None
        speaker.waiting.append(advert)
        if host.current is None:
            speaker.unchecked += 1
            return None
        self._mismatch(speaker, advert.ref)
        return False

    def reconsider(self, host: Host) -> None:
        """Checks again what could not be verified, now that an address was learned or the capture has
        ended.
        """
        for speaker in tuple(host.speakers()):
            if not speaker.waiting:
                continue
            waiting = list(speaker.waiting)
            for advert in (waiting[-1], waiting[0]):
                found = self._search(host, speaker, advert)
                if found is not None:
                    self._use(host, speaker, found, advert.ref, newest=advert is waiting[-1])
                    if host.current is None and advert is waiting[-1]:
                        host.current = found.material
                    break
            speaker.waiting.clear()
            for advert in waiting:
                if any(
                    hmac.compare_digest(key.digest(advert.counter), advert.digest)
                    for key in (*speaker.keys, *host.keys)
                ):
                    speaker.authentic += 1
                    if advert.ref in speaker.mismatch:
                        speaker.mismatch.remove(advert.ref)
                        speaker.mismatched -= 1
                    else:
                        speaker.unchecked = max(speaker.unchecked - 1, 0)
                else:
                    speaker.waiting.append(advert)

    def settle(self, host: Host) -> None:
        """At the end: what stayed unverified although others of its host verify, or the operator told the
        addresses, is a mismatch.
        """
        self.reconsider(host)
        if not host.keys and not self.addresses:
            return  # the addresses may just be unknown, which is no mismatch
        for speaker in host.speakers():
            for advert in speaker.waiting:
                if advert.ref not in speaker.mismatch and speaker.unchecked:
                    speaker.unchecked -= 1
                    self._mismatch(speaker, advert.ref)

    def _mismatch(self, speaker: Speaker, ref: Ref) -> None:
        speaker.mismatched += 1
        if len(speaker.mismatch) < MAX_FRAMES:
            speaker.mismatch.append(ref)

    def _use(self, host: Host, speaker: Speaker, key: Key, ref: Ref, *, newest: bool = True) -> None:
        if key not in speaker.keys:
            speaker.keys.insert(0, key)
            del speaker.keys[_MAX_KEYS:]
            speaker.used.setdefault(key.material, ref)
        if newest:
            speaker.key = key
        if key not in host.keys:
            host.keys.insert(0, key)
            del host.keys[_MAX_KEYS:]

    def _search(self, host: Host, speaker: Speaker, advert: Advert) -> Key | None:
        if speaker.searches >= _MAX_SEARCHES or host.searches >= _MAX_HOST_SEARCHES:
            return None
        if not self.active and (speaker.searches or not (self.addresses or host.learned)):
            return None  # without a password only the empty key is tried, once the addresses are known
        speaker.searches += 1
        host.searches += 1
        seen = tuple(self.seen.get(host.vlans, ()))
        form = advert.form
        lladdrs = (
            [form.source_mac] if any(form.source_mac) and form.source_mac != virtual_mac(form.vhid) else []
        )
        known = (host.vlans, host.vhid, host.version, len(seen), tuple(lladdrs))
        if self._for != known:
            sets = list(address_sets(self.addresses, tuple(host.learned), seen))
            self._for, self._search_in = known, Search(candidates(self.passwords, host.vhid, sets, lladdrs))
        return self._search_in.find(advert.counter, advert.digest)

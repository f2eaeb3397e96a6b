"""A box on the bench, and the virtual host that runs on it already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from conformance.model.dialects import Dialect
from conformance.segment.decision import Inconclusive, NotApplicable, seconds
from conformance.targets.protocol import Settings
from conformance.targets.subject.recognised import better_than
from conformance.wire.advertisement import Advertisement
from conformance.wire.digest import Address, Secret

if TYPE_CHECKING:
    from conformance.targets.blackbox.bench import BlackBoxBench  # which makes boxes

_TRIES = 5
_ASKED = 900
"""The first counter of what is sent to make a box yield: less than those of a case, so that a capture tells them apart."""
SILENCERS = (
    ("stop", "start"),
    ("link_down", "link_up"),
    ("kill", "start"),
    ("kill", "reboot"),
    ("stop", "reboot"),
)
"""What silences a box, and what brings it back: the gentlest first."""


class Hiding(Enum):
    """What of the wire a case does not get to see: before it begins a box runs already, and has to be asked to yield."""

    NOTHING = "nothing"
    BOXES = "what the boxes advertise and announce"
    ALL = "all"


@dataclass(slots=True)
class BoxIut:
    """The virtual host of a box (an :class:`conformance.targets.protocol.Iut`)."""

    box: Box
    settings: Settings
    started_ns: int
    """When it heard the last advertisement that kept it in BACKUP: when it was really started nobody knows."""

    def running(self) -> bool:
        return self.box.silenced not in ("stop", "kill")

    def stop(self) -> None:
        self.box.end("stop", self.settings)

    def kill(self) -> None:
        self.box.end("kill", self.settings)

    def signal(self, name: str) -> None:
        self.box.cannot(f"send it SIG{name}")

    def describe(self) -> str:
        return f"{self.box.name} is a box of which only the wire is seen; {self.box.silenced or 'nothing'} was done to it"


class Box:
    """A :class:`conformance.targets.protocol.SutHost` and a :class:`conformance.targets.protocol.Declaring`.

    ``rows`` are its virtual hosts as they are declared, by vhid. ``silenced`` is the action that it is silent because of, or empty.
    """

    def __init__(
        self,
        bench: BlackBoxBench,
        name: str,
        addresses: tuple[Address, ...],
        mac: bytes,
        rows: Mapping[int, Settings],
    ) -> None:
        self.bench, self.name, self.addresses, self.mac, self.rows = bench, name, addresses, mac, rows
        self.silenced = ""
        self._now = dict(rows)
        self._begun = False

    def declared(self, vhid: int | None) -> Mapping[str, Any]:
        row = self.rows.get(vhid if vhid is not None else next(iter(self.rows)))
        if row is None:
            return {}
        names = ("vhid", "password", "addresses", "advbase", "advskew", "preempt", "options")
        return {name: getattr(row, name) for name in names}

    def start(self, settings: Settings) -> BoxIut:
        """Brings the virtual host into BACKUP: the box runs again if it was silenced, is configured if it can be, and hears somebody better.

        Raises :class:`NotApplicable` if it is not declared so and cannot be made so.
        """
        self._have(settings)
        self.bench.note(f"wants vhid {settings.vhid} of {self.name} in BACKUP")
        alone = not any(box.begun for box in self.bench.boxes.values())
        self.revive()
        self._begun = True
        started_ns = self._yield_now(settings) if alone else self.bench.loop.now_ns()
        self.bench.hiding = Hiding.NOTHING
        return BoxIut(self, settings, started_ns)

    @property
    def begun(self) -> bool:
        """Whether the case has started it."""
        return self._begun

    def cable(self, *, plugged: bool) -> None:
        if plugged and self.silenced == "link_down":
            self.bench.act("link_up", self, self._any_row())
            self.silenced = ""
        elif not plugged:
            self.end("link_down", self._any_row())

    def serve(self, address: Address, port: int) -> NoReturn:
        self.cannot(f"run a service at {address} port {port} on it")

    def end(self, action: str, settings: Settings) -> None:
        """Silences it by ``action``. Raises :class:`NotApplicable` if the PIXIT has no such action."""
        if self.silenced:
            return
        if action not in self.bench.actions:
            self.cannot(f"do {action} to it: the PIXIT has no such action")
        self.bench.act(action, self, settings)
        self.silenced = action

    def park(self) -> None:
        """Silences it in the gentlest way that there is."""
        for down, up in SILENCERS:
            if not self.silenced and {down, up} <= self.bench.actions.keys():
                self.end(down, self._any_row())

    def revive(self) -> None:
        """It is as it was before it was silenced."""
        if self.silenced:
            back = next(up for down, up in SILENCERS if down == self.silenced and up in self.bench.actions)
            self.bench.act(back, self, self._any_row())
            self.silenced = ""

    def reset(self) -> None:
        """After a case: declared settings, link and CARP are back, unless others would be disturbed by it."""
        self._begun = False
        for vhid, row in self.rows.items():
            if self._now[vhid] != row:
                self.bench.act("configure", self, row)
                self._now[vhid] = row
        self.park() if self.bench.parks else self.revive()

    def cannot(self, what: str) -> NoReturn:
        """Raises :class:`NotApplicable`."""
        raise NotApplicable(f"{self.name} is a black box: nobody can {what}")

    def _any_row(self) -> Settings:
        return next(iter(self._now.values()))

    def _have(self, wanted: Settings) -> None:
        """The virtual host has the settings that the case wants. Raises :class:`NotApplicable`."""
        changeable = "configure" in self.bench.actions
        # The only virtual host of a box can be given another vhid, too.
        key = next(iter(self._now)) if changeable and len(self._now) == 1 else wanted.vhid
        has = self._now.get(key)
        if has is None:
            known = ", ".join(str(vhid) for vhid in self.rows)
            raise NotApplicable(
                f"it wants vhid {wanted.vhid}; {self.name} is declared with vhid {known} and nothing can change that"
            )
        if wanted == has:
            return
        if not changeable or wanted.options != has.options:
            differences = " and ".join(_differences(wanted, self.rows[key]))
            raise NotApplicable(f"{differences}, and nothing can change that on {self.name}")
        self.bench.act("configure", self, wanted)
        self._now[key] = wanted

    def _yield_now(self, settings: Settings) -> int:
        """Sends somebody better until the box is silent, and then once more, for the case to see; the time of that.

        Raises :class:`Inconclusive` if it goes on advertising.
        """
        bench, rules = self.bench, self.bench.rules
        better = _better(settings, bench.tester_addresses, rules)
        silence_ns = rules.interval_window_ns(settings.advbase, settings.advskew)[1]
        bench.hiding = Hiding.ALL
        for turn in range(_TRIES):
            asked = better.numbered(_ASKED + turn)
            bench.loop.run_until(lambda: False, bench.send(asked) + rules.reaction_window_ns[1])
            since_ns = bench.loop.now_ns()
            with bench.loop.every(better.interval_ns, partial(bench.say, asked)):
                heard = partial(bench.has_heard, self, settings.vhid, since_ns)
                if not bench.loop.run_until(heard, since_ns + silence_ns):
                    bench.hiding = Hiding.NOTHING
                    return bench.send(better.numbered(_ASKED + _TRIES))
        raise Inconclusive(
            f"{self.name} does not leave MASTER of vhid {settings.vhid} for a better advertisement in {_TRIES} times "
            f"{seconds(silence_ns)}, so that no case can begin: look whether it is configured as the PIXIT declares"
        )


def _better(settings: Settings, sources: Sequence[Address], rules: Dialect) -> Advertisement:
    """An advertisement that a box with ``settings`` must prefer to its own."""
    version = settings.addresses[0].version
    advbase, advskew = better_than(settings.advbase, settings.advskew)
    return Advertisement(
        vhid=settings.vhid,
        source=next((one for one in sources if one.version == version), sources[0]),
        secret=Secret(settings.password, settings.addresses, rules.address_rule),
        advbase=advbase,
        advskew=advskew,
    )


def _differences(wanted: Settings, has: Settings) -> list[str]:
    """In which settings they differ, in words; a password is not told."""
    told = []
    for name in ("advbase", "advskew", "preempt", "addresses", "options"):
        one, other = getattr(wanted, name), getattr(has, name)
        if one != other:
            told.append(f"it wants {name} {_shown(one)}, declared is {_shown(other)}")
    if wanted.password != has.password:
        told.append("it wants another password")
    return told


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {one}" for key, one in value.items()) or "without options"
    return ", ".join(str(one) for one in value) if isinstance(value, tuple) else str(value)


def settings_of(row: Any, password: str) -> Settings:
    """The settings that a declared virtual host (:class:`conformance.targets.pixit.Declared`) has."""
    options = {} if row.dead_ratio == _DEAD_RATIO else {"dead_ratio": row.dead_ratio}
    made = Settings(vhid=row.vhid, password=password, addresses=row.addresses, preempt=row.preempt)
    return replace(made, advbase=row.advbase, advskew=row.advskew, options=options)


_DEAD_RATIO = 3

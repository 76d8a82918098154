"""Whose cosignatures count, and how many: a trust policy in the format of https://c2sp.org/tlog-policy.

log askfirst.local/log/0123456789abcdef+5f0e6d3a+AXo…
witness elsewhere witness.example/w1+9c1a…+BEr… https://witness.example/
witness ci        witness.example/ci+77b2…+BKp… https://ci.example/witness/
group both all elsewhere ci
quorum both
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.errors import ConfigError
from audit.note import COSIGNATURE, ED25519, NoteError, Verifier, parse_vkey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MAX_LINES: Final = 1000
_NONE: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWitness:
    """One witness: its name in the policy, its key, and where it takes submissions (``""``: not said)."""

    name: str
    key: Verifier
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessPolicy:
    """A trust policy.

    Attributes:
        logs: keys of logs that count; empty when the log is known from elsewhere.
        witnesses: in the order of the file.
        groups: name to (threshold, members).
        quorum: name of a witness or group, or ``none``.
    """

    logs: tuple[Verifier, ...] = ()
    witnesses: tuple[KnownWitness, ...] = ()
    groups: Mapping[str, tuple[int, tuple[str, ...]]]
    quorum: str = _NONE

    def is_met(self, cosigners: Iterable[Verifier]) -> bool:
        """Whether cosignatures by these keys are enough."""
        present = set(cosigners)
        have = {witness.name for witness in self.witnesses if witness.key in present}
        for name, (threshold, members) in self.groups.items():  # members stand above their groups
            if sum(member in have for member in members) >= threshold:
                have.add(name)
        return self.quorum == _NONE or self.quorum in have


def parse_policy(content: bytes, *, source: str) -> WitnessPolicy:
    """The policy in these bytes.

    Raises:
        ConfigError: they are none; the message names the line.
    """
    reader = _Reader()
    lines = content.split(b"\n")
    if len(lines) > _MAX_LINES:
        raise ConfigError(f"{source} has more than {_MAX_LINES} lines")
    for number, raw in enumerate(lines, 1):
        try:
            words = raw.decode("utf-8").replace("\t", " ").strip(" ").split(" ")
            reader.read([word for word in words if word])
        except (UnicodeDecodeError, NoteError, ValueError) as error:
            raise ConfigError(f"{source}, line {number}: {error}") from None
    if reader.quorum is None:
        raise ConfigError(f"{source} has no quorum line, expected `quorum NAME` or `quorum none`")
    return WitnessPolicy(
        logs=tuple(reader.logs), witnesses=tuple(reader.witnesses), groups=reader.groups, quorum=reader.quorum
    )


class _Reader:
    """Reads the lines of one file; ValueError and NoteError say what is wrong with one."""

    def __init__(self) -> None:
        self.logs = list[Verifier]()
        self.witnesses = list[KnownWitness]()
        self.groups = dict[str, tuple[int, tuple[str, ...]]]()
        self.quorum: str | None = None
        self._names = set[str]()
        self._members = set[str]()

    def read(self, words: list[str]) -> None:
        """Take in the words of one line."""
        match words:
            case []:
                pass
            case [first, *_] if first.startswith("#"):
                pass
            case ["log", vkey] | ["log", vkey, _]:
                self.logs.append(self._key(vkey, ED25519))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                key = self._key(vkey, COSIGNATURE)
                self.witnesses.append(KnownWitness(name=self._new(name), key=key, url="".join(url)))
            case ["group", name, threshold, *members] if members:
                self._group(name, threshold, members)
            case ["quorum", name]:
                if self.quorum is not None:
                    raise ValueError("a second quorum line")
                self.quorum = name if name == _NONE else self._known(name)
            case _:
                raise ValueError(f"{' '.join(words)[:80]!r} is no policy line")

    def _group(self, name: str, threshold: str, members: list[str]) -> None:
        for member in members:
            if self._known(member) in self._members:
                raise ValueError(f"{member!r} is in two groups, or twice in one")
            self._members.add(member)
        counts = {"any": "1", "all": str(len(members))}
        number = counts.get(threshold, threshold)
        if not (number.isascii() and number.isdigit() and 1 <= int(number) <= len(members)):
            raise ValueError(f"threshold {threshold!r}, expected any, all or 1 to {len(members)}")
        self.groups[self._new(name)] = (int(number), tuple(members))

    def _key(self, vkey: str, kind: int) -> Verifier:
        key = parse_vkey(vkey)
        if key.kind != kind:
            raise ValueError(f"{key.name!r} has a key of type {key.kind:#04x}, expected {kind:#04x}")
        if any(key.public == other.public for other in (*self.logs, *(one.key for one in self.witnesses))):
            raise ValueError(f"{key.name!r} has a key that was named before")
        return key

    def _new(self, name: str) -> str:
        if name == _NONE or name in self._names:
            raise ValueError(f"the name {name!r} is taken")
        self._names.add(name)
        return name

    def _known(self, name: str) -> str:
        if name not in self._names:
            raise ValueError(f"{name!r} is not named above")
        return name

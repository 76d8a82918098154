"""The policy as it stands now: layers from files, read again when they change.

Every ruling asks ``current``. A file whose ``stat`` has not changed is not read again; one that was changed within the
clock's granularity before it was read is, because a second change might not show. A file that is not there is no
layer; a file that cannot be read or used is a layer with a problem, and what it would govern is denied.
"""

from __future__ import annotations

import functools
import os
import stat
import threading
import time
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.canonical import digest, sha256_hex
from askfirst.errors import PolicyError
from askfirst.paths import policy_file
from askfirst.policy.build import COMPLETE, NEUTRAL, Builder, general_of, merged_routes, protected_of
from askfirst.policy.condition import compile_condition
from askfirst.policy.layer import Loaded
from askfirst.policy.policy import BUILT_IN, Policy
from askfirst.policy.raw import RawPolicy
from askfirst.policy.read import MAX_BYTES, line_of_part, read_policy, require_tightening
from askfirst.policy.short_form import short_form
from askfirst.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from askfirst.config import Config
    from askfirst.policy.layer import Layer

MANAGED = Path("/etc/askfirst/policy.toml")
PROJECT_FILE = "askfirst.toml"
READY = ("personal", "team", "strict", "ci")
_RACY_NS = 2_000_000_000
"""A file changed so shortly before it was read is read again: its next change may bear the same times."""
_PROJECTS_MAX = 256

Stat = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFiles:
    """Where the layers lie; None where there is none of that kind."""

    managed: Path | None
    user: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerChange:
    """A layer's file is another one than before; digests are ``""`` for a missing or unreadable file."""

    layer: str
    path: str
    before: str
    after: str
    problem: str


@dataclass(slots=True)
class _File:
    """A file as it was last seen."""

    layer: str
    path: Path
    seen: Stat | None = None
    loaded: Loaded | None = None
    raw: RawPolicy | None = None
    was_read: bool = False


class PolicySource:
    """Gives the policy that holds now; may be used from several threads.

    Args:
        files: the layers outside projects.
        config: the short form from ``config.toml``, a layer of its own below the user's file.
        config_digest: SHA-256 of ``config.toml``.
    """

    def __init__(self, files: PolicyFiles, *, config: RawPolicy | None = None, config_digest: str = "") -> None:
        named = (("managed", files.managed), ("user", files.user))
        self._files = [_File(layer, path) for layer, path in named if path is not None]
        self._config = config or RawPolicy()
        self._config_digest = config_digest
        self._projects: Recent[str, _Project] = Recent(_PROJECTS_MAX)
        self._listeners: list[Callable[[LayerChange], None]] = []
        self._untold: list[LayerChange] = []
        self._lock = threading.Lock()
        self._general: Policy | None = None

    def on_change(self, listener: Callable[[LayerChange], None]) -> None:
        """Call this whenever a layer changed, before the first ruling by the new one. It must not block."""
        self._listeners.append(listener)

    def current(self, project: str = "") -> Policy:
        """The policy for calls in a project; ``""`` for calls in none."""
        with self._lock:
            changed = [self._refresh(each) for each in self._files]
            if self._general is None or any(changed):
                self._general = self._assembled()
                for each in self._projects.values():
                    each.policy = None
            policy = self._in_project(project, self._general) if project else self._general
            untold, self._untold = self._untold, []
        for change in untold:
            for listener in self._listeners:
                listener(change)
        return policy

    def stated(self, machine: str, project: str, text: str | None) -> Policy:
        """The policy for calls in a project of another machine, which states the text of the project's file.

        Args:
            machine: its name.
            project: the folder there.
            text: of its ``askfirst.toml``; None: there is none.
        """
        general = self.current()
        if text is None:
            return general
        path = Path(f"{machine}:{project}") / PROJECT_FILE
        return _with_project(general, _parsed(_File("project", path), text.encode("utf-8", "surrogatepass")))

    def _in_project(self, project: str, general: Policy) -> Policy:
        found = self._projects.touch(project, lambda: _Project(_File("project", Path(project) / PROJECT_FILE)))
        if self._refresh(found.file) or found.policy is None:
            found.policy = _with_project(general, found.file)
        return found.policy

    def _refresh(self, file: _File) -> bool:
        """Read a file again if it may have changed; whether its content did."""
        now = _stat(file.path)
        is_sound = file.loaded is None or not file.loaded.problem
        if file.was_read and now == file.seen and is_sound and not _is_racy(now):
            return False
        before = file.loaded
        file.loaded, file.raw = _load(file)
        file.seen = now
        changed = file.was_read and before != file.loaded
        first, file.was_read = not file.was_read, True
        if changed or (first and file.loaded is not None and file.layer == "project"):
            self._note(file, before)
        return changed or first

    def _note(self, file: _File, before: Loaded | None) -> None:
        after = file.loaded
        self._untold.append(
            LayerChange(
                layer=file.layer,
                path=str(file.path),
                before=before.digest if before else "",
                after=after.digest if after else "",
                problem=after.problem if after else "",
            )
        )

    def _assembled(self) -> Policy:
        loaded = [_ready_loaded(BUILT_IN)]
        if self._config.model_fields_set:
            loaded.append(Loaded(layer="config", path="config.toml", digest=self._config_digest))
        raws = {each.layer: each.raw for each in self._files if each.raw is not None}
        loaded += [each.loaded for each in self._files if each.loaded is not None]
        managed, user = raws.get("managed"), raws.get("user")
        try:
            return assemble(managed=managed, user=user, config=self._config, loaded=tuple(loaded))
        except PolicyError as error:
            culprit = "user" if user is not None and self._is_sound(managed) else "managed"
            loaded = [replace(x, problem=f"{x.path}: {error}") if x.layer == culprit else x for x in loaded]
            return assemble(managed=None, user=None, config=RawPolicy(), loaded=tuple(loaded))

    def _is_sound(self, managed: RawPolicy | None) -> bool:
        try:
            assemble(managed=managed, user=None, config=self._config, loaded=())
        except PolicyError:
            return False
        return True


def open_source(config: Config, *, user: Path | None = None) -> PolicySource:
    """The layers of this machine and its person, with the policy keys of their configuration.

    Args:
        config: the configuration.
        user: instead of the person's own file.
    """
    files = PolicyFiles(managed=MANAGED, user=user or policy_file())
    return PolicySource(files, config=short_form(config), config_digest=config.digest)


def check_file(path: Path, layer: str) -> None:
    """Whether a file can be used as this layer.

    Raises:
        PolicyError: it cannot, or is not there; one sentence.
    """
    file = _File(layer, path)
    loaded, raw = _load(file)
    if loaded is None:
        raise PolicyError(f"there is no file {path}")
    if raw is None:
        raise PolicyError(loaded.problem)
    try:
        if layer == "project":
            project_ceiling(raw, ())
        else:
            assemble(managed=None, user=raw, config=RawPolicy(), loaded=())
    except PolicyError as error:
        line = line_of_part(path.read_bytes().decode("utf-8", "replace"), str(error))
        raise PolicyError(f"{path}{line}: {error}") from error


@dataclass(slots=True)
class _Project:
    file: _File
    policy: Policy | None = field(default=None)


def assemble(
    *, managed: RawPolicy | None, user: RawPolicy | None, config: RawPolicy, loaded: tuple[Loaded, ...]
) -> Policy:
    """A policy of these layers.

    Raises:
        PolicyError: a layer names a route that does not exist, or a condition that cannot be compiled.
    """
    high = _extended("managed", managed)
    short = [("config", config)] if config.model_fields_set else []
    above = [(BUILT_IN, ready_policy(BUILT_IN)), *short, *high]
    base = [*above, *_extended("user", user)]
    raws = [raw for _, raw in base]
    fixed = {name: to for _, raw in high for name, to in raw.routes.items()}
    routes = merged_routes(raws, fixed)
    general = general_of(raws, [raw for _, raw in high], routes)
    builder = Builder(routes=routes, protected=general.protected, compile_condition=compile_condition)
    # Which branches a ceiling protects is not for the user to say: its rules about them could be lifted.
    protected = protected_of([raw for _, raw in above])
    kept = {name: tuple(to) for name, to in fixed.items()}
    ceiling = Builder(routes=routes, protected=protected, compile_condition=compile_condition, kept=kept)
    ceilings = (ceiling.layer("managed", high, NEUTRAL),) if high else ()
    extended = tuple(_ready_loaded(name) for name, _ in base if name in READY)
    return Policy(
        base=builder.layer(_name_of_ladder(base), base, COMPLETE),
        ceilings=ceilings,
        general=general,
        loaded=(*loaded, *extended),
        digest=_digest_of((*loaded, *extended)),
    )


def project_ceiling(raw: RawPolicy, protected: Sequence[str]) -> Layer:
    """The ceiling that a project's file is.

    Raises:
        PolicyError: it is more than a ceiling.
    """
    own = raw.branches.protected or ()
    builder = Builder(routes={"default": ()}, protected=(*protected, *own), compile_condition=compile_condition)
    return builder.layer("project", [("project", raw)], NEUTRAL)


@functools.cache
def ready_policy(name: str) -> RawPolicy:
    """A policy that comes with the program."""
    return read_policy(_ready_bytes(name), source=f"{name}.toml")


def _ready_bytes(name: str) -> bytes:
    return (resources.files("askfirst.policy") / "ready" / f"{name}.toml").read_bytes()


@functools.cache
def _ready_loaded(name: str) -> Loaded:
    return Loaded(layer=name, path="", digest=sha256_hex(_ready_bytes(name)))


def _extended(layer: str, raw: RawPolicy | None) -> list[tuple[str, RawPolicy]]:
    if raw is None:
        return []
    return [*([(raw.extends, ready_policy(raw.extends))] if raw.extends else []), (layer, raw)]


def _name_of_ladder(base: Sequence[tuple[str, RawPolicy]]) -> str:
    """The strongest layer that says anything about the ladder."""
    return next((name for name, raw in reversed(base) if {"risk", "unknown"} & raw.model_fields_set), BUILT_IN)


def _with_project(general: Policy, file: _File) -> Policy:
    if file.loaded is None:
        return general
    loaded = file.loaded
    ceilings = general.ceilings
    if file.raw is not None:
        try:
            ceilings = (*ceilings, project_ceiling(file.raw, general.general.protected))
        except PolicyError as error:
            loaded = replace(loaded, problem=f"{loaded.path}: {error}")
    every = (*general.loaded, loaded)
    return Policy(base=general.base, ceilings=ceilings, general=general.general, loaded=every, digest=_digest_of(every))


def _digest_of(loaded: Sequence[Loaded]) -> str:
    return digest([[each.layer, each.digest] for each in loaded])


def _stat(path: Path) -> Stat | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev, found.st_mode)


def _is_racy(seen: Stat | None) -> bool:
    return seen is not None and time.time_ns() - seen[1] < _RACY_NS


def _parsed(file: _File, content: bytes) -> _File:
    """The file with this content, loaded as far as it can be used."""
    try:
        raw = _understood(file, content)
    except PolicyError as error:
        problem, digest_ = str(error), sha256_hex(content)
        return replace(file, loaded=Loaded(layer=file.layer, path=str(file.path), digest=digest_, problem=problem))
    return replace(file, loaded=Loaded(layer=file.layer, path=str(file.path), digest=sha256_hex(content)), raw=raw)


def _understood(file: _File, content: bytes) -> RawPolicy:
    raw = read_policy(content, source=str(file.path))
    if file.layer == "project":
        require_tightening(raw, source=str(file.path))
    return raw


def _load(file: _File) -> tuple[Loaded | None, RawPolicy | None]:
    content = b""
    try:
        content = _read(file.path)
        raw = _understood(file, content)
    except (FileNotFoundError, NotADirectoryError) as error:
        if not file.path.is_symlink():
            return None, None
        problem = f"{file.path} is a link to nothing: {error.strerror}"
        return Loaded(layer=file.layer, path=str(file.path), digest="", problem=problem), None
    except OSError as error:
        problem = f"cannot read {file.path}: {error.strerror or error}"
        return Loaded(layer=file.layer, path=str(file.path), digest="", problem=problem), None
    except PolicyError as error:
        problem = str(error)
        return Loaded(layer=file.layer, path=str(file.path), digest=sha256_hex(content), problem=problem), None
    return Loaded(layer=file.layer, path=str(file.path), digest=sha256_hex(content)), raw


def _read(path: Path) -> bytes:
    """The bytes of a regular file; never waits for a pipe, never reads without end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is no regular file")
        return file.read(MAX_BYTES + 1)

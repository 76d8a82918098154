"""Where a path lies, which decides what its loss means.

The words of the command say where a path seems to lie; the disk, where it may be asked, says where it really does
(links, ``..``, case-insensitive names). The graver of the two counts.
"""

from __future__ import annotations

import enum
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.effects import Touch
from askfirst.facts import UNKNOWN, Kind
from askfirst.shell.command import HOLE
from askfirst.shell.precious import is_regenerable

if TYPE_CHECKING:
    from askfirst.facts import Facts
    from askfirst.shell.command import Command, Word


class Place(enum.IntEnum):
    """Where a path lies, harmless first."""

    SINK = 0
    """``/dev/null`` and its like: nothing is there to lose."""
    TEMP = 1
    """Below a temporary folder, or a package manager's download cache."""
    INSIDE = 2
    """Below the project's root."""
    TEMP_ROOT = 3
    """The temporary folder itself, which others use too."""
    UNKNOWN = 4
    """Its beginning is not known."""
    OUTSIDE = 5
    """Somewhere else on the machine."""
    GIT = 6
    """In a ``.git`` folder."""
    SYSTEM = 7
    """Below a folder that the operating system needs."""
    DEVICE = 8
    PROJECT = 9
    """The project's root or the working directory."""
    ABOVE = 10
    """A folder that one of those lies in."""
    HOME = 11
    """A home folder."""
    MOUNT = 12
    """Where another file system is mounted."""
    ROOT = 13
    """The root of the file system, or a folder just below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place in the file system that a word names.

    Attributes:
        place: where it lies.
        path: absolute and normalised, unknown parts as HOLE; with ``contents`` the folder.
        shown: for people.
        inner: the path as seen from the working directory or the project's root, where it lies below one.
        known: the path is known in full, though it may hold a glob.
        glob: the path holds a glob.
        contents: everything in the folder ``path`` is meant, as in ``dir/*``.
        spelled: the path before ``..`` was taken out by its text alone, which is wrong behind a symbolic link.
    """

    place: Place
    path: str
    inner: str
    shown: str
    known: bool = True
    glob: bool = False
    contents: bool = False
    spelled: str = ""

    def touches(self) -> tuple[Touch, ...]:
        """What a command there touches on this machine; nothing where that is not known."""
        if not self.known or self.place is Place.SINK or HOLE in self.spelled or not self.spelled.startswith("/"):
            return ()
        return (Touch(kind="glob" if self.glob else "path", path=self.spelled),)


_SYSTEM: Final = (
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/sbin", "/sys", "/usr", "/System",
    "/Library", "/run", "/private/etc", "/nix", "/snap",
)  # fmt: skip
_ROOT_FOLDERS: Final = frozenset({
    *_SYSTEM,
    "/", "/home", "/mnt", "/media", "/opt", "/root", "/srv", "/var", "/Users", "/Applications", "/Volumes",
    "/private", "/private/var", "/data", "/usr/local", "/usr/bin", "/usr/lib", "/usr/share", "/var/lib", "/var/log",
    "/cygdrive/c", "/mnt/c",
})  # fmt: skip
_TEMP: Final = ("/tmp", "/var/tmp", "/private/tmp", "/private/var/tmp", "/dev/shm")  # noqa: S108  # named, not used
_DOWNLOADS: Final = ("/var/lib/apt/lists", "/var/cache/apt", "/var/cache/apk", "/var/cache/yum", "/var/cache/dnf")
_SINKS: Final = re.compile(
    r"/dev/(null|zero|full|tty|stdin|stdout|stderr|fd/\d+|pts/\d+|u?random|(?:tcp|udp)/.+)$|/proc/self/fd/\d+$"
)
_HOME: Final = re.compile(r"/(home|Users)/[^/]+$|/root$|/export/home/[^/]+$")
_USER_TEMP: Final = re.compile(r"/(private/)?var/folders/[^/]+/[^/]+/T/.")
_USER_CACHE: Final = re.compile(
    r"(/(home|Users)/[^/]+|/root)/"
    r"(\.cache|Library/Caches|\.npm/_(?:cacache|logs|npx)|\.gradle/caches|\.m2/repository|\.cargo/registry/(?:cache|src)"
    r"|Library/Developer/(?:Xcode/DerivedData|CoreSimulator/Caches)|go/pkg/mod|\.nuget/packages|\.yarn/cache"
    r"|\.pnpm-store|\.bun/install/cache)(/|$)"
)
"""Data that programs can do without. From: XDG Base Directory Specification, ``XDG_CACHE_HOME``."""
_EVERYTHING: Final = frozenset({"*", ".*", "**", "?*", "*.*", ".[!.]*", ".[^.]*", ".??*", "{*,.*}", "*/", "[!.]*"})
_UNKNOWN_FOLDER: Final = "/\0"  # no path of a command line can hold a NUL
_MAX_PATH_CHARS: Final = 4096
"""Longest path that a kernel takes (PATH_MAX of Linux); a longer one is not looked into."""
_GUESSED_HOME: Final = "/home/user"
_KNOWN_VARIABLES: Final = (
    (re.compile(r"\"?\$(HOME\b|\{HOME\b[^}]*\})"), "home"),
    (re.compile(r"\"?\$(TMPDIR\b|TEMP\b|TMP\b|\{(TMPDIR|TEMP|TMP)\b[^}]*\})"), "temp"),
    (re.compile(r"\"?(\$\(mktemp\b[^)]*\)|`mktemp\b[^`]*`)"), "fresh"),
    (re.compile(r"\"?(\$(PWD\b|\{PWD\b[^}]*\}|\(pwd\))|`pwd`)"), "cwd"),
)


def is_temporary(path: str) -> bool:
    """Whether a path (absolute, normalised) lies in a temporary folder; such a folder itself does not."""
    return any(_is_below(path, folder) for folder in _TEMP) or _USER_TEMP.match(path) is not None


def locate(word: Word, command: Command, facts: Facts, *, follow: bool = False) -> Spot:
    """The place that a word of ``command`` names as a path; ``follow``: what a symbolic link there points to."""
    ground = _ground(command, facts)
    text = _with_variables(word, command, ground.home)
    if len(text) > _MAX_PATH_CHARS:
        return Spot(place=Place.UNKNOWN, path=HOLE, inner=HOLE, shown=word.shown or text, known=False, contents=True)
    if text.startswith(HOLE):
        return _without_beginning(word, text)
    folder, name = posixpath.split(text.rstrip("/") if text.strip("/") else text)
    contents = name in _EVERYTHING and (word.glob or name == "{*,.*}")
    spelled = posixpath.join(ground.cwd, (folder or ".") if contents else text)
    path = _normal(spelled)
    place = _classify(path, ground, facts, follow=follow or contents or text.endswith("/"))
    return Spot(
        place=place,
        path=path,
        inner=next((path[len(top) + 1 :] for top in (ground.cwd, ground.root) if _is_below(path, top)), path),
        shown=word.shown or word.text,
        known=HOLE not in path and not path.startswith(_UNKNOWN_FOLDER),
        glob=word.glob and not contents,
        contents=contents,
        spelled=spelled,
    )


def _without_beginning(word: Word, text: str) -> Spot:
    """A path whose beginning is unknown and may be empty: ``$X/*`` is then ``/*``."""
    rest = text.lstrip(HOLE)
    slashes = rest.startswith("/") and (not rest.strip("/") or rest.strip("/") in _EVERYTHING)
    return Spot(
        place=Place.ROOT if slashes else Place.UNKNOWN,
        path=text,
        inner=rest,
        shown=word.shown or text,
        known=False,
        glob=word.glob,
        contents=rest.rpartition("/")[2] in _EVERYTHING,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What paths are seen from: absolute, normalised folders."""

    cwd: str
    root: str
    home: str


def _ground(command: Command, facts: Facts) -> _Ground:
    home = facts.home()
    home = _GUESSED_HOME if home is UNKNOWN else home
    if command.cwd is None:
        return _Ground(cwd=_UNKNOWN_FOLDER, root=_UNKNOWN_FOLDER, home=home)
    cwd = _normal(command.cwd)
    return _Ground(cwd=cwd, root=_root(command, facts, cwd, home), home=home)


def _root(command: Command, facts: Facts, cwd: str, home: str) -> str:
    """The project's root.

    It is where the text starts. Whoever changes into a folder elsewhere works in the project there, where what would
    be lost is asked in the same way; but a folder above the start is no project for having been changed into.
    """
    start = _normal(command.origin) if command.origin else cwd
    root = _project(start, facts, home)
    elsewhere = not (cwd == root or _is_below(cwd, root) or _is_below(root, cwd))
    other = _project(cwd, facts, home) if elsewhere else root
    return root if other in _ROOT_FOLDERS else other


def _project(folder: str, facts: Facts, home: str) -> str:
    """The project of a folder; the folder itself where the disk does not know or names a place that is none."""
    found = facts.project(folder)
    return folder if found is UNKNOWN or found in {home, "/", *_TEMP} else found


def _with_variables(word: Word, command: Command, home: str) -> str:
    """The text with ``~`` and the variables that everybody has filled in where the engine left them."""
    text = word.text
    if text == "~" or text.startswith("~/"):
        return home + text[1:]
    if re.match(r"~[A-Za-z_][\w-]*(/|$)", text):
        return "/home/" + text[1:]
    if not text.startswith(HOLE):
        return text
    for pattern, name in _KNOWN_VARIABLES:
        if pattern.match(word.shown):
            value = {"home": home, "temp": "/tmp", "fresh": "/tmp/fresh", "cwd": command.cwd or HOLE}[name]  # noqa: S108
            return value + text[1:]
    return text


def _normal(path: str) -> str:
    """normpath, but an unknown last part stays one: ``/x/`` + HOLE may be ``/x/`` itself."""
    normal = posixpath.normpath(path)
    return "/" + normal.lstrip("/")


def _classify(path: str, ground: _Ground, facts: Facts, *, follow: bool) -> Place:
    """Where a normalised absolute path lies."""
    seeming = lexical(path, root=ground.root, cwd=ground.cwd, home=ground.home)
    found = UNKNOWN if HOLE in path or seeming is Place.SINK else facts.path(path)
    if found is UNKNOWN:
        return seeming
    real = found.real
    if found.kind is Kind.LINK and not follow:
        folder, name = posixpath.split(path)
        real = posixpath.join(_resolved(folder, facts), name)
    root, cwd, home = (_resolved(folder, facts) for folder in (ground.root, ground.cwd, ground.home))
    places = [lexical(real, root=root, cwd=cwd, home=home)]
    if seeming >= Place.GIT:
        places.append(seeming)
    if found.kind is Kind.FOLDER:
        places += [Place.MOUNT] if found.mount and not is_regenerable(posixpath.basename(path)) else []
        is_above = Place.PROJECT not in places and facts.holds(path, ground.cwd) is True
        places += [Place.ABOVE] if is_above else []
        places += [Place.HOME] if facts.holds(path, ground.home) is True else []
    return max(places)


def _resolved(path: str, facts: Facts) -> str:
    found = facts.path(path)
    return path if found is UNKNOWN else found.real


def lexical(path: str, *, root: str, cwd: str, home: str) -> Place:
    """Where a normalised absolute path seems to lie by its text alone; unknown parts may be empty or a name."""
    if HOLE not in path:
        return _lexical(path, root, cwd, home)
    readings = (_normal(path.replace(HOLE, "")), path.replace(HOLE, "x"))
    return max(_lexical(reading, root, cwd, home) for reading in readings)


def _lexical(path: str, root: str, cwd: str, home: str) -> Place:
    special = _special(path)
    if special is not None:
        return special
    root_like = _root_like(path, root, cwd, home)
    return _below(path, root) if root_like is None else root_like


def _special(path: str) -> Place | None:
    if _SINKS.match(path):
        return Place.SINK
    if path.startswith("/dev/") and not path.startswith("/dev/shm/"):  # noqa: S108
        return Place.DEVICE
    return Place.GIT if ".git" in path.split("/") else None


def _root_like(at: str, root: str, cwd: str, home: str) -> Place | None:
    if at in _TEMP:
        return Place.TEMP_ROOT
    if at in {root, cwd}:
        return Place.PROJECT
    if at == home or _HOME.match(at):
        return Place.HOME
    if at in _ROOT_FOLDERS or _is_below(home, at):
        return Place.ROOT
    return Place.ABOVE if _is_below(root, at) or _is_below(cwd, at) else None


def _below(path: str, root: str) -> Place:
    if root not in _ROOT_FOLDERS and root not in _TEMP and _is_below(path, root):
        return Place.INSIDE
    if is_temporary(path):
        return Place.TEMP
    if any(path == folder or _is_below(path, folder) for folder in _DOWNLOADS) or _USER_CACHE.match(path):
        return Place.TEMP
    if any(_is_below(path, folder) for folder in _SYSTEM) and not _is_below(path, "/usr/local"):
        return Place.SYSTEM
    if _is_below(path, root):
        return Place.INSIDE
    return Place.OUTSIDE


def _is_below(path: str, folder: str) -> bool:
    return path != folder and path.startswith(folder.rstrip("/") + "/")

"""What the programs that delete, overwrite, move or open up files would do to them; also every redirection.

The table ``FILE_JUDGES`` maps base names to judges. Devices are in here too where they are written like files; what
formats and partitions disks is data, in the pack ``disk``.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from askfirst.effects import Risk
from askfirst.facts import UNKNOWN, Kind, usable
from askfirst.shell.command import HOLE, Word
from askfirst.shell.deletes import Grade, effect, grade_delete, grade_overwrite, hit
from askfirst.shell.options import MAX_JUDGED, Options, part, read_options, syntax
from askfirst.shell.permissions import judge_permissions, setuid_effects
from askfirst.shell.places import Place, locate
from askfirst.shell.remote_copy import copied, is_elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.shell.command import Command, Redirect
    from askfirst.shell.ports import Rules

_NO_CONTENT: Final = frozenset({"/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"})
"""Copied, or linked to, over a file they leave nothing of it."""
_FAN_OUT: Final = re.compile(r"(xargs|parallel|rush|find|fd|fdfind)\b")
_SYNTAX: Final = {
    name: syntax(table)
    for name, table in {
        "rm": (
            "f/force i/ I/ interactive? r/recursive R/recursive d/dir v/verbose one-file-system "
            "no-preserve-root preserve-root?"
        ),
        "shred": "n/iterations: s/size: random-source: u/ remove? f/force z/zero r/ x/exact",
        "fallocate": (
            "p/punch-hole z/zero-range c/collapse-range o/offset: l/length: n/keep-size d/dig-holes x/posix i/ v/"
        ),
        "cpio": (
            "i/extract p/pass-through o/create d/make-directories u/unconditional m/ D/directory: F/file: H/format: "
            "t/list v/verbose r/read w/ a/ s/: f/: x/: b/: 0/null l/link quiet E/pattern-file: R/owner:"
        ),
        "truncate": "s/size: r/reference: c/no-create o/io-blocks",
        "tee": "a/append i/ignore-interrupts p/ output-error?",
        "cp": (
            "t/target-directory: S/suffix: b/ backup? n/no-clobber T/no-target-directory m/mode: o/owner: "
            "g/group: f/force i/interactive u/update? r/recursive R/recursive a/archive p/ preserve? "
            "s/symbolic d/directory D/ v/verbose reflink? sparse: l/link"
        ),
        "ln": (
            "t/target-directory: S/suffix: b/ backup? T/no-target-directory f/force i/interactive s/symbolic "
            "n/no-dereference L/logical P/physical r/relative v/verbose d/directory F/"
        ),
        "mv": (
            "t/target-directory: S/suffix: b/ backup? n/no-clobber T/no-target-directory f/force "
            "i/interactive u/update? v/verbose"
        ),
        "rsync": (
            "n/dry-run delete delete-before delete-during delete-delay delete-after delete-excluded "
            "delete-missing-args del remove-source-files e/rsh: f/filter: exclude: include: exclude-from: "
            "include-from: files-from: T/temp-dir: B/block-size: M/remote-option: port: rsync-path: "
            "password-file: log-file: max-delete: backup-dir: bwlimit: timeout: chmod: chown: compare-dest: "
            "link-dest: b/backup"
        ),
        "tar": (
            "remove-files C/directory: f/file: x/extract get c/create t/list exclude: X/exclude-from: "
            "T/files-from: z/ j/ J/ v/ p/ k/keep-old-files"
        ),
        "sed": (
            "i/in-place? e/expression: f/file: n/quiet E/regexp-extended r/ s/separate z/null-data "
            "u/unbuffered l/line-length:"
        ),
    }.items()
}
"""Options, in the notation of ``askfirst.shell.options``. From: GNU coreutils 9, rsync 3.4, GNU tar 1.35."""


def _deleted(
    words: Sequence[Word], command: Command, facts: Facts, book: Rules, *, rule: str, recursive: bool
) -> Iterable[Effect]:
    yield from _too_many(words, command, book, rule)
    for word in words[:MAX_JUDGED]:
        spot = locate(word, command, facts)
        grade = grade_delete(spot, facts, recursive=recursive)
        any_name = (spot.place is Place.UNKNOWN and word.text == HOLE) or (
            spot.place is Place.PROJECT and not spot.known
        )
        if any_name and command.via and _FAN_OUT.match(command.via[-1]):
            grade = Grade(risk=Risk.HIGH, what="files from a list that is not known")
        yield hit(book, rule, command, spot, grade)


def _too_many(words: Sequence[Word], command: Command, book: Rules, rule: str) -> Iterable[Effect]:
    if len(words) > MAX_JUDGED:
        grade = Grade(risk=Risk.HIGH, what=f"{len(words)} files and folders, more than are looked at")
        yield effect(book, rule, command, f"{len(words)} paths", grade)


def remove(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``rm`` and ``unlink``."""
    options = read_options(command.args, _SYNTAX["rm"])
    recursive = options.has("recursive") or options.unsure
    yield from _deleted(options.words, command, facts, book, rule="filesystem.delete", recursive=recursive)


def remove_trees(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``rimraf`` and its like: everything they are given, with what is below; globs are their own."""
    for word in command.args:
        if not word.text.startswith("-"):
            yield from _deleted([word], command, facts, book, rule="filesystem.delete", recursive=True)


def shred(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``shred``, ``srm``, ``wipe``: as rm, and what git does not hold is gone beyond recovery tools."""
    options = read_options(command.args, _SYNTAX["shred"])
    yield from _deleted(options.words, command, facts, book, rule="filesystem.shred", recursive=True)


def truncate(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``truncate``: to nothing or to a size."""
    options = read_options(command.args, _SYNTAX["truncate"])
    size = options.value("size")
    empties = size is None or not size.known or size.text.strip("<=/%") in {"0", ""}
    yield from _overwritten(options.words, command, facts, book, empties=empties)


_EMPTY_BY_NATURE = frozenset("__init__.py .gitkeep .keep .nojekyll .metadata_never_index py.typed".split())
"""Files that are usually made empty: ``> pkg/__init__.py`` creates one."""


def _overwritten(
    words: Sequence[Word], command: Command, facts: Facts, book: Rules, *, empties: bool = False
) -> Iterable[Effect]:
    yield from _too_many(words, command, book, "filesystem.overwrite")
    for word in words[:MAX_JUDGED]:
        spot = locate(word, command, facts, follow=True)
        if spot.place is Place.SINK:
            continue
        may_be_new = posixpath.basename(word.text) in _EMPTY_BY_NATURE
        grade = grade_overwrite(spot, facts, empties=empties and not may_be_new)
        rule = "disk.write-device" if spot.place is Place.DEVICE else "filesystem.overwrite"
        yield hit(book, rule, command, spot, grade)


def judge_redirects(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """Files that the shell itself truncates before a command runs, whatever the command is, and devices written to."""
    targets = [redirect.target for redirect in command.redirects if _replaces(redirect)]
    if targets:
        facts = usable(facts, cwd=command.cwd, where=command.where)
        empties = command.program in {"", ":", "true"} or _copies_nothing(command)
        end = max(target.span[1] for target in targets)
        if command.span[1] < end:  # what is lost stands behind the command
            command = replace(command, span=(command.span[0], end))
        yield from _overwritten(targets, command, facts, book, empties=empties)


def _replaces(redirect: Redirect) -> bool:
    """Whether the old content goes: of a file by truncation, of a device by any write."""
    text = redirect.target.text
    if redirect.operator in {">>", "&>>", "<>"}:
        return text.startswith("/dev/")
    return redirect.operator in {">", ">|", "&>", ">&"} and not text.isdigit() and text not in {"-", ""}


def _copies_nothing(command: Command) -> bool:
    """``cat /dev/null > file`` and ``echo -n > file``."""
    words = [word.text for word in command.args]
    return (command.program == "cat" and words == ["/dev/null"]) or (
        command.program in {"echo", "printf"} and words in (["-n"], [""], ["-n", ""])
    )


def tee(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``tee`` without ``-a``."""
    options = read_options(command.args, _SYNTAX["tee"])
    words = options.words
    if options.has("append"):
        words = tuple(word for word in words if word.text.startswith("/dev/"))
    yield from _overwritten(words, command, facts, book)


def copy(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``cp``, ``install``, ``ln``: what the destination loses."""
    options = read_options(command.args, _SYNTAX["ln" if command.program == "ln" else "cp"])
    mode = options.value("mode") if command.program == "install" else None
    if mode is not None:
        yield from setuid_effects(mode.text, options.words[-1:], command, book)
    keeps = options.has("no-clobber", "backup", "-b", "interactive", "update")
    makes_folders = command.program == "install" and options.has("directory")
    refuses = command.program == "ln" and not options.has("force")
    if keeps or makes_folders or refuses:
        return
    sources, destination = _destination(options)
    if destination is None:
        return
    empties = any(source.text in _NO_CONTENT for source in sources)
    files = _files_written(sources, destination, command, facts)
    yield from _overwritten(files, command, facts, book, empties=empties)


def _destination(options: Options) -> tuple[tuple[Word, ...], Word | None]:
    folder = options.value("target-directory")
    if folder is not None:
        return options.words, Word(text=folder.text + "/", glob=folder.glob, shown=folder.shown, span=folder.span)
    words = options.words
    return (words[:-1], words[-1]) if len(words) > 1 else (words, None)


def _files_written(sources: Sequence[Word], destination: Word, command: Command, facts: Facts) -> list[Word]:
    """The files that copying or moving writes: in the destination where that is a folder, else the destination."""
    spot = locate(destination, command, facts, follow=True)
    found = facts.path(spot.path) if spot.known else UNKNOWN
    is_folder = destination.text.endswith(("/", "/.")) or destination.text in {".", ".."} or len(sources) > 1
    is_folder = is_folder or spot.place in {Place.PROJECT, Place.ABOVE, Place.HOME, Place.ROOT, Place.TEMP_ROOT}
    if not is_folder and (found is UNKNOWN or found.kind is not Kind.FOLDER):
        return [destination]
    folder = destination.text.rstrip("/") + "/"
    return [
        Word(text=folder + posixpath.basename(source.text.rstrip("/")), span=destination.span) for source in sources
    ]


def move(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``mv``: to ``/dev/null`` it deletes; of a root it takes everything away; over a file it overwrites."""
    options = read_options(
        command.args,
        _SYNTAX["mv"],
    )
    sources, destination = _destination(options)
    if destination is None:
        return
    if destination.text == "/dev/null":
        yield from _deleted(sources, command, facts, book, rule="filesystem.delete", recursive=True)
        return
    yield from _too_many(sources, command, book, "filesystem.move-root")
    for word in sources[:MAX_JUDGED]:
        spot = locate(word, command, facts)
        if spot.place >= Place.GIT:
            grade = Grade(risk=Risk.HIGH, what=f"{spot.shown} from where it is needed", reversible=True)
            yield effect(book, "filesystem.move-root", command, spot, grade)
        elif locate(destination, command, facts).place in {Place.TEMP, Place.TEMP_ROOT}:
            # From there it can be deleted without a question, so that this is the moment to ask.
            yield from _deleted([word], command, facts, book, rule="filesystem.move-away", recursive=False)
    if not options.has("no-clobber", "backup", "-b", "interactive", "update"):
        moved = tuple(each for word in sources[:MAX_JUDGED] for each in locate(word, command, facts).touches())
        for each in _overwritten(_files_written(sources, destination, command, facts), command, facts, book):
            yield replace(each, touches=(*each.touches, *moved)) if each.touches else each


def disk_dump(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``dd of=``."""
    written = [part(word, word.text[3:]) for word in command.args if word.text.startswith("of=")]
    empties = any(word.text.removeprefix("if=") in _NO_CONTENT for word in command.args if word.text.startswith("if="))
    yield from _overwritten(written, command, facts, book, empties=empties and not _is_made_new(command))
    for word in command.args:
        if word.text.startswith(HOLE):
            grade = Grade(risk=Risk.HIGH, what="a file or device that is not known")
            yield effect(book, "disk.write-device", command, word.shown or word.text, grade)


def _is_made_new(command: Command) -> bool:
    """``dd … count=10``: the size of a file that is made; an old one would be named for a wipe in full."""
    return any(word.text.startswith(("count=", "seek=")) for word in command.args)


def synchronise(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``rsync --delete``: everything in the destination that the source does not have; copies to other machines."""
    options = read_options(command.args, _SYNTAX["rsync"])
    deletes = any(name.startswith("del") for name in options.given)
    if options.has("dry-run", "list-only") or not options.words or (deletes and options.has("backup")):
        return
    if options.has("remove-source-files"):
        yield from _deleted(options.words[:-1], command, facts, book, rule="filesystem.delete", recursive=True)
    if not deletes:
        yield from copied(options.words, command, book)
        return
    destination = options.words[-1]
    if is_elsewhere(destination.text):
        grade = Grade(risk=Risk.HIGH, what=f"files in {destination.text} that the source does not have")
        yield effect(book, "filesystem.sync-delete", command, destination.shown or destination.text, grade)
        return
    yield from _deleted([destination], command, facts, book, rule="filesystem.sync-delete", recursive=True)


def archive(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``tar --remove-files``, and unpacking over system folders."""
    options = read_options(
        command.args,
        _SYNTAX["tar"],
    )
    if options.has("remove-files"):
        words = options.words or (Word(text=HOLE, shown="the archived files"),)
        yield from _deleted(words, command, facts, book, rule="filesystem.delete", recursive=True)
    folder = options.value("directory")
    bundled = bool(command.args) and not command.args[0].text.startswith("-") and "x" in command.args[0].text
    if folder is not None and (options.has("extract", "get") or bundled) and not options.has("keep-old-files"):
        spot = locate(folder, command, facts, follow=True)
        needed = spot.place in {Place.ROOT, Place.SYSTEM, Place.DEVICE} and spot.path != "/usr/local"
        if needed:
            grade = Grade(risk=Risk.HIGH, what=f"files below {spot.shown} that the archive also has")
            yield effect(book, "filesystem.overwrite", command, spot, grade)


_DELETES_ALL: Final = re.compile(r"\s*(?:1\s*,\s*\$)?\s*d\s*;?\s*")
_SED_WRITES: Final = re.compile(r"(?:^|[;{}\d$/])\s*[wW]\s+(/?[\w.~/-]+)\s*$")
"""The ``w`` command and flag of sed. From: POSIX, «sed»."""


def edit_in_place(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``sed -i`` and its like: an edit of a file outside the project without a backup."""
    options = read_options(
        command.args,
        _SYNTAX["sed"],
    )
    backup = options.value("in-place")
    written = [part(word, match[1]) for word in command.args for match in _SED_WRITES.finditer(word.text)]
    yield from _overwritten(written, command, facts, book)
    if not options.has("in-place") or (backup is not None and backup.text):
        return
    words = options.words if options.has("expression", "file") else options.words[1:]
    scripts = options.values.get("expression", ()) or options.words[:1]
    if any(_DELETES_ALL.fullmatch(script.text) for script in scripts):
        yield from _overwritten(words, command, facts, book, empties=True)
    for word in words[:MAX_JUDGED]:
        spot = locate(word, command, facts, follow=True)
        if spot.place in {Place.OUTSIDE, Place.SYSTEM, Place.GIT, Place.DEVICE}:
            grade = grade_overwrite(spot, facts, empties=spot.place is not Place.OUTSIDE)
            yield hit(book, "filesystem.edit-outside", command, spot, grade)


def pack(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``zip -m`` and ``7z -sdel``: the files move into the archive."""
    operands = [word for word in command.args if not word.text.startswith("-")]
    if command.program == "zip":
        moves = any(_ZIP_MOVES.fullmatch(word.text) for word in command.args)
        packed = operands[1:]
    else:
        moves = any(word.text == "-sdel" for word in command.args)
        packed = operands[2:]
    if moves:
        yield from _deleted(packed, command, facts, book, rule="filesystem.move-away", recursive=True)


_ZIP_MOVES: Final = re.compile(r"--move|-[a-ln-su-z0-9]*m[a-z0-9]*")


def allocate(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``fallocate`` with an option that takes content away."""
    options = read_options(command.args, _SYNTAX["fallocate"])
    if options.has("punch-hole", "zero-range", "collapse-range"):
        yield from _overwritten(options.words, command, facts, book, empties=True)


def unpack(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``cpio`` and ``pax`` into a folder of the system."""
    options = read_options(command.args, _SYNTAX["cpio"])
    copies = options.has("pass-through") or (command.program == "pax" and options.has("read", "-w"))
    folder = options.words[-1] if copies and options.words else options.value("directory")
    if folder is None or options.has("list"):
        return
    spot = locate(folder, command, facts, follow=True)
    if spot.place in {Place.ROOT, Place.SYSTEM, Place.DEVICE}:
        grade = Grade(risk=Risk.HIGH, what=f"files below {spot.shown} that are copied there")
        yield effect(book, "filesystem.overwrite", command, spot, grade)


def empty_trash(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``trash-empty``, ``gio trash --empty``: the way back from the trash."""
    del facts
    if command.program == "trash-empty" or any(word.text == "--empty" for word in command.args):
        yield effect(book, "filesystem.empty-trash", command, "the trash", Grade(risk=Risk.HIGH, what="the trash"))


FILE_JUDGES: Final[Mapping[str, Callable[[Command, Facts, Rules], Iterable[Effect]]]] = {
    "rm": remove,
    "grm": remove,
    "rimraf": remove_trees,
    "del-cli": remove_trees,
    "premove": remove_trees,
    "unlink": remove,
    "remove_directory": remove_trees,
    "shred": shred,
    "gshred": shred,
    "srm": shred,
    "wipe": shred,
    "truncate": truncate,
    "tee": tee,
    "sponge": tee,
    "cp": copy,
    "gcp": copy,
    "install": copy,
    "ln": copy,
    "mv": move,
    "gmv": move,
    "dd": disk_dump,
    "rsync": synchronise,
    "tar": archive,
    "gtar": archive,
    "bsdtar": archive,
    "chmod": judge_permissions,
    "chown": judge_permissions,
    "chgrp": judge_permissions,
    "setfacl": judge_permissions,
    "chattr": judge_permissions,
    "sed": edit_in_place,
    "gsed": edit_in_place,
    "trash-empty": empty_trash,
    "gio": empty_trash,
    "gvfs-rm": remove,
    "zip": pack,
    **dict.fromkeys(("7z", "7za", "7zz", "7zr"), pack),
    "fallocate": allocate,
    "cpio": unpack,
    "pax": unpack,
}
"""Judges by base name of the program; harmless themselves: rmdir, trash, trash-put, mkdir."""


PACKERS: Final = frozenset({"zip", "7z", "7za", "7zz", "7zr", "cpio", "pax"})
"""Programs of which not everything they do is judged."""


def _only_prints(args: Sequence[Word]) -> bool:
    """Whether it shows its help: asked in front, since BSD programs read no options behind the first operand."""
    options = itertools.takewhile(lambda word: word.text.startswith("-") and word.text != "--", args)
    return any(word.text in {"--help", "--version"} for word in options)


def judge_files(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """Every effect of a command whose program is in ``FILE_JUDGES``."""
    if _only_prints(command.args):
        return
    facts = usable(facts, cwd=command.cwd, where=command.where)
    yield from FILE_JUDGES[command.program](command, facts, book)

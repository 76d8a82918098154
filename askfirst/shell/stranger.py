"""What a program that no rule knows is told to do, by the words that everybody uses for it: ``qm destroy 101``.

There are more command-line programs than any pack lists, and nearly all of them say *delete*, *destroy* or *deploy*
where they mean it. The words count where a subcommand stands: plain words in front of everything else, not behind one
that makes, asks or shows something (``foo add delete-button``), and not below ``--help`` or a dry run. A script of the
project (a path) is not judged by its arguments: it is what the agent is working on. A known name with a
letter too many is a slip of the keyboard, which ends in *command not found*.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final

from askfirst.shell.files import FILE_JUDGES
from askfirst.shell.found import effect_of
from askfirst.shell.frameworks import FRAMEWORKS, RUNNERS
from askfirst.shell.handed_on import ASKING
from askfirst.shell.harmless import is_listed
from askfirst.shell.named_tasks import is_deed
from askfirst.shell.unwrap_table import BY_NAME, INTERPRETERS, SHELLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.rules.book import RuleBook
    from askfirst.shell.command import Command

_DELETES: Final = frozenset(
    """
    decommission del delete deprovision destroy drop erase nuke obliterate purge remove rm rmi shred teardown terminate
    truncate uninstall unregister wipe
    """.split()
)
_NAMED: Final = _DELETES - {"del", "drop", "remove", "rm", "rmi"}
"""Verbs that the program itself may be called by."""
_RESETS: Final = frozenset(
    """
    all bucket cache-all cluster collection data database datastore db device disk env environment factory force hard
    namespace node password queue schema secrets server state storage table topic variables volume
    """.split()
)
"""What is reset or emptied where that loses something; a cache or a view does not."""
_EMPTIES: Final = frozenset("clear empty flush reset unset".split())
_RELEASES: Final = frozenset("deploy publish undeploy unpublish".split())
_RUNS: Final = frozenset("run task".split())
"""Words that the name of a task of the project follows."""
_NO_ACT: Final = ASKING | frozenset(
    """
    add build commit create debug diff dry edit export fmt format g gen generate get init load log make new open preview
    print read render run say serve start status test validate verify view watch
    """.split()
)
"""Words that what follows is an object of, not a deed."""
_SUBCOMMAND: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*+(?:[-_:.][A-Za-z0-9]++)*+")
_PIECES: Final = re.compile(r"[A-Z]?[a-z0-9]+")
_OPTION: Final = re.compile(
    r"--?(?:delete|destroy|purge|wipe|erase|nuke|uninstall|unregister)(?:[-_]?(?:all|chip|data|everything|flash|files"
    r"|duplicates))?(?:=(?!false\b|no\b|0\b).*)?|--(?:remove|drop|reset|clean)[-_](?:all|data|db|database|everything)"
    r"|--factory[-_]reset|--mass[-_]erase"
)
_ONLY_TELLS: Final = re.compile(
    r"-h|-\?|--(?:help|version|dry[-_]?run|dry|simulate|no[-_]?op|noop|what[-_]?if|preview|plan|check|list)(?:=true)?"
)
_MAX_PATH: Final = 4
"""Words of a subcommand that are looked at: ``foo cluster node pool delete``."""
_SHORTEST_NAME: Final = 3
_OURS: Final = BY_NAME.keys() | INTERPRETERS.keys() | SHELLS | FRAMEWORKS | RUNNERS


def stranger_effects(command: Command, _facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """The effects of a program that no pack and no code knows, told by its words."""
    name = command.program
    if not name or ":" in name or command.argv[0].text != name or name in _OURS or is_listed(name) or rules.knows(name):
        return
    texts = [word.text for word in command.args]
    if any(_ONLY_TELLS.fullmatch(text) for text in texts):
        return
    rule = _rule(name, texts)
    if rule and not _is_slip(name, rules):
        yield effect_of(rules, rule, command, target=command.shown[:120])


def _rule(name: str, texts: list[str]) -> str:
    path = _path(texts)
    if _is_called(name) or _deletes(path) or any(map(_OPTION.fullmatch, texts)):
        return "execution.unknown-delete"
    releases = any(_is_deed(_pieces(word), _RELEASES) for word in path) or _runs_deed(texts)
    return "execution.unknown-release" if releases else ""


def _is_slip(name: str, rules: RuleBook) -> bool:
    """Whether a letter too many makes it a known program: ``gitt``, ``awss``."""
    fewer = {name[:at] + name[at + 1 :] for at in range(len(name)) if len(name) > _SHORTEST_NAME}
    return any(is_listed(one) or one in FILE_JUDGES or rules.knows(one) for one in fewer)


def _is_called(name: str) -> bool:
    """Whether the program says in its name what it does: ``aws-nuke``; a verb alone may be meant for another shell."""
    pieces = _pieces(name)
    return name.islower() and len(pieces) > 1 and _is_deed(pieces, _NAMED)


def _path(texts: list[str]) -> list[str]:
    """The words that a subcommand may consist of."""
    words = (text for text in texts if not text.startswith("-"))
    plain = itertools.takewhile(lambda text: _SUBCOMMAND.fullmatch(text) and text.lower() not in _NO_ACT, words)
    return list(itertools.islice(plain, _MAX_PATH))


def _runs_deed(texts: list[str]) -> bool:
    """Whether a runner of tasks is told one by a grave name: ``taskctl run deploy``."""
    words = list(itertools.islice((text for text in texts if not text.startswith("-")), 2))
    return len(words) > 1 and words[0] in _RUNS and _SUBCOMMAND.fullmatch(words[1]) is not None and is_deed(words[1])


def _deletes(path: list[str]) -> bool:
    pieces = [_pieces(word) for word in path]
    said = {piece for each in pieces for piece in each}
    return any(_is_deed(each, _DELETES) for each in pieces) or not (
        _EMPTIES.isdisjoint(said) or _RESETS.isdisjoint(said)
    )


def _is_deed(pieces: list[str], verbs: frozenset[str]) -> bool:
    """Whether a verb begins or ends the word: ``delete-user``, ``db:drop``, ``DeleteInstance``."""
    return bool(pieces) and (pieces[0] in verbs or pieces[-1] in verbs)


def _pieces(word: str) -> list[str]:
    return [piece.lower() for piece in _PIECES.findall(word)]

"""A command line handed to a program that nobody here knows: ``with-env prod terraform destroy``, ``sg x -c 'rm y'``.

What a program that is in no table does with its words cannot be known. Where they spell out the command line of
another program, that one most likely runs, so it is judged too; a program's name alone (``man rm``) is no command line.
"""

from __future__ import annotations

import itertools
import posixpath
from typing import TYPE_CHECKING, Final

from askfirst.shell.files import FILE_JUDGES
from askfirst.shell.sql import SQL_HANDLERS
from askfirst.shell.unwrap_table import SHELLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.shell.command import Word

_ALSO_SUBCOMMANDS: Final = frozenset({"install", "wipe", "link", "truncate"})
"""Names of programs that many others have as a subcommand."""
_PROGRAMS: Final = (
    frozenset(
        """
        ansible ansible-playbook argocd aws az cdk crictl docker docker-compose doas dropdb fdisk firebase find flyctl
        gcloud gh git glab gsutil helm helmfile heroku kubectl mkfs mkfs.ext4 mkfs.xfs mysqladmin nerdctl netlify npx
        oc parted podman prisma psql pulumi python python3 rclone restic rmdir sgdisk shutdown sudo supabase systemctl
        terraform terragrunt tofu userdel vercel wipefs wrangler xargs zfs zpool
        """.split()
    )
    | FILE_JUDGES.keys()
    | SQL_HANDLERS.keys()
    | SHELLS
) - _ALSO_SUBCOMMANDS
_PRINTING: Final = frozenset({"echo", "printf", "print", "grep", "egrep", "rg", "cat"})
"""What stands behind one of these is data."""
_TEXT_OPTIONS: Final = frozenset({"-c", "--command", "--cmd", "--exec", "--execute", "--run"})
_MAX_SKIPPED: Final = 16
"""Words in front of the command that are looked at."""


def command_in(argv: Sequence[Word]) -> list[Word]:
    """The command line among the arguments, from its program on; empty when there is none."""
    for index, word in enumerate(argv[1:_MAX_SKIPPED], start=1):
        if posixpath.basename(word.text) in _PRINTING:
            return []
        if _is_program(word.text) and index + 1 < len(argv):
            return list(argv[index:])
    return []


def scripts_in(argv: Sequence[Word]) -> list[Word]:
    """Values of options that are called like those of shells and begin with a program."""
    return [
        value
        for option, value in itertools.pairwise(argv[1:_MAX_SKIPPED])
        if option.text in _TEXT_OPTIONS and " " in value.text and _is_program(value.text.split(maxsplit=1)[0])
    ]


def _is_program(text: str) -> bool:
    return posixpath.basename(text) in _PROGRAMS

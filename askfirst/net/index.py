"""The entries of an index. From: git-ls-files(1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from askfirst.net.plumbing import Git

LIST_ENTRIES: Final = ("ls-files", "-s", "-v", "-z")
GITLINK: Final = "160000"
SYMLINK: Final = "120000"


class Entry(NamedTuple):
    """One entry of an index; there may be a hundred thousand, which a frozen dataclass takes four times as long for."""

    tag: str
    mode: str
    object_id: str
    stage: str
    name: str

    @property
    def is_plain(self) -> bool:
        """Whether the work tree is expected to hold just this."""
        return self.tag in {"H", "C", "R"} and self.stage == "0" and self.mode != GITLINK


def read_entries(git: Git) -> list[Entry]:
    """The entries of the index."""
    entries = []
    for line in git.fields(*LIST_ENTRIES):
        head, _, name = line.partition("\t")
        tag, mode, object_id, stage = head.split(" ")
        entries.append(Entry(tag, mode, object_id, stage, name))
    return entries

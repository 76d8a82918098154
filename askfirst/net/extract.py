"""The files of a snapshot, copied into a new folder for somebody to look at: nothing that is there is touched."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from askfirst.errors import InputError, RescueError
from askfirst.net.folder import Folder
from askfirst.net.tree import finish_folder, put

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.net.trash import Trash
    from askfirst.net.tree import Tree


def extract(trash: Trash, snapshot: str, to: str) -> int:
    """The number of files that are in the folder then.

    Raises:
        InputError: there is something already.
        RescueError: the snapshot is not there, or the folder cannot be written.
    """
    holding, path = trash.holding(snapshot), trash.content(snapshot)
    try:
        os.mkdir(to, 0o700)
    except FileExistsError:
        raise InputError(f"{to} is there already; name a new folder", field="to") from None
    except OSError as error:
        raise RescueError(f"{to} cannot be made: {error.strerror}") from error
    trees = [*(shot.work for shot in holding.every_shot if shot.work_tree), *holding.trees]
    try:
        return sum(_copy(tree, os.path.join(to, _named(number, tree)), path) for number, tree in enumerate(trees, 1))
    except OSError as error:
        raise RescueError(f"{to} cannot be written: {error.strerror or error}") from error


def _named(number: int, tree: Tree) -> str:
    return f"{number}-{os.path.basename(tree.root) or 'root'}"


def _copy(tree: Tree, to: str, path: Callable[[str], str]) -> int:
    os.mkdir(to, 0o700)
    with Folder(to) as folder:
        for item in tree.items:
            put(folder, item, path)
        for item in reversed(tree.items):
            if item.kind == "folder":
                finish_folder(folder, item)
    return sum(item.kind in {"file", "link"} for item in tree.items)

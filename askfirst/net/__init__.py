"""The net: keeps what an approved command is about to destroy, and puts it back.

- ``scope``: which repositories and paths a command's effects touch (pure).
- ``folder``: files below a folder, reached by descriptors and never through a symbolic link.
- ``content``: the bytes of a file, cloned where the file system can, copied sparsely elsewhere.
- ``pouch``: the contents of one snapshot, within its limits.
- ``tree``: files and folders as values, with what they hold in the pouch.
- ``plumbing``: git, with nothing of the repository's own programs.
- ``repository``: makes a repository a value, a ``shot``: refs, HEAD, ``index``, ``work_tree`` and state, with hidden
  refs (``pins``) that hold its commits; ``revert`` puts it back.
- ``trash``: snapshots on disk: made whole or not at all, listed, aged, purged.
- ``keeper``: all of it behind ``askfirst.rescue.Net``.

What is kept lies in the broker's state folder, out of the reach of commands that the gate sees; commits that would
become unreachable are held by hidden refs in the repository itself, and by a bundle in the trash where the risk is
critical.
"""

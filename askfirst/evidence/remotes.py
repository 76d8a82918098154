"""How a remote stands now, asked of the remote itself.

* A remote that is a folder of this machine is read as a repository; nothing is run of it.
* Any other is asked by ``git ls-remote`` only where the configuration allows the network. That runs outside of the
  repository, with the address alone, so that no setting of the repository (ssh command, proxy, upload-pack, headers)
  has a say; no credential helper runs and nobody is prompted.

From: git-ls-remote(1), git-fetch(1) "GIT URLS".
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.facts import UNKNOWN, GitPlace

if TYPE_CHECKING:
    from askfirst.evidence.eye import Eye
    from askfirst.facts import Unknown

_SCP: Final = re.compile(r"(?:[\w.+-]+@)?[\w.-]+:(?!//)[^:].*")
_URL: Final = re.compile(r"(?:https?|ssh|git)://[^\s\0]+")
_PROTOCOLS: Final = "https:http:ssh:git"
_ROW: Final = re.compile(r"([0-9a-f]{40}(?:[0-9a-f]{24})?)\t(refs/\S+)")
_SETTINGS: Final = (
    ("core.sshCommand", "ssh -oBatchMode=yes -oConnectTimeout=2 -oStrictHostKeyChecking=yes"),
    ("http.lowSpeedLimit", "1"),
    ("http.lowSpeedTime", "2"),
)


@dataclass(frozen=True, slots=True)
class Remotes:
    """Asks remotes; ``network``: those of other machines as well."""

    network: bool = False

    def refs(self, eye: Eye, place: GitPlace, remote: str) -> dict[str, str] | Unknown | None:
        """Full name -> object id of the remote's branches and tags; None where nobody may ask.

        Args:
            eye: what to look with.
            place: the repository that names the remote.
            remote: its name, or an address.
        """
        address = _address(eye, place, remote)
        if address is UNKNOWN:
            return UNKNOWN
        folder = _folder(address, place)
        if folder:
            return _listed(eye, GitPlace(folder=folder))
        if not self.network or not (_URL.fullmatch(address) or _SCP.fullmatch(address)):
            return None
        return _asked(eye, address)


def _address(eye: Eye, place: GitPlace, remote: str) -> str | Unknown:
    """Where a remote is, as the configuration rewrites it."""
    out = eye.reader.run(place, "ls-remote", "--get-url", "--", remote)
    return UNKNOWN if out is UNKNOWN or out.code or not out.text else out.text


def _folder(address: str, place: GitPlace) -> str:
    """The folder that an address means, ``""`` where it means another machine."""
    path = address.removeprefix("file://")
    if "://" in path or (_SCP.fullmatch(path) and not path.startswith(("/", "."))):
        return ""
    folder = os.path.normpath(os.path.join(place.folder, path))
    return folder if os.path.isdir(folder) else ""


def _listed(eye: Eye, place: GitPlace) -> dict[str, str] | Unknown:
    out = eye.reader.run(place, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")
    if out is UNKNOWN or out.code:
        return UNKNOWN
    rows = [line.partition(" ") for line in out.text.split("\n") if line]
    return {name: oid for oid, _, name in rows}


def _asked(eye: Eye, address: str) -> dict[str, str] | Unknown:
    out = eye.reader.ask_network(
        ("ls-remote", "--upload-pack=git-upload-pack", "--", address), settings=_SETTINGS, protocols=_PROTOCOLS
    )
    if out is UNKNOWN or out.code:
        return UNKNOWN
    rows = [match for line in out.text.split("\n") if (match := _ROW.fullmatch(line))]
    return {match[2]: match[1] for match in rows if not match[2].endswith("^{}")}

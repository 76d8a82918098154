"""Evidence about deployments: what differs between the commit that was deployed last and the one that would be.

Where the last deployment is known at all it is by a ref: a branch or tag called so, the branch of a hosting remote, or
else the newest release tag, which is named as what it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.effects import EffectKind
from askfirst.evidence.commits import COUNT_MAX, Holders
from askfirst.evidence.values import LISTED_MAX, Deployment, text_of
from askfirst.facts import UNKNOWN, GitPlace

if TYPE_CHECKING:
    from askfirst.effects import Effect
    from askfirst.evidence.eye import Eye, Found, Subject

_DEPLOYED: Final = re.compile(
    r"refs/(?:heads|tags|remotes/[^/]+)/(?:deployed|production|prod|live)(?:$|[/-])"
    r"|refs/remotes/(?:heroku|dokku|production|prod|live|deploy)/(?:main|master)$"
)
_KINDS: Final = frozenset({EffectKind.DEPLOYS, EffectKind.PUBLISHES})


@dataclass(frozen=True, slots=True)
class DeploySource:
    """What would be deployed from the repository that a call runs in."""

    about: str = "what differs from the last deployment"
    is_stateful: bool = False

    def concerns(self, subject: Subject) -> bool:
        """Whether something is deployed."""
        return bool(subject.call.cwd) and any(self.covers(each) for each in subject.found.effects)

    def covers(self, effect: Effect) -> bool:
        """Whether it deploys, other than by git."""
        return effect.kind in _KINDS and not effect.rule.startswith("git.")

    def look(self, subject: Subject, eye: Eye, found: Found) -> None:
        """One exhibit, or a sentence why there is none."""
        place = GitPlace(folder=subject.call.cwd)
        repository = eye.git.repository(place)
        if repository is None:
            found.gap(self.about, "the folder is in no repository", failed=False)
            return
        holders = Holders(eye, place, found)
        refs = holders.refs() if repository is not UNKNOWN else UNKNOWN
        if repository is UNKNOWN or refs is UNKNOWN:
            found.gap(self.about, "git cannot read the repository")
            return
        known = next((each for each in refs if _DEPLOYED.match(each)), "")
        name = known or _newest_tag(holders)
        old = holders.oid(name) if name else ""
        if not old or not repository.head:
            found.gap(self.about, "no branch or tag says what is deployed", failed=False)
            return
        ahead = holders.lines("rev-list", f"--max-count={COUNT_MAX}", repository.head, "--not", old)
        back = holders.lines("rev-list", f"--max-count={COUNT_MAX}", old, "--not", repository.head)
        changes = eye.git.status(place, ())
        if ahead is UNKNOWN or back is UNKNOWN or changes is UNKNOWN:
            found.gap(self.about, "git did not answer in time")
            return
        range_ = ["rev-list", f"--max-count={LISTED_MAX}", repository.head, "--not", old]
        found.exhibits.append(
            Deployment(
                where=text_of(re.sub("^refs/(heads|remotes|tags)/", "" if known else "the release ", name)),
                old=old,
                new=repository.head,
                count=len(ahead),
                back=len(back),
                more=len(ahead) == COUNT_MAX,
                dirty=sum(each.kind in {"1", "u"} for each in changes),
                listed=holders.described(range_, frozenset()),
            )
        )


def _newest_tag(holders: Holders) -> str:
    found = holders.lines("describe", "--tags", "--abbrev=0", "HEAD")
    return f"refs/tags/{found[0]}" if found and found is not UNKNOWN else ""

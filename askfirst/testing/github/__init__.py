"""A fake of GitHub on loopback: REST, GraphQL and webhooks for what a channel does, with the real semantics.

    with FakeGitHub() as github:
        ann = github.world.account("ann", 583231)
        api = github.world.repository("acme/api", {"ann": "write", "bot": "write"})
        github.world.pull(api, author="dev", branch="clean-up")
        ... # a client at github.url, with the token of `github.world.token("bot")`

What people do are methods of ``World``; other processes call them by ``POST /_control/METHOD`` with JSON arguments.

It holds: ETag and 304, ``since`` by the time of the last change, pages with Link headers, edits by others that leave
``user`` as it was, GraphQL's ``lastEditedAt`` and ``editor``, the permission of this moment, reviews with their
commit, 422 for approving one's own pull request, 65,536 characters, three actions and 20 characters a label in a check
run, App tokens by a signed JWT, primary and secondary rate limits, renamed repositories, signed webhooks. Every answer
fits GitHub's OpenAPI description (``tests/channels/github``).
"""

from askfirst.testing.github.server import FakeGitHub
from askfirst.testing.github.world import World

__all__ = ["FakeGitHub", "World"]

"""Changes that a container program makes on another machine: named by an option, by a context or by the environment.

Sources: docs.docker.com/reference/cli/docker (``-H``, ``--context``, ``DOCKER_HOST``, ``DOCKER_CONTEXT``),
docs.podman.io (``--url``, ``--connection``, ``CONTAINER_HOST``, ``CONTAINER_CONNECTION``).
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final

from askfirst.shell.found import effect_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.rules.book import RuleBook
    from askfirst.shell.command import Command

CONTAINER_PROGRAMS: Final = ("docker", "docker-compose", "podman", "podman-remote", "podman-compose", "nerdctl")
_ADDRESS_OPTIONS: Final = frozenset({"-H", "--host", "--url"})
_NAME_OPTIONS: Final = frozenset({"-c", "--context", "--connection"})
_CHANGES: Final = frozenset(
    "up down start stop restart run create rm rmi kill pause unpause update rename prune deploy rollback".split()
)
_ADDRESS: Final = re.compile(r"(?:ssh|tcp|https?)://(?:[^@/]*+@)?(\[[^]]*+\]|[\w.-]++)")
"""With the machine's name; one that is computed is not known to be another one."""
_HERE: Final = re.compile(r"localhost|127(?:\.\d+){3}|\[::1\]|0\.0\.0\.0|docker|dind|host\.docker\.internal")
_HERE_NAMES: Final = re.compile(
    r"default|desktop-.*|colima.*|orbstack|rancher-desktop|lima.*|podman.*|rootless|minikube"
)


def container_host_effects(command: Command, _facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """The effect of changing containers where others use them."""
    machine = _machine(command)
    if machine and _changes(command) and rules.standing(command) != "harmless":
        yield effect_of(rules, "containers.remote", command, target=machine)


def _changes(command: Command) -> bool:
    return any(word.text in _CHANGES for word in command.args)


def _machine(command: Command) -> str:
    """The other machine, ``""`` for this one; an option is stronger than the environment."""
    options = _global_options(command)
    name = next((options[option] for option in options.keys() & _NAME_OPTIONS), "")
    address = next((options[option] for option in options.keys() & _ADDRESS_OPTIONS), "")
    if not name and not address:
        address = _variable(command, "DOCKER_HOST") or _variable(command, "CONTAINER_HOST")
        name = "" if address else _variable(command, "DOCKER_CONTEXT") or _variable(command, "CONTAINER_CONNECTION")
    if name:
        return "" if _HERE_NAMES.fullmatch(name) else name
    found = _ADDRESS.match(address)
    return "" if found is None or _HERE.fullmatch(found[1]) else found[1]


def _variable(command: Command, name: str) -> str:
    return command.env[name].text if name in command.env else ""


def _global_options(command: Command) -> dict[str, str]:
    """Options with their values in front of the subcommand; behind it the same letters mean other things."""
    texts = [word.text for word in command.args]
    found: dict[str, str] = {}
    for text, following in itertools.pairwise([*texts, ""]):
        name, equals, value = text.partition("=")
        if name in _ADDRESS_OPTIONS | _NAME_OPTIONS:
            found[name] = value if equals else following
        elif not text.startswith("-") and text not in found.values():
            break
    return found

"""Switches under ``[features]`` in Codex's files: one is held at a value, and put back as it was.

What it was stands in a comment on the line, so that nothing has to be remembered elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import replace

from hooks.toml_sections import Section, joined, split

_NOTE = "# askfirst"
_ALONE = "; with its table"


def held(text: str, name: str, *, value: bool, current: object) -> str:
    """The text with the switch at this value.

    Args:
        text: the file.
        name: of the switch.
        value: to be held.
        current: what it is now, None where it is not there.
    """
    if current is value:
        return text
    line = f"{name} = {_toml(value=value)} {_NOTE}"
    written = re.compile(rf"^[ \t]*{name}[ \t]*=[ \t]*(true|false)[ \t]*(#[^\n]*)?(?:\n|\Z)", re.MULTILINE)
    sections = split(text)
    for at, section in enumerate(sections):
        if section.header != "[features]":
            continue
        found = written.search(section.text)
        if found:
            changed = written.sub(f"{line}; was {found[1]}\n", section.text, count=1)
        else:
            changed = section.text.replace("[features]", f"[features]\n{line}", 1)
        return joined([*sections[:at], replace(section, text=changed), *sections[at + 1 :]])
    return joined([*sections, Section(header="[features]", text=f"\n[features]\n{line}{_ALONE}\n")])


def released(text: str, name: str, *, value: bool) -> str:
    """The text with the switch as it was before ``held``; as it is where we did not hold it."""
    ours = re.compile(
        rf"(?P<head>\n\[features\]\n)?^{name} = {_toml(value=value)} {_NOTE}"
        rf"(?:; was (?P<was>true|false)|(?P<alone>{_ALONE}))?(?:\n|\Z)",
        re.MULTILINE,
    )
    found = ours.search(text)
    if not found:
        return text
    rest = text[found.end() :]
    is_table_empty = not rest.strip() or rest.lstrip().startswith("[")
    head = "" if found["alone"] and is_table_empty else found["head"] or ""
    was = f"{name} = {found['was']}\n" if found["was"] else ""
    return text[: found.start()] + head + was + rest


def _toml(*, value: bool) -> str:
    return "true" if value else "false"

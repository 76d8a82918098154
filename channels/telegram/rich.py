"""Text with entities, as Telegram takes it: no markup language, so nothing in the text can be mistaken for one.

Offsets and lengths are UTF-16 units (https://core.telegram.org/bots/api#messageentity).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["bold", "italic", "code", "pre", "blockquote", "expandable_blockquote", "date_time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """How a part of the text looks.

    Attributes:
        language: of a ``pre``, else ``""``.
        unix_time_s: of a ``date_time``, which clients show in the reader's own time, else 0.
        form: of a ``date_time``: ``r`` relative to now, ``t`` a time, ``wdt`` a day and a time.
    """

    kind: Kind
    offset: int
    length: int
    language: str = ""
    unix_time_s: int = 0
    form: str = ""


@dataclass(frozen=True, slots=True)
class Rich:
    """A text with its entities; ``+`` puts two together."""

    text: str = ""
    entities: tuple[Entity, ...] = ()

    def __add__(self, other: Rich | str) -> Rich:
        if isinstance(other, str):
            return Rich(self.text + other, self.entities)
        return Rich(self.text + other.text, self.entities + shifted(other.entities, units(self.text)))

    @property
    def units(self) -> int:
        """Length in UTF-16 units."""
        return units(self.text)


def units(text: str) -> int:
    """Length in UTF-16 units; a lone surrogate is one."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shifted(entities: tuple[Entity, ...], by: int) -> tuple[Entity, ...]:
    """The entities so much further on."""
    return tuple(
        Entity(
            kind=each.kind,
            offset=each.offset + by,
            length=each.length,
            language=each.language,
            unix_time_s=each.unix_time_s,
            form=each.form,
        )
        for each in entities
    )


def styled(kind: Kind, content: Rich | str, *, language: str = "") -> Rich:
    """The content in this style; nothing for nothing."""
    inner = Rich(content) if isinstance(content, str) else content
    if not inner.text:
        return inner
    return Rich(inner.text, (Entity(kind=kind, offset=0, length=inner.units, language=language), *inner.entities))


def moment(words: str, at_ms: int, form: str) -> Rich:
    """A time in the reader's own zone and language; ``words`` where a client is too old for it."""
    entity = Entity(kind="date_time", offset=0, length=units(words), unix_time_s=at_ms // 1000, form=form)
    return Rich(words, (entity,))


def joined(parts: list[Rich], separator: str) -> Rich:
    """The parts that say something, with the separator between them."""
    found = Rich()
    for part in parts:
        if part.text:
            found = found + separator + part if found.text else part
    return found


def head(text: str, limit: int) -> str:
    """As much of the beginning as fits into so many units, no character split."""
    raw = text.encode("utf-16-le", "surrogatepass")[: 2 * max(0, limit)]
    return raw.decode("utf-16-le", "ignore")


def tail(text: str, limit: int) -> str:
    """As much of the end as fits into so many units, no character split."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return raw[max(0, len(raw) - 2 * limit) :].decode("utf-16-le", "ignore")

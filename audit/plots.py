"""Small plots as SVG text for a page without scripts: bars over days, bars by name, a histogram of times.

Pure; every text is escaped here. Colours are CSS classes, so that a page can be dark; each bar says its numbers in a
``<title>``, and each plot in its ``aria-label``.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDTH: Final = 640
_HEIGHT: Final = 190
_LEFT: Final = 44
_BOTTOM: Final = 26
_TOP: Final = 12
_ROW: Final = 24
_NAME_WIDTH: Final = 190
_NAME_CHARS: Final = 26
_BINS_S: Final = (1, 5, 15, 60, 300, 1800, 7200)
_BIN_NAMES: Final = ("<1 s", "<5 s", "<15 s", "<1 min", "<5 min", "<30 min", "<2 h", "longer")


def stacked_bars(columns: Mapping[str, Mapping[str, int]], series: Sequence[str], label: str) -> str:
    """Columns of stacked counts, e.g. a day each; ``series`` are the parts from below, and their CSS classes."""
    if not columns:
        return _empty(label)
    top = max(1, *(sum(parts.values()) for parts in columns.values()))
    inner_width, inner_height = _WIDTH - _LEFT - 8, _HEIGHT - _TOP - _BOTTOM
    step = inner_width / len(columns)
    shapes = _axis(top, inner_height)
    every = max(1, -(-len(columns) * 52 // inner_width))
    for number, (name, parts) in enumerate(columns.items()):
        x, y = _LEFT + number * step, float(_TOP + inner_height)
        title = html.escape(f"{name}: " + ", ".join(f"{parts.get(one, 0)} {one}" for one in series if parts.get(one)))
        for one in series:
            height = parts.get(one, 0) / top * inner_height
            y -= height
            if height:
                shapes.append(
                    f'<rect class="{html.escape(one)}" x="{x + step * 0.12:.1f}" y="{y:.1f}" '
                    f'width="{max(1.0, min(step * 0.76, 48)):.1f}" height="{height:.1f}"><title>{title}</title></rect>'
                )
        if number % every == 0:
            middle = x + step * 0.12 + max(1.0, min(step * 0.76, 48)) / 2
            shapes.append(f'<text x="{middle:.1f}" y="{_HEIGHT - 8}" class="mid">{html.escape(name[-5:])}</text>')
    return _svg(shapes, _HEIGHT, label)


def rates(rows: Mapping[str, tuple[int, int]], label: str) -> str:
    """One row a name: a bar of how much of it was approved; values are (approved, denied)."""
    if not rows:
        return _empty(label)
    shapes, width = list[str](), _WIDTH - _NAME_WIDTH - 92
    for number, (name, (approved, denied)) in enumerate(rows.items()):
        y, decided = number * _ROW + 4, approved + denied
        share = approved / decided if decided else 0.0
        short = name if len(name) <= _NAME_CHARS else f"{name[: _NAME_CHARS - 1]}…"
        title = html.escape(f"{name}: {approved} approved, {denied} denied")
        told = f"{share:.0%} of {decided}" if decided else "none decided"
        shapes += [
            f'<text x="{_NAME_WIDTH - 8}" y="{y + 13}" class="end">{html.escape(short)}<title>{title}</title></text>',
            f'<rect class="track" x="{_NAME_WIDTH}" y="{y + 2}" width="{width}" height="14" rx="3"/>',
        ]
        if approved:
            shapes.append(
                f'<rect class="approved" x="{_NAME_WIDTH}" y="{y + 2}" width="{share * width:.1f}" height="14" rx="3">'
                f"<title>{title}</title></rect>"
            )
        if denied:
            shapes.append(
                f'<rect class="denied" x="{_NAME_WIDTH + share * width:.1f}" y="{y + 2}" '
                f'width="{(1 - share) * width:.1f}" height="14" rx="3"><title>{title}</title></rect>'
            )
        shapes.append(f'<text x="{_NAME_WIDTH + width + 8}" y="{y + 13}">{told}</text>')
    return _svg(shapes, len(rows) * _ROW + 8, label)


def histogram(seconds: Sequence[float], label: str) -> str:
    """How many decisions took how long, in steps that grow."""
    if not seconds:
        return _empty(label)
    counts = [0] * len(_BIN_NAMES)
    for each in seconds:
        counts[next((at for at, limit in enumerate(_BINS_S) if each < limit), len(_BINS_S))] += 1
    top = max(counts)
    inner_height = _HEIGHT - _TOP - _BOTTOM
    step = (_WIDTH - _LEFT - 8) / len(counts)
    shapes = _axis(top, inner_height)
    for at, (name, count) in enumerate(zip(_BIN_NAMES, counts, strict=True)):
        x, height = _LEFT + at * step, count / top * inner_height
        shapes.append(
            f'<rect class="plain" x="{x + 3:.1f}" y="{_TOP + inner_height - height:.1f}" width="{step - 6:.1f}" '
            f'height="{height:.1f}"><title>{html.escape(name)}: {count}</title></rect>'
            f'<text x="{x + step / 2:.1f}" y="{_HEIGHT - 8}" class="mid">{html.escape(name)}</text>'
        )
    return _svg(shapes, _HEIGHT, label)


def _axis(top: int, inner_height: float) -> list[str]:
    """Lines at the top and the middle, with their numbers."""
    shapes = [f'<line x1="{_LEFT}" x2="{_WIDTH - 8}" y1="{_TOP + inner_height}" y2="{_TOP + inner_height}"/>']
    marks = {top, top // 2} - {0}
    for mark in sorted(marks):
        y = _TOP + inner_height * (1 - mark / top)
        shapes += [
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - 8}" y1="{y:.1f}" y2="{y:.1f}"/>',
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" class="end">{mark}</text>',
        ]
    return shapes


def _svg(shapes: Sequence[str], height: int, label: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{html.escape(label, quote=True)}">'
        f"{''.join(shapes)}</svg>"
    )


def _empty(label: str) -> str:
    return f'<p class="none">{html.escape(label)}: nothing to show yet.</p>'

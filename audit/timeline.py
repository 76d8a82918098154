"""A log, or one session of it, as one HTML page: no script, nothing loaded, so that it can be mailed and kept.

Everything that agents, hosts or people wrote is made visible (``askfirst.card.visible``) and escaped.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from askfirst.visible import visible
from audit.approvals import approvals_of, ran_unasked, refused_run
from audit.plots import histogram, rates, stacked_bars
from audit.stats import Stats, Tallied, stats_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from audit.approvals import Approval
    from audit.query import Record

_ROWS_MAX: Final = 12
_SERIES: Final = ("approved", "denied", "expired", "other", "pending")
_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2024;--soft:#5f6872;--line:#d9dee3;--paper:#fff;--card:#f6f8fa;
--good:#2f7d4f;--bad:#b3372f;--late:#9a6b13;--other:#6f7f95;--open:#3b6fb5}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa5b1;--line:#343b43;--paper:#14171a;--card:#1c2125;
--good:#58b67c;--bad:#e0736b;--late:#d1a24a;--other:#8a9bb2;--open:#6f9fe0}}
body{margin:0 auto;max-width:62rem;padding:2rem 1.25rem 4rem;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:2.2rem 0 .6rem}
.soft,.none{color:var(--soft)}.numbers{display:grid;
grid-template-columns:repeat(auto-fit,minmax(7rem,1fr));gap:.75rem;margin:1.25rem 0 0;padding:0}
.numbers div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.55rem .9rem}
.numbers dt{color:var(--soft);font-size:.8rem}.numbers dd{margin:0;font-size:1.25rem;font-variant-numeric:tabular-nums}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(28rem,100%),1fr));gap:0 2rem}
svg{width:100%;height:auto;font:11px system-ui,sans-serif}svg text{fill:var(--soft)}svg .mid{text-anchor:middle}
svg .end{text-anchor:end}svg line{stroke:var(--line)}svg .grid{stroke-dasharray:2 4}
.approved{fill:var(--good)}.denied{fill:var(--bad)}.expired{fill:var(--late)}.other,.plain{fill:var(--other)}
.pending{fill:var(--open)}.track{fill:var(--line)}
.key span{margin-right:1rem;white-space:nowrap}.key i{display:inline-block;width:.7em;height:.7em;border-radius:2px;
margin-right:.35em;background:currentColor}.k-approved i{color:var(--good)}.k-denied i{color:var(--bad)}
.k-expired i{color:var(--late)}.k-other i{color:var(--other)}.k-pending i{color:var(--open)}
article{border-left:3px solid var(--line);padding:.1rem 0 .1rem 1rem;margin:0 0 1.4rem}
article.approved{border-color:var(--good)}article.denied{border-color:var(--bad)}article.expired{border-color:var(--late)}
article.pending{border-color:var(--open)}
article header{display:flex;flex-wrap:wrap;gap:.2rem .8rem;align-items:baseline}
time{color:var(--soft);font-variant-numeric:tabular-nums}b.state{text-transform:uppercase;font-size:.75rem}
pre{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.55rem .75rem;margin:.4rem 0;
white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.45 ui-monospace,monospace}
ol{margin:.3rem 0 0;padding:0;list-style:none;font-size:.88rem}ol time{display:inline-block;min-width:6rem}
q{font-style:italic}footer{margin-top:3rem;border-top:1px solid var(--line);padding-top:1rem;font-size:.85rem}
code{overflow-wrap:anywhere}@media print{article{break-inside:avoid}}
"""


def timeline_page(entries: Iterable[Record], *, title: str, seen: str, origin: str) -> str:
    """The page.

    Args:
        entries: of the session, or of the whole log, oldest first. Numbers and plots are of the requests alone, not of
            what ran though the policy denied it.
        title: what they are of.
        seen: the head under which they were read, ``size:root``.
        origin: the log's name.
    """
    kept = [one for one in entries if one.get("req") or ran_unasked(one)]
    approvals = approvals_of(kept)
    told = sorted([*approvals, *map(refused_run, filter(ran_unasked, kept))], key=lambda one: one.entries[0]["index"])
    stats = stats_of(approvals)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(title)}</title><style>{_STYLE}</style></head><body><main>",
            f'<h1>{_text(title)}</h1><p class="soft">{_span(approvals)}</p>',
            _numbers(stats.total),
            '<div class="plots">',
            *_plots(stats, approvals),
            "</div>",
            "<h2>Timeline</h2>",
            *(_article(one) for one in told),
            "" if approvals else '<p class="none">Nobody was asked anything.</p>',
            f"</main><footer><p>Read from the log <code>{_text(origin)}</code> at <code>log {_text(seen)}</code>.",
            "This page proves nothing by itself; the log does:</p>",
            f"<pre>askfirst audit verify --seen {_text(seen)}</pre></footer></body></html>",
        ]
    )


def _span(approvals: Sequence[Approval]) -> str:
    times = [one.requested_at for one in approvals if one.requested_at]
    if not times:
        return "No requests."
    requests = "1 request" if len(approvals) == 1 else f"{len(approvals)} requests"
    return _text(f"{requests}, {_clock(min(times))} to {_clock(max(times))} UTC")


def _numbers(total: Tallied) -> str:
    pairs = (
        ("asked", str(total.asked)),
        ("approved", str(total.approved)),
        ("denied", str(total.denied)),
        ("expired", str(total.expired)),
        ("approve rate", "–" if total.approve_rate is None else f"{total.approve_rate:.0%}"),
        ("decision, median", _duration(total.median_s)),
        ("nine of ten within", _duration(total.p90_s)),
    )
    return f'<dl class="numbers">{"".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in pairs)}</dl>'


def _plots(stats: Stats, approvals: Sequence[Approval]) -> Iterable[str]:
    days = {day: _parts(tallied) for day, tallied in stats.by_day.items()}
    seconds = [one.latency_ms / 1000 for one in approvals if one.latency_ms is not None]
    shown = [one for one in _SERIES if any(parts[one] for parts in days.values())]
    key = "".join(f'<span class="k-{one}"><i></i>{one}</span>' for one in shown)
    yield f"<section><h2>Requests per day</h2>{stacked_bars(days, _SERIES, 'Requests per day')}"
    yield f'<p class="soft key">{key}</p></section>'
    yield f"<section><h2>Time to a decision</h2>{histogram(seconds, 'Time to a decision')}</section>"
    yield f"<section><h2>Approved, by rule</h2>{rates(_decided(stats.by_rule), 'Approved, by rule')}</section>"
    yield "<section><h2>Approved, by reviewer</h2>"
    yield f"{rates(_decided(stats.by_reviewer), 'Approved, by reviewer')}</section>"


def _parts(tallied: Tallied) -> dict[str, int]:
    ended = tallied.approved + tallied.denied + tallied.expired + tallied.other
    return {
        "approved": tallied.approved,
        "denied": tallied.denied,
        "expired": tallied.expired,
        "other": tallied.other,
        "pending": tallied.asked - ended,
    }


def _decided(groups: Mapping[str, Tallied]) -> dict[str, tuple[int, int]]:
    return {visible(name): (one.approved, one.denied) for name, one in list(groups.items())[:_ROWS_MAX]}


def _article(one: Approval) -> str:
    status = one.status if one.status in {"approved", "denied", "expired", "pending"} else "other"
    by = "" if one.id else " by the policy"
    told = f"{one.status}{by}, and ran all the same" if one.bypassed_at else one.status
    facts = [_text(word) for word in (str(one.action.get("risk", "")), *one.rules) if word]
    where = _text(" · ".join(str(one.agent[name]) for name in ("name", "session", "cwd") if one.agent.get(name)))
    reason = f"<p><q>{_text(one.reason)}</q></p>" if one.reason else ""
    name = f'<span class="soft">…{_text(one.id[-6:])}</span>' if one.id else ""
    return (
        f'<article class="{status}"><header><b class="state">{_text(told)}</b>'
        f"<time>{_clock(one.requested_at)}</time><span>{' · '.join(facts)}</span>"
        f"{name}</header>"
        f"<pre>{_text(str(one.action.get('summary') or one.action.get('tool') or ''))}</pre>"
        f'<p class="soft">{where}</p>{reason}<ol>{"".join(map(_step, one.entries))}</ol></article>'
    )


def _step(entry: Record) -> str:
    actor, decision = entry.get("actor", {}), entry.get("decision", {})
    via = f" via {actor['channel']}" if actor.get("channel") else ""
    said = " ".join(str(decision[name]) for name in ("verdict", "outcome") if decision.get(name))
    words = " · ".join(each for each in (str(entry.get("type", "")), f"{actor.get('id', '')}{via}", said) if each)
    time = _text(str(entry.get("t", ""))[11:19])
    return f'<li><time>{time}</time>{_text(words)} <span class="soft">#{entry["index"]}</span></li>'


def _clock(time: str) -> str:
    return _text(f"{time[:10]} {time[11:19]}")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def _text(text: str) -> str:
    return html.escape(visible(text))

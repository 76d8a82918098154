"""What people would see of a request on each channel: one page, in which nothing that an agent wrote runs."""

from __future__ import annotations

import asyncio
import html
import html.parser
import re
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from askfirst.broker.preview_api import PreviewApi
from askfirst.cli.preview import EXAMPLES
from askfirst.engine import Case
from askfirst.entry import command_line
from askfirst.example_cases import example_case
from askfirst.testing.api import api_client
from askfirst.testing.bench import Bench, a_draft
from channels.preview import PREVIEWS, preview_page

NOW_MS = 1_800_000_000_000


class Frames(html.parser.HTMLParser):
    """The frames of a page, and whatever else could run something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.frames: list[dict[str, str | None]] = []
        self.others: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "iframe":
            self.frames.append(dict(attrs))
        else:
            self.others.add(tag)


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_is_shown_as_each_channel_shows_it(name: str) -> None:
    case = example_case(name, NOW_MS)
    found = Frames(preview_page(case, NOW_MS))
    assert [each["title"] for each in found.frames] == list(PREVIEWS)
    assert all(each["sandbox"] is None for each in found.frames), "a frame without restrictions"
    assert found.others <= {"html", "head", "meta", "title", "style", "body", "h1", "h2"}
    for frame in found.frames:
        assert case.request.code in str(frame["srcdoc"])


def test_examples_differ_by_their_names() -> None:
    """A name that is missing in `example_case` would silently be the first."""
    requests = [example_case(each, NOW_MS).request for each in EXAMPLES]
    assert len({(each.state, each.question, each.action.command) for each in requests}) == len(EXAMPLES)


def _page_text(page: str) -> str:
    return html.unescape(re.sub("<[^>]+>", "\n", page))


@pytest.mark.parametrize("name", ["telegram", "github", "slack", "email"])
def test_options_that_look_alike_are_told_apart_on_each_channel_that_people_answer_on(name: str) -> None:
    same = "Deploy to the cluster of the European region, which nobody uses at all today: "
    options = (f"{same}staging", f"{same}production", "yes\u3164", "no\n1. yes")
    request = replace(example_case("question", NOW_MS).request, options=options)
    shown = _page_text(PREVIEWS[name](Case(request=request), NOW_MS))
    for whole in (f"{same}staging", f"{same}production", "yes\\u{3164}", "no\\u{A}1. yes"):
        assert whole in shown


def test_what_is_hostile_is_text_in_every_frame() -> None:
    for frame in Frames(preview_page(example_case("hostile", NOW_MS), NOW_MS)).frames:
        inner = str(frame["srcdoc"])
        assert "<b>x</b>" not in inner
        assert "\u202e" not in inner


def test_an_example_is_written_into_a_file(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    done = CliRunner().invoke(command_line(), ["preview", "critical", "--out", str(out)])
    assert (done.exit_code, done.output) == (0, f"wrote {out}\n")
    assert "git push --force origin main" in out.read_text(encoding="utf-8")
    done = CliRunner().invoke(command_line(), ["preview", "critical", "--out", str(tmp_path / "no" / "page.html")])
    assert done.exit_code == 2


def test_a_request_is_shown_by_the_broker(desk_bench: Bench) -> None:
    async def story() -> None:
        case = await desk_bench.desk.ask(a_draft())
        async with api_client(
            desk_bench,
            more=lambda access: [PreviewApi(access, desk=desk_bench.desk, clock=desk_bench.clock, page=preview_page)],
        ) as http:
            answer = await http.get(f"/v1/requests/{case.request.id}/preview")
            assert "git reset --hard HEAD~2" in answer.json()["html"]
            assert (await http.get("/v1/requests/none/preview")).status_code == 404

    asyncio.run(story())

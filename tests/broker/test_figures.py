"""/metrics: what is counted, by what labels, and who may look."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from askfirst.audit_port import Entry, EntryType
from askfirst.broker.figures import Figures
from askfirst.hub import Hub
from askfirst.request import Verdict
from askfirst.testing.api import api_client
from askfirst.testing.bench import Bench, a_draft, a_review
from audit.testing import Broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path / "state")
    yield made
    made.stop()


def scraped(text: bytes) -> dict[str, float]:
    """Samples by ``name{label values}``."""
    return {
        f"{sample.name}{{{','.join(sorted(sample.labels.values()))}}}": sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_what_waits_and_what_was_decided_is_counted_from_the_start_of_the_broker(broker: Broker) -> None:
    async def story() -> tuple[dict[str, float], dict[str, float]]:
        before = await broker.desk.ask(a_draft(key="before", command="rm a"))
        await broker.desk.review(a_review(before.request, Verdict.DENY, decision_id="before"))
        figures = Figures(reader=broker.reader, hub=Hub(), clock=broker.clock, first=broker.log.head.size)
        await broker.desk.ask(a_draft(key="one", command="rm b"))
        two = await broker.desk.ask(a_draft(key="two", command="rm c"))
        broker.passes(30)
        waiting = scraped(await figures.text())
        await broker.desk.review(a_review(two.request, Verdict.APPROVE, decision_id="two"))
        return waiting, scraped(await figures.text())

    waiting, after = asyncio.run(story())
    assert (waiting["askfirst_pending_requests{}"], waiting["askfirst_oldest_pending_seconds{}"]) == (2, 30)
    assert waiting["askfirst_log_appended_total{gate.requested}"] == 2
    assert after["askfirst_pending_requests{}"] == 1
    assert after["askfirst_open_grants{}"] == 1
    assert after["askfirst_log_entries{}"] == broker.log.head.size
    assert after["askfirst_decision_seconds_sum{approved}"] == 30
    assert after["askfirst_decision_seconds_bucket{30.0,approved}"] == 1
    assert "askfirst_decision_seconds_count{denied}" not in after


def test_nothing_that_an_agent_says_becomes_a_label(broker: Broker) -> None:
    figures = Figures(reader=broker.reader, hub=Hub(), clock=broker.clock, first=0)
    hostile = {"verdict": 'x"} 1\nforged{y="', "latency_ms": 5}
    broker.append(Entry(type=EntryType.GATE_DECIDED, decision=hostile))
    text = asyncio.run(figures.text())
    assert b"forged" not in text
    assert scraped(text)["askfirst_log_appended_total{gate.decided}"] == 1


@pytest.mark.parametrize(
    ("peer", "status"), [(("uid:0", 0), 200), (("127.0.0.1", 5555), 401)], ids=["unix socket", "no token"]
)
def test_figures_are_for_those_who_may_read(desk_bench: Bench, peer: tuple[str, int], status: int) -> None:
    async def text() -> bytes:
        return b"askfirst_info 1\n"

    async def story() -> None:
        async with api_client(desk_bench, peer, figures=text) as http:
            answer = await http.get("/metrics")
        assert answer.status_code == status

    asyncio.run(story())

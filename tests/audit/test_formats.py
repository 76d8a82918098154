"""A session told by the real desk, read back: filters, counts, and the shapes of others."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from askfirst.audit_port import SYSTEM, Actor, Entry, EntryType, Private
from askfirst.call import ToolCall
from askfirst.entries import bypassed_entry
from askfirst.errors import InputError
from askfirst.host import AfterTool
from askfirst.intake import Draft
from askfirst.policy.ruling import ONCE, ScopeOffer
from askfirst.request import Request, Verdict
from askfirst.store.views import approval_sql, audit_sql
from askfirst.testing.bench import a_draft, a_review
from audit.approvals import approvals_of
from audit.offline import OfflineLog
from audit.query import Filter, Record, find, scan, show
from audit.source import connect
from audit.stats import stats_of
from audit.testing import Broker
from audit.verify import verify_store


class Session:
    """One agent at work, several people deciding."""

    def __init__(self, broker: Broker) -> None:
        self.broker, self.count = broker, 0

    async def ask(self, command: str) -> Request:
        self.count += 1
        draft = a_draft(key=f"key-{self.count}", command=command, now_ms=self.broker.clock.now_ms())
        return (await self.broker.desk.ask(replace(draft, tool_use_id=f"toolu_{self.count}"))).request

    async def review(self, request: Request, verdict: Verdict, person: str = "local:ann", after_s: float = 3) -> None:
        self.broker.passes(after_s)
        await self.broker.desk.review(a_review(request, verdict, person=person, text=f"{verdict.value} it is"))

    async def run(self, request: Request, *, ran: str = "") -> None:
        act = request.action_digest
        await self.broker.desk.redeem(request.id, action_digest=act, attempt="a", tool_use_id=request.tool_use_id)
        self.broker.passes(1)
        await self.broker.desk.executed(request.id, action_digest=ran or act, outcome="ok")

    async def whole(self) -> None:
        ran = await self.ask("git reset --hard")
        await self.review(ran, Verdict.APPROVE)
        await self.run(ran)
        denied = await self.ask("rm -rf build <b>")
        await self.review(denied, Verdict.DENY, "telegram:12345", after_s=42)
        late = await self.ask("git push --force")
        self.broker.passes(601)
        await self.broker.desk.sweep()
        await self.review(late, Verdict.APPROVE)
        await self.run(late)
        revoked = await self.ask("terraform destroy")
        await self.review(revoked, Verdict.APPROVE)
        await self.review(revoked, Verdict.DENY, "telegram:12345")
        self.broker.pass_days(1)
        expired = await self.ask("dropdb shop")
        self.broker.passes(601)
        await self.broker.desk.sweep()
        assert expired.id


@pytest.fixture
def told(broker: Broker) -> Path:
    asyncio.run(Session(broker).whole())
    return broker.root / "askfirst.db"


@pytest.mark.parametrize(
    ("wanted", "types"),
    [
        (Filter(person="telegram:12345", types=("gate.",)), ["gate.decided", "gate.decided"]),
        (Filter(decision="expired"), ["gate.timeout", "gate.timeout"]),
        (Filter(types=("gate.executed",)), ["gate.executed", "gate.executed"]),
        (Filter(agent="session-1", types=("grant.revoked",)), ["grant.revoked"]),
        (Filter(agent="session-2"), []),
        (Filter(rule="git.reset-hard", types=("gate.requested",)), ["gate.requested"] * 5),
        (Filter(rule="other"), []),
        (Filter(since="2027-01-16", types=("gate.requested",)), ["gate.requested"]),
        (Filter(until="2027-01-15T08:00:03Z", types=("gate.",)), ["gate.requested"]),
        (Filter(until="2027-01-15T09:00:03+01:00", types=("gate.",)), ["gate.requested"]),
        (Filter(until="2027-01-15t03:00:03-05:00", types=("gate.",)), ["gate.requested"]),
        (Filter(until="2027-01-15t08:00:03z", types=("gate.",)), ["gate.requested"]),
    ],
)
def test_entries_are_found_by_who_what_and_when(told: Path, wanted: Filter, types: list[str]) -> None:
    assert [entry["type"] for entry in find(told, wanted, limit=100)] == types
    assert [entry["type"] for entry in scan(told, wanted)] == types


def test_a_request_is_found_by_the_end_of_its_id_and_the_newest_come_first_to_a_limit(told: Path) -> None:
    request = next(entry["req"] for entry in scan(told, Filter(types=("gate.executed",))))
    found = find(told, Filter(request=request[-6:].lower()), limit=100)
    assert {entry["req"] for entry in found} == {request}
    assert find(told, Filter(request=request), limit=2) == found[-2:]


def test_a_call_that_was_answered_from_a_request_says_nothing_about_the_request(broker: Broker) -> None:
    """After a stop anything is, by whatever rule; the row of the request stays what people denied."""
    session = Session(broker)

    def drafted(command: str, rule: str) -> Draft:
        draft = a_draft(key=command, command=command, now_ms=broker.clock.now_ms())
        return replace(draft, terms=replace(draft.terms, rule=rule))

    async def story() -> Request:
        first = await session.ask("rm -rf build")
        await broker.desk.ask(drafted("rm -rf build", "joins"))
        broker.passes(3)
        await broker.desk.review(a_review(first, Verdict.DENY, stop=True))
        broker.passes(3)
        await broker.desk.ask(drafted("git push --force", "refused"))
        return first

    first = asyncio.run(story())
    path = broker.root / "askfirst.db"
    [whole] = approvals_of(scan(path, Filter()))
    assert (whole.id, whole.rule, whole.action["summary"]) == (first.id, "ask.high", "rm -rf build")
    assert [each["type"] for each in whole.entries][-1] == "gate.refused"
    [late] = approvals_of(scan(path, Filter(types=("gate.refused",))))
    assert (late.id, late.rule, late.action) == (first.id, "", {})


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-11-25T", "1600000000"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected e"):
        Filter(since=text)


def test_an_entry_is_shown_with_its_payload_until_that_is_erased(broker: Broker, told: Path) -> None:
    [asked] = find(told, Filter(types=("gate.requested",)), limit=1)
    shown = show(told, asked["index"])
    assert shown["entry"] == asked
    assert list(shown["payloads"].values()) == ['{"command":"dropdb shop"}']
    asyncio.run(broker.keeper.erase_payload(next(iter(shown["payloads"])), SYSTEM, "-"))
    assert list(show(told, asked["index"])["payloads"].values()) == [None]
    with pytest.raises(InputError, match="there is no entry 999"):
        show(told, 999)


def test_the_life_of_each_request_is_told(told: Path) -> None:
    ends = [(one.status, one.by, one.outcome, bool(one.released_at)) for one in approvals_of(scan(told, Filter()))]
    assert ends == [
        ("approved", ("local:ann",), "ok", True),
        ("denied", ("telegram:12345",), "", False),
        ("approved", ("local:ann",), "ok", True),
        ("denied", ("telegram:12345",), "", False),
        ("expired", ("deadline",), "", False),
    ]


def test_a_review_that_came_too_late_puts_no_words_into_the_mouth_of_whoever_decided(broker: Broker) -> None:
    async def story() -> None:
        session = Session(broker)
        denied = await session.ask("git reset --hard")
        await session.review(denied, Verdict.DENY)
        await session.review(denied, Verdict.APPROVE, "telegram:12345")
        withdrawn = await session.ask("git push --force")
        await broker.desk.cancel(withdrawn.id, "not needed any more")

    asyncio.run(story())
    records = written(broker.root / "askfirst.db", "approvals")
    assert [(one["approver"], one["decision"], one["reason"]) for one in records] == [
        ("local:ann", "rejected", "deny it is"),
        ("agent", "cancelled", "not needed any more"),
    ]
    with closing(sqlite3.connect(broker.root / "askfirst.db")) as connection:
        rows = connection.execute("select approver, decision, reason from approval_record").fetchall()
    assert rows == [(one["approver"], one["decision"], one["reason"]) for one in records]


def test_counts_by_rule_reviewer_and_day(told: Path) -> None:
    stats = stats_of(approvals_of(scan(told, Filter())))
    assert (stats.total.asked, stats.total.approved, stats.total.denied, stats.total.expired) == (5, 2, 2, 1)
    assert stats.total.approve_rate == 0.5
    assert {who: (one.approved, one.denied) for who, one in stats.by_reviewer.items()} == {
        "local:ann": (2, 0),
        "telegram:12345": (0, 2),
    }
    assert list(stats.by_day) == ["2027-01-15", "2027-01-16"]
    assert [(rule, one.asked) for rule, one in stats.by_rule.items()] == [("git.reset-hard", 5)]
    assert stats.by_reviewer["telegram:12345"].median_s == 24.0  # of 42 and 6


def written(told: Path, form: str) -> list[Record]:
    file = io.StringIO()
    count = OfflineLog(told).write(form, {}, file)
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert count == len(lines)
    return lines


def test_jsonl_is_the_entries(told: Path) -> None:
    assert written(told, "jsonl") == list(scan(told, Filter()))


def test_ocsf_events_have_what_api_activity_requires(told: Path) -> None:
    required = {"activity_id", "actor", "api", "category_uid", "class_uid", "metadata", "severity_id", "src_endpoint"}
    events = written(told, "ocsf")
    for event in events:
        assert required | {"time", "type_uid"} <= event.keys()
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert event["metadata"]["version"] == "1.3.0"
    denied = [event for event in events if event.get("status_detail") == "denied"]
    assert len(denied) == 2
    assert denied[0]["actor"]["user"]["uid"] == "telegram:12345"
    assert denied[0]["severity_id"] == 4
    by = {"type": "human", "id": "telegram:12345", "channel": "web", "assurance": 1}
    assert denied[0]["unmapped"]["actor"] == by


def test_otel_log_records_are_events_with_the_conventions_attributes(told: Path) -> None:
    requests = written(told, "otel")
    records = [request["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0] for request in requests]
    decided = next(record for record in records if record["eventName"] == "askfirst.gate.decided")
    attributes = {one["key"]: next(iter(one["value"].values())) for one in decided["attributes"]}
    assert attributes["gen_ai.conversation.id"] == "session-1"
    assert attributes["gen_ai.tool.name"] == "Bash"
    assert attributes["gen_ai.tool.call.id"] == "toolu_1"
    assert attributes["askfirst.decision.verdict"] == "approved"
    assert attributes["askfirst.assurance"] == "1"
    assert decided["timeUnixNano"] == "1800000003000000000"
    assert all(isinstance(record["severityNumber"], int) for record in records)


@pytest.mark.parametrize("kind", ["gate.bypassed", "config.tamper", "hook.missing", "hook.silent", "log.contradicted"])
def test_what_went_round_the_gate_or_the_log_is_grave_for_whoever_watches_the_exports(
    broker: Broker, kind: str
) -> None:
    broker.append(Entry(type=EntryType(kind)))
    store = broker.root / "askfirst.db"
    [event] = written(store, "ocsf")[-1:]
    [record] = written(store, "otel")[-1]["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert (event["activity_name"], event["severity_id"]) == (kind, 4)
    assert (record["eventName"], record["severityText"], record["severityNumber"]) == (f"askfirst.{kind}", "ERROR", 17)


def agentack_findings(trace: Path) -> tuple[str, list[str]]:
    command = [sys.executable, "-m", "agentack", "check", str(trace), "--json", str(trace.with_suffix(".report"))]
    subprocess.run(command, capture_output=True, check=False, timeout=60)
    report = json.loads(trace.with_suffix(".report").read_text())
    found = report.get("result", report)
    return found["status"], [finding["rule_id"] for finding in found["findings"]]


def trace_of(told: Path, out: Path) -> Path:
    with out.open("w") as file:
        OfflineLog(told).write("agentack", {"agent": "session-1"}, file)
    return out


def test_agentack_finds_nothing_wrong_with_our_trace(told: Path, tmp_path: Path) -> None:
    assert agentack_findings(trace_of(told, tmp_path / "trace.jsonl")) == ("PASS", [])


def test_agentack_sees_in_our_trace_what_ran_without_being_what_was_approved(broker: Broker, tmp_path: Path) -> None:
    async def story() -> None:
        session = Session(broker)
        request = await session.ask("git reset --hard")
        await session.review(request, Verdict.APPROVE)
        await session.run(request, ran="f" * 64)

    asyncio.run(story())
    status, rules = agentack_findings(trace_of(broker.root / "askfirst.db", tmp_path / "trace.jsonl"))
    assert (status, rules) == ("FAIL", ["ACK003"])


@pytest.mark.parametrize(
    ("verdict", "found"), [(None, ("INCOMPLETE", ["ACK009", "ACK009"])), (Verdict.DENY, ("FAIL", ["ACK002"]))]
)
def test_agentack_sees_in_our_trace_what_ran_although_nobody_had_approved_it(
    broker: Broker, tmp_path: Path, verdict: Verdict | None, found: tuple[str, list[str]]
) -> None:
    async def story() -> None:
        session = Session(broker)
        request = await session.ask("git reset --hard")
        if verdict:
            await session.review(request, verdict)
        broker.passes(1)
        event = AfterTool(agent=request.agent, call=ToolCall(tool="Bash", arguments={}), tool_use_id="toolu_1", ok=True)
        broker.append(bypassed_entry(await broker.desk.case(request.id), event))

    asyncio.run(story())
    assert agentack_findings(trace_of(broker.root / "askfirst.db", tmp_path / "trace.jsonl")) == found
    assert ", and ran all the same</b>" in OfflineLog(broker.root / "askfirst.db").page({}, "")


def append_refused_run(broker: Broker, tool: str) -> None:
    """The policy denied a call, and it ran all the same."""
    broker.append(
        Entry(
            type=EntryType.GATE_BYPASSED,
            actor=Actor(type="policy", id="deny.secrets"),
            agent={"name": "claude-code", "session": "session-1"},
            action={"tool": tool, "risk": "high", "input": Private.text("{}")},
            decision={"rule": "deny.secrets", "state": "denied", "outcome": "ok"},
        )
    )


@pytest.mark.parametrize("tool", ["Bash", "Write"])
def test_agentack_sees_in_our_trace_what_ran_although_the_policy_denies_it(
    broker: Broker, tmp_path: Path, tool: str
) -> None:
    """AgentAck's own policy asks for no approval of a tool that it does not know."""
    append_refused_run(broker, tool)
    trace = trace_of(broker.root / "askfirst.db", tmp_path / "trace.jsonl")
    assert agentack_findings(trace) == ("FAIL", ["ACK002"])


def test_the_page_shows_where_it_belongs_what_ran_although_the_policy_denies_it(broker: Broker) -> None:
    """It is no request: nobody was asked, and the numbers are of those that were."""

    async def story() -> None:
        session = Session(broker)
        await session.ask("git reset --hard")
        append_refused_run(broker, "Write<b>")
        await session.ask("git clean -fd")

    asyncio.run(story())
    page = OfflineLog(broker.root / "askfirst.db").page({}, "")
    first, run, last = page.split("<article")[1:]
    assert (">pending</b>" in first, ">pending</b>" in last) == (True, True)
    assert ' class="denied"><header><b class="state">denied by the policy, and ran all the same</b>' in run
    assert "<span>high · deny.secrets</span></header><pre>Write&lt;b&gt;</pre>" in run
    assert "gate.bypassed · deny.secrets · ok" in run
    assert "<dt>asked</dt><dd>2</dd>" in page


def test_each_use_of_an_approval_that_reaches_farther_is_an_action_of_its_own_in_the_trace(
    broker: Broker, tmp_path: Path
) -> None:
    async def story() -> None:
        draft = a_draft(now_ms=broker.clock.now_ms())
        terms = replace(draft.terms, scopes=(ONCE, ScopeOffer(kind="uses", amount=3)))
        request = (await broker.desk.ask(replace(draft, terms=terms))).request
        broker.passes(3)
        await broker.desk.review(a_review(request, Verdict.APPROVE, scope="uses:3"))
        for attempt in ("a", "b", "c", "too many"):
            broker.passes(1)
            await broker.desk.redeem(
                request.id, action_digest=request.action_digest, attempt=attempt, tool_use_id=attempt
            )

    asyncio.run(story())
    trace = trace_of(broker.root / "askfirst.db", tmp_path / "trace.jsonl")
    ran = [event for event in map(json.loads, trace.read_text().splitlines()) if event["type"] == "action_executed"]
    assert len({event["action_id"] for event in ran}) == 3
    assert agentack_findings(trace) == ("PASS", [])


@pytest.mark.parametrize("end", ["lapsed", "revoked"])
def test_what_was_approved_and_never_run_ends_blocked_in_the_trace(broker: Broker, tmp_path: Path, end: str) -> None:
    """ACK009 asks for an end of every action that was proposed."""

    async def story() -> None:
        session = Session(broker)
        request = await session.ask("git reset --hard")
        await session.review(request, Verdict.APPROVE)
        if end == "revoked":
            await broker.desk.revoke(request.id, by="local:ann", channel="cli", reason="too early")
        else:
            broker.passes(3_600)
            await broker.desk.sweep()

    asyncio.run(story())
    trace = trace_of(broker.root / "askfirst.db", tmp_path / "trace.jsonl")
    blocked = [one for one in map(json.loads, trace.read_text().splitlines()) if one["type"] == "action_blocked"]
    assert [one["reason"] for one in blocked] == [end]
    assert agentack_findings(trace) == ("PASS", [])


def test_a_trace_is_not_of_another_session_in_a_host_of_that_name(broker: Broker) -> None:
    async def story() -> None:
        for host, session in (("api", "session-1"), ("session-1", "another")):
            draft = a_draft(key=host, now_ms=broker.clock.now_ms())
            agent = replace(draft.agent, host=host, session=session)
            action = replace(draft.action, host=host, session=session)
            await broker.desk.ask(replace(draft, agent=agent, action=action))

    asyncio.run(story())
    file = io.StringIO()
    OfflineLog(broker.root / "askfirst.db").write("agentack", {"agent": "session-1"}, file)
    assert {json.loads(line)["session_id"] for line in file.getvalue().splitlines()} == {"session-1"}
    with pytest.raises(InputError, match="found 2; name one with --agent"):
        OfflineLog(broker.root / "askfirst.db").write("agentack", {}, io.StringIO())


def test_there_is_no_trace_where_nothing_was_asked(broker: Broker) -> None:
    with pytest.raises(InputError, match="nothing was asked in a session here"):
        OfflineLog(broker.root / "askfirst.db").write("agentack", {}, io.StringIO())


def test_approval_records_are_the_founding_documents(told: Path) -> None:
    records = written(told, "approvals")
    assert [(one["decision"], one["approver"], one["reason"]) for one in records] == [
        ("approved", "local:ann", "approve it is"),
        ("rejected", "telegram:12345", "deny it is"),
        ("approved", "local:ann", "approve it is"),
        ("rejected", "telegram:12345", "deny it is"),
        ("expired", "deadline", ""),
    ]
    assert set(records[0]) == {
        *("action_id", "action_type", "requester", "approver"),
        *("decision", "reason", "timestamp", "context"),
    }
    file = io.StringIO(newline="")
    assert OfflineLog(told).write("approvals-csv", {}, file) == 5
    assert [row["decision"] for row in csv.DictReader(file.getvalue().splitlines())][:2] == ["approved", "rejected"]


def test_both_tables_are_views_of_the_store(told: Path) -> None:
    connection = sqlite3.connect(told)
    views = {
        "remote_agent_audit_log": audit_sql(),
        "approval_record": approval_sql(),
    }
    for view, query in views.items():
        rows = connection.execute(f"select * from {view}").fetchall()
        assert rows
        assert rows == connection.execute(query).fetchall()
    rows = connection.execute("select approver, decision, reason from approval_record").fetchall()
    states = connection.execute("select approval_status, approved_by from remote_agent_audit_log").fetchall()
    connection.close()
    assert rows == [
        ("local:ann", "approved", "approve it is"),
        ("telegram:12345", "rejected", "deny it is"),
        ("deadline", "expired", ""),
        ("local:ann", "approved", "approve it is"),  # after the deadline
        ("local:ann", "approved", "approve it is"),
        ("telegram:12345", "rejected", "deny it is"),  # and so revoked
        ("deadline", "expired", ""),
    ]
    assert states == [
        *(("pending", None), ("approved", "local:ann")),
        *(("pending", None), ("denied", "telegram:12345")),
        *(("pending", None), ("expired", None), ("approved", "local:ann")),
        *(("pending", None), ("approved", "local:ann"), ("denied", "telegram:12345")),
        *(("pending", None), ("expired", None)),
    ]


@pytest.mark.slow
def test_the_views_are_the_same_on_postgres(told: Path, postgres_query: Callable[[str], str]) -> None:
    connection = connect(told)
    rows = connection.execute("select seq, body from audit").fetchall()
    ours = connection.execute(f"select action_id, approver, decision, reason from ({approval_sql()})").fetchall()
    states = connection.execute(f"select approval_status, approved_by from ({audit_sql()})").fetchall()
    connection.close()
    setup = "create table audit (seq bigint primary key, body bytea);" + "".join(
        f"insert into audit values ({seq}, '\\x{body.hex()}');" for seq, body in rows
    )

    def select(columns: str, query: str) -> list[Any]:
        text = postgres_query(f"select json_agg(json_build_array({columns})) from ({query}) as found")
        return [tuple(row) for row in json.loads(text)]

    postgres_query(setup)
    assert select("action_id, approver, decision, reason", approval_sql("postgresql")) == ours
    assert select("approval_status, approved_by", audit_sql("postgresql")) == states


@pytest.fixture
def postgres_query() -> Iterator[Callable[[str], str]]:
    program = shutil.which("postgres") or next(iter(map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres"))), "")
    if not program:
        pytest.fail("there is no PostgreSQL: run `make test`, or once `python3 tools/install.py postgresql`")
    folder = Path(program).parent
    data = Path(tempfile.mkdtemp())  # the tests' own folder is closed to the user that the server needs
    as_user = []
    if os.geteuid() == 0:  # as which PostgreSQL refuses to run
        shutil.chown(data, "nobody")
        as_user = ["setpriv", "--reuid=nobody", "--clear-groups"]
    done = subprocess.run(
        [*as_user, str(folder / "initdb"), "-D", str(data), "-U", "askfirst", "-A", "trust", "-E", "UTF8"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    def query(sql: str) -> str:
        single = [*as_user, program, "--single", "-D", str(data), "-j", "postgres"]
        done = subprocess.run(single, input=sql + "\n\n", capture_output=True, text=True, check=True)
        found = [line for line in done.stdout.splitlines() if "json_agg = " in line]
        return found[0].split('json_agg = "', 1)[1].rsplit('"\t(typeid', 1)[0] if found else ""

    yield query
    shutil.rmtree(data)


def test_a_log_that_was_told_verifies(told: Path) -> None:
    assert verify_store(told).ok


def test_the_page_needs_nothing_and_believes_nobody(told: Path) -> None:
    page = OfflineLog(told).page({}, "Askfirst session <x>")
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "rm -rf build &lt;b&gt;" in page
    assert "Askfirst session &lt;x&gt;" in page
    assert page.count("<svg") == 4
    assert page.count("<article") == 5
    assert "2 approved, 0 denied" in page
    head = OfflineLog(told).head()[1]
    assert f"--seen {head}" in page


def test_an_empty_log_has_a_page_too(broker: Broker) -> None:
    page = OfflineLog(broker.root / "askfirst.db").page({}, "Empty")
    assert "Nobody was asked anything" in page
    assert "Requests per day: nothing to show yet" in page

"""What is left of a request in the store once it was erased; the keeper's side is in tests/audit/test_keeper.py."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from askfirst.evidence.values import Evidence, Files
from askfirst.opinion import Opinion
from askfirst.request import Claim, Verdict
from askfirst.rescue import Promise, Rescue, Undoing
from askfirst.store.erasure import scrub_request
from askfirst.testing.bench import FakeClock, a_draft, a_review, bench
from askfirst.testing.net import MemoryNet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from askfirst.effects import Effect
    from askfirst.intake import Draft
    from askfirst.request import Action, Request
    from askfirst.rescue import Order

PERSONAL = "jane.doe@example.com"


class TalkativeNet(MemoryNet):
    """Says which files it keeps and puts back, as the real one does."""

    async def catch(self, request: Request, action: Action, effects: Sequence[Effect]) -> Rescue:
        return replace(await super().catch(request, action, effects), words=f"keeps {PERSONAL}")

    async def restore(self, order: Order) -> Undoing:
        return replace(await super().restore(order), words=f"put back {PERSONAL}")


def a_personal_draft() -> Draft:
    """A request in which every text of the agent and of the gate names somebody."""
    draft = a_draft(command=f"rm -rf customers/{PERSONAL}")
    [effect] = draft.classification.effects
    found = replace(
        effect, target=PERSONAL, loss=f"deletes {PERSONAL}", facts=(PERSONAL,), cwd=f"/srv/{PERSONAL}", via=(PERSONAL,)
    )
    folder = Files(where=f"/srv/{PERSONAL}", act="deleted", count=1, size_bytes=1)
    return replace(
        draft,
        classification=replace(draft.classification, effects=(found,), expanded=PERSONAL),
        terms=replace(draft.terms, reason=f"deletes {PERSONAL}: high risk is asked about"),
        claim=Claim(reason=PERSONAL, signals=(PERSONAL,)),
        evidence=Evidence(exhibits=(folder,)),
        promise=Promise(holds=True, words=f"keeps {PERSONAL}"),
        notes=(f"{PERSONAL} was denied before",),
    )


def test_what_was_found_out_and_promised_is_emptied_with_the_input(tmp_path: Path) -> None:
    net = TalkativeNet(FakeClock())
    with bench(tmp_path / "askfirst.db", net=net) as made:

        async def story() -> str:
            request = (await made.desk.ask(a_personal_draft())).request
            opinion = Opinion(version=1, model="m", summary=PERSONAL)
            await made.desk.opine(request.id, opinion)
            await made.desk.review(a_review(request, Verdict.APPROVE))
            digest = request.action_digest
            step = await made.desk.redeem(request.id, action_digest=digest, attempt="a", tool_use_id="t")
            assert step.done
            assert (await made.undos.undo(request.id, turn=0, by="local:ann", channel="web")).done
            await made.writer.write(lambda connection: scrub_request(connection, request.id))
            case = await made.desk.case(request.id)
            assert case.grant is not None
            assert case.grant.uses[0].rescue.snapshot == "snapshot-1"  # by which it can still be put back
            [effect] = case.request.effects
            assert (effect.rule, effect.loss) == ("git.reset-hard", "")
            assert case.request.action_digest == digest
            return request.id

        asyncio.run(story())
        with made.reader.connect() as connection:
            for table in ("request", "request_version", "grant_"):
                bodies = list(connection.scalars(sa.text(f"select body from {table}")))  # names of our own
                assert not [body for body in bodies if PERSONAL in body]

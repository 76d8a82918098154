"""A configuration that changes while an agent runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from askfirst.card import card_of
from askfirst.engine import Case
from askfirst.host import ConfigChanged, Deny, NoOpinion
from askfirst.testing.host_calls import AGENT

if TYPE_CHECKING:
    from tests.host_events.conftest import Scene


def test_a_changed_configuration_without_the_gate_is_kept_out_written_down_and_told(scene: Scene) -> None:
    changed = ConfigChanged(agent=AGENT, path="/s.json")

    async def story() -> list[Any]:
        found = [await scene.answer(changed)]
        scene.inspector.ours = ""
        found.append(await scene.answer(changed))
        scene.inspector.ours, scene.inspector.switched_off = "f" * 64, True
        found.append(await scene.answer(changed))
        found.append(await scene.answer(replace(changed, path="/other.json")))
        return found

    intact, gone, off, other = scene.run(story)
    assert intact == NoOpinion()
    assert "not as they were installed" in gone.reason
    assert "disableAllHooks" in off.reason
    assert isinstance(other, Deny)
    assert scene.types.count("config.tamper") == 3
    alerts = scene.run(scene.desk.pending)
    assert [each.kind.value for each in alerts] == ["question"] * 3
    assert {card_of(Case(request=each)).headline for each in alerts} == {"HIGH · tells you something"}

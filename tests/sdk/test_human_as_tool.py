"""A person in a function's place."""

from __future__ import annotations

import asyncio
import enum
import json
from typing import Any, Literal

import pydantic
import pytest

import askfirst
from askfirst import Denied, TimedOut, human_as_tool
from askfirst.testing.memory import MemoryBroker, answer, deny


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Address(pydantic.BaseModel):
    street: str


class Visit(pydantic.BaseModel):
    at: Address
    minutes: int


def test_the_arguments_are_the_question_and_the_body_never_runs() -> None:
    @human_as_tool
    def guide(question: str, region: str = "EU", *, hint: str | None = None) -> str:
        raise AssertionError("the body ran")

    with MemoryBroker(answer("left")) as broker:
        assert guide("Where to?", region="US") == "left"
    assert broker.requests[0]["question"] == "Where to?\nregion: US"


@pytest.mark.parametrize(
    ("wanted", "given", "value"),
    [
        (str, "left", "left"),
        (bool, "yes", True),
        (bool, "no", False),
        (Literal["red", "blue"], "blue", "blue"),
        (Literal[1, 2], "2", 2),
        (Size, "LARGE", Size.LARGE),
        (int, "3", 3),
        (float, "3", 3.0),
        (Visit, '{"at": {"street": "x"}, "minutes": 5}', Visit(at=Address(street="x"), minutes=5)),
    ],
)
def test_the_return_type_says_what_may_be_answered(wanted: Any, given: str, value: object) -> None:
    def ask(question: str) -> Any: ...

    ask.__annotations__["return"] = wanted
    with MemoryBroker(answer(given)) as broker:
        assert human_as_tool(ask)("What?") == value
    request = broker.requests[0]
    if wanted in {bool, Size} or getattr(wanted, "__args__", None):
        assert given in request["options"]
    if wanted is Visit:
        schema = json.loads(request["answer_schema"])
        assert schema["properties"]["at"]["properties"]["street"]["type"] == "string"
        assert "$" not in request["answer_schema"]


def test_a_type_that_a_person_cannot_be_asked_for_is_refused_at_once() -> None:
    def ask(question: str) -> set[str]: ...  # type: ignore[empty-body]  # never runs

    with pytest.raises(TypeError, match="a person can be asked for str, bool"):
        human_as_tool(ask)


def test_options_and_a_schema_of_ones_own() -> None:
    @human_as_tool(options=["a", "b"])
    def choose(question: str) -> str: ...  # type: ignore[empty-body]  # never runs

    @human_as_tool(schema={"type": "array"})
    def listed(question: str) -> list[int]: ...  # type: ignore[empty-body]  # never runs

    with MemoryBroker(answer("b"), answer("[1, 2]")) as broker:
        assert (choose("Which?"), listed("Which ones?")) == ("b", [1, 2])
    assert broker.requests[0]["options"] == ["a", "b"]


def test_methods_and_asynchronous_functions() -> None:
    class Desk:
        @human_as_tool
        async def ask(self, question: str) -> str: ...  # type: ignore[empty-body]  # never runs

    with MemoryBroker(answer("here")) as broker:
        assert asyncio.run(Desk().ask("Where?")) == "here"
    assert broker.requests[0]["question"] == "Where?"


def test_no_answer_is_an_exception_of_its_own_class() -> None:
    @human_as_tool
    def ask(question: str) -> str: ...  # type: ignore[empty-body]  # never runs

    with MemoryBroker(deny("ask somebody else"), None):
        with pytest.raises(Denied, match="ask somebody else"):
            ask("Why?")
        with pytest.raises(TimedOut):
            ask("Why?")


def test_a_question_without_a_function() -> None:
    with MemoryBroker(answer("42"), None):
        told = askfirst.ask_human("How many?", options=["41", "42"])
        nothing = askfirst.ask_human("How many?")
    assert isinstance(told, askfirst.Answer)
    assert told.text == "42"
    assert not nothing

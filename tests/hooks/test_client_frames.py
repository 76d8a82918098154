"""The laws of what the robust client takes for an answer, in process."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.host import HookAnswer
from askfirst.testing.hook_broker import response
from hooks import client
from hooks.client import BrokenError, NoAnswerError, frame_parts, parts

answers = st.builds(HookAnswer, stdout=st.binary(), stderr=st.binary()) | st.builds(
    HookAnswer, exit_code=st.just(2), stderr=st.binary(min_size=1)
)


@given(answers)
def test_every_answer_comes_out_as_it_went_in(answer: HookAnswer) -> None:
    assert frame_parts(answer.frame()) == (answer.exit_code, answer.stdout, answer.stderr)
    assert parts(response(answer.frame())) == (answer.exit_code, answer.stdout, answer.stderr)


@given(answers, st.data())
def test_no_beginning_of_an_answer_is_one(answer: HookAnswer, data: st.DataObject) -> None:
    whole = response(answer.frame())
    with pytest.raises(BrokenError):
        parts(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(answers, st.binary(min_size=1))
def test_nothing_may_follow_an_answer(answer: HookAnswer, more: bytes) -> None:
    with pytest.raises(NoAnswerError):
        parts(response(answer.frame()) + more)


@given(st.binary())
def test_other_bytes_are_no_answer(data: bytes) -> None:
    with pytest.raises((BrokenError, NoAnswerError)):
        parts(data)
    with pytest.raises(NoAnswerError):
        frame_parts(data)


@given(st.integers(0, 300), st.integers(-1, 10), st.integers(-1, 10), st.binary(max_size=10))
def test_only_the_three_exit_codes_and_true_lengths_are_taken(code: int, out: int, err: int, texts: bytes) -> None:
    frame = f"askfirst-hook/1 {code} {out} {err}\n".encode() + texts
    is_good = code in {0, 2, 3} and min(out, err) >= 0 and len(texts) == out + err and not (code and (out or not err))
    if is_good:
        assert frame_parts(frame) == (code, texts[:out], texts[out:])
        return
    with pytest.raises(NoAnswerError):
        frame_parts(frame)


def test_both_clients_have_the_same_bounds() -> None:
    source = (Path(client.__file__).parent / "askfirst-hook.pl").read_text(encoding="utf-8")
    (max_bytes,) = re.findall(r"\$max_bytes = ([\d *]+);", source)
    assert math.prod(map(int, max_bytes.split("*"))) == client.MAX_BYTES
    assert re.findall(r"\$reserve_s = (\d+);", source) == [str(client.RESERVE_S)]
    assert re.findall(r"substr \$_\[0\], 0, (\d+);", source) == [str(client.MAX_VALUE_BYTES)]

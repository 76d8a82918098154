"""What the channel answers by itself: commands, and buttons that decide nothing."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import askfirst
from askfirst.card import card_of
from askfirst.code import parts_of
from askfirst.request import RequestState
from channels.telegram.address import place_of, sent_as
from channels.telegram.api import NotThereError
from channels.telegram.digest import ROWS_MAX, digest_message
from channels.telegram.keyboards import chooser_keyboard
from channels.telegram.outbound import mute_key
from channels.telegram.parse import PRESS
from channels.telegram.payload import ALERT_MAX_UNITS, Payload
from channels.telegram.prompts import CHOOSER, PLACEHOLDERS, Prompt, prompt_text
from channels.telegram.rich import Rich, head, joined, moment, styled
from channels.telegram.vetting import NOT_OURS
from channels.telegram.why import why_message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from askfirst.backing import Backing
    from askfirst.card import Card
    from askfirst.inbound import Instruction, Origin
    from channels.telegram.api import Api
    from channels.telegram.outbound import Outbound
    from channels.telegram.vetting import Vetting

COMMANDS = (
    ("pending", "what waits for a person"),
    ("status", "how things stand"),
    ("log", "what was decided last"),
    ("mute", "no sounds for a while, e.g. /mute 1h"),
    ("help", "what you can do here"),
)
_HELP = """Coding agents ask here before they do what cannot be taken back. Press a button under a card, or write:
/approve CODE — exactly so; the code stands on the card
/deny CODE reason
/answer CODE text
/ask CODE question to the agent
/hand CODE person — let somebody else decide
/show CODE — show a request again
/pending · /status · /log · /mute 1h · /here
Nothing else that you write approves anything."""
_USAGE = {
    "approve": "Nothing was approved. Write /approve and the code, and nothing more: /approve 7XQ2KD-395ac29f",
    "deny": "Nothing was decided. Write /deny CODE reason, or answer the card with /deny reason.",
    "answer": "Nothing was answered. Write /answer CODE text, or answer the card with /answer text.",
    "ask": "Nothing was asked. Write /ask CODE question, or answer the card with /ask question.",
    "hand": "Nothing was handed over. Write /hand CODE person, e.g. /hand 7XQ2KD-395ac29f local:bob",
}
_PROMPTS = {
    "say_why_not": Prompt.REASON,
    "ask_back": Prompt.QUESTION,
    "type_code": Prompt.CODE,
    "type_answer": Prompt.ANSWER,
}
_SPAN = re.compile(r"([1-9][0-9]{0,3})\s*([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MUTE_MAX_S = 7 * 86_400
_LOG_ROWS = 10
_OVER = tuple(each for each in RequestState if each is not RequestState.PENDING)


class Instructions:
    """Carries them out."""

    def __init__(self, api: Api, outbound: Outbound, vetting: Vetting, backing: Backing) -> None:
        self._api = api
        self._outbound = outbound
        self._vetting = vetting
        self._backing = backing
        self._by_name: dict[str, Callable[[Instruction], Awaitable[None]]] = {
            "pending": self._pending,
            "status": self._status,
            "log": self._log,
            "mute": self._mute,
            "here": self._here,
            "comment": self._comment,
            "usage": self._usage,
            "show": self._show,
            "why": self._why,
        }

    async def carry_out(self, instruction: Instruction) -> None:
        """Answer it."""
        if instruction.origin.message.startswith(PRESS):
            await self._pressed(instruction)
            return
        work = self._by_name.get(instruction.name)
        if work is not None:
            await work(instruction)
        elif instruction.name in {"help", "start"} or place_of(instruction.origin.recipient).chat > 0:
            await self.reply(instruction.origin, Rich(_HELP))

    async def reply(self, origin: Origin, rich: Rich, payload: Payload | None = None) -> None:
        """Answer where it was said; a press is answered under the message that was pressed."""
        place = place_of(origin.recipient)
        said = origin.message
        to = sent_as(origin.replies_to).message if said.startswith(PRESS) else int(said or 0)
        await self._api.send(place.chat, place.topic, payload or Payload(rich=rich, silent=True), to)

    async def answer(self, origin: Origin, text: str, *, alert: bool) -> None:
        """Answer a press on the button itself; where that comes too late, in the chat if it matters."""
        try:
            await self._api.answer(origin.message.removeprefix(PRESS), head(text, ALERT_MAX_UNITS), alert=alert)
        except NotThereError:
            if alert:
                await self.reply(origin, Rich(text))

    # -- presses ------------------------------------------------------------------------------------------------------

    async def _pressed(self, instruction: Instruction) -> None:
        origin, reference = instruction.origin, instruction.reference
        pressed = None if reference is None else await self._vetting.instructed(reference, origin.recipient)
        if pressed is None:
            await self.answer(origin, NOT_OURS, alert=True)
            return
        card = card_of(pressed.case, machine=self._backing.machine, seen=self._backing.log())
        if card.version != pressed.control.version:
            text = f"this is version {pressed.control.version}, now it is {card.version}; look at the newest message"
            await self.answer(origin, text, alert=True)
            return
        await self._do(instruction, card)
        await self.answer(origin, "", alert=False)

    async def _do(self, instruction: Instruction, card: Card) -> None:
        origin, name = instruction.origin, instruction.name
        if name in {"more", "less"}:
            with contextlib.suppress(NotThereError):
                await self._outbound.edit(card, sent_as(origin.replies_to), more=name == "more")
        elif name == "why":
            await self.reply(origin, Rich(), why_message(card))
        elif name == "show":
            await self._outbound.show_again(card.request_id, origin.recipient, "")
        elif (prompt := _PROMPTS.get(name)) is not None:
            asks = Payload(rich=Rich(prompt_text(prompt, card.code)), asks=PLACEHOLDERS[prompt])
            await self.reply(origin, Rich(), asks)

    # -- commands -----------------------------------------------------------------------------------------------------

    async def _pending(self, instruction: Instruction) -> None:
        pending = await self._backing.requests.pending()
        cards = [each for request in pending[:ROWS_MAX] if (each := await self._outbound.card(request.id)) is not None]
        title = f"{len(pending)} waiting:" if cards else "Nothing waits for a person."
        keys = self._outbound.keys(place_of(instruction.origin.recipient).chat)
        payload = digest_message(cards, keys, title=title, more=len(pending) - len(cards))
        await self.reply(instruction.origin, Rich(), payload)

    async def _status(self, instruction: Instruction) -> None:
        chat = place_of(instruction.origin.recipient).chat
        waiting = len(await self._backing.requests.pending())
        until = int(await self._backing.memory.recall(mute_key(chat)) or 0)
        now_ms = self._backing.clock.now_ms()
        parts = [
            Rich(f"Askfirst {askfirst.__version__} on {self._backing.machine}"),
            Rich(f"{waiting} waiting for a person"),
            Rich(f"log {self._backing.log()}"),
            Rich("No sounds here until ") + moment(_clock(until), until, "t") if until > now_ms else Rich(),
        ]
        await self.reply(instruction.origin, joined(parts, "\n"))

    async def _log(self, instruction: Instruction) -> None:
        found = await self._backing.requests.requests(states=_OVER, limit=_LOG_ROWS)
        rows = []
        for request in found:
            card = await self._outbound.card(request.id)
            if card is not None:
                said = head(card.command.partition("\n")[0], 80)
                rows.append(styled("code", card.code) + f" {head(card.ended, 120)}\n  " + styled("code", said))
        heading = Rich("Decided last:" if rows else "Nothing was decided yet.")
        await self.reply(instruction.origin, joined([heading, *rows, Rich(f"log {self._backing.log()}")], "\n"))

    async def _mute(self, instruction: Instruction) -> None:
        """No sounds, whoever asks for it; what is critical is heard all the same."""
        chat = place_of(instruction.origin.recipient).chat
        said = instruction.argument.strip().lower()
        span = _SPAN.fullmatch(said)
        if said not in {"off", "0"} and span is None:
            await self.reply(instruction.origin, Rich("Write for how long: /mute 30m, /mute 1h, /mute off"))
            return
        seconds = min(_MUTE_MAX_S, int(span[1]) * _SECONDS[span[2]]) if span else 0
        until = self._backing.clock.now_ms() + seconds * 1000
        await self._backing.memory.remember(mute_key(chat), str(until) if seconds else "")
        rich = Rich("Sounds are on again.")
        if seconds:
            rich = Rich("No sounds here until ") + moment(_clock(until), until, "t") + ", but for what is critical."
        await self.reply(instruction.origin, rich)

    async def _here(self, instruction: Instruction) -> None:
        rich = Rich("This place is the recipient ") + styled("code", instruction.origin.recipient)
        await self.reply(instruction.origin, rich + ", and you are " + styled("code", instruction.origin.identity))

    async def _comment(self, instruction: Instruction) -> None:
        """Words in answer to a card: ask what they are for, under a message that answers them."""
        card = await self._coded(instruction)
        if card is None:
            return
        place = place_of(instruction.origin.recipient)
        keyboard = chooser_keyboard(card, self._outbound.keys(place.chat), CHOOSER)
        await self.reply(instruction.origin, Rich(), Payload(rich=Rich(CHOOSER), keyboard=keyboard, silent=True))

    async def _usage(self, instruction: Instruction) -> None:
        await self.reply(instruction.origin, Rich(_USAGE.get(instruction.argument, _HELP)))

    async def _show(self, instruction: Instruction) -> None:
        card = await self._coded(instruction)
        if card is None:
            return
        if card.state is RequestState.PENDING:
            await self._outbound.show_again(card.request_id, instruction.origin.recipient, "")
        else:
            sent = await self._outbound.show(card, place_of(instruction.origin.recipient))
            await self._backing.messages.adopt(card.request_id, instruction.origin.recipient, str(sent))

    async def _why(self, instruction: Instruction) -> None:
        card = await self._coded(instruction)
        if card is not None:
            await self.reply(instruction.origin, Rich(), why_message(card))

    async def _coded(self, instruction: Instruction) -> Card | None:
        """The card of the code that was said; None once the person was told that there is none."""
        code = instruction.reference.code if instruction.reference else instruction.argument
        parts = parts_of(code)
        found = [] if parts is None else await self._backing.requests.coded(*parts)
        if len(found) == 1:
            return card_of(found[0], machine=self._backing.machine, seen=self._backing.log())
        await self.reply(instruction.origin, Rich("No request has this code; /pending lists what waits."))
        return None


def _clock(at_ms: int) -> str:
    """Words for a client that cannot show times in the reader's own zone."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%H:%M} UTC"

"""A Bot API server on loopback, with the semantics and limits of the real one, for tests of bots.

    with FakeTelegram() as fake:
        ann = fake.user("Ann")
        bot = telegram.Bot(fake.token, base_url=fake.base_url)
        …                                  # the bot sends a card to ann.id
        fake.press(ann, fake.messages(ann.id)[-1], "Approve")

What it keeps of the real server (https://core.telegram.org/bots/api; semantics read in tdlib/telegram-bot-api):

- updates wait in a queue: presses for 150 s, the rest for a day; ``offset`` drops what is below it; ``allowed_updates``
  sticks; one poll at a time, a newer one ends the older with 409; none while a webhook is set;
- the errors of bad requests by their words, lengths in UTF-16 units, 64 bytes of callback data, one answer a query;
- 20 messages a minute and group, 30 a second over all: 429 with ``retry_after``;
- forum topics, files, ForceReply, inline keyboards, webhooks with secret token and retries.

It is stricter than the real one where that finds bugs: unknown parameters and entities that do not fit are refused.
Foreign clients certify it (python-telegram-bot, aiogram, pyTelegramBotAPI). ``python -m askfirst.testing.telegram``
serves one; tests of other processes control it by ``POST /control/press|say|raw|advance|fail``, ``GET /control/state``.
"""

from askfirst.testing.telegram.server import FakeTelegram
from askfirst.testing.telegram.world import ANONYMOUS_ADMIN, Chat, Message, User, World

__all__ = ["ANONYMOUS_ADMIN", "Chat", "FakeTelegram", "Message", "User", "World"]

"""E-mail beside the suite: threads, whom it answers, tags, submission, the table of the configuration."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from askfirst.backing import Backing
from askfirst.card import card_of
from askfirst.engine import Case
from askfirst.errors import ChannelError, ConfigError
from askfirst.inbound import Decision, Outcome
from askfirst.request import Verdict
from askfirst.testing.bench import FakeClock, OneCase, a_draft, a_request
from askfirst.testing.dovecot import certify
from askfirst.testing.mail import ADDRESS, FakeMail, text_of
from channels.email.channel import EmailChannel
from channels.email.compose import Envelope, composed
from channels.email.outgoing import Outgoing
from channels.email.render import letter_of, standing
from channels.email.seal import Sealer
from channels.email.settings import Server, settings_of
from channels.email.vetting import NOT_OURS

ANN, BOB = "ann@example.com", "bob@example.com"


class NoMessages:
    async def open(self) -> list[Any]:
        return []

    async def refresh(self) -> None:
        pass

    async def adopt(self, request_id: str, recipient: str, external_id: str) -> None:
        pass


CASE = Case(request=a_request(a_draft()))
CARD = card_of(CASE)


@pytest.fixture
def fake() -> Iterator[FakeMail]:
    with FakeMail() as made:
        yield made


@pytest.fixture
def channel(fake: FakeMail, tmp_path: Path) -> EmailChannel:
    return a_channel(fake, tmp_path)


def a_channel(fake: FakeMail, folder: Path, key: bytes = b"k" * 32) -> EmailChannel:
    settings = settings_of(fake.table(folder), folder)
    backing = Backing(
        scheme="email",
        table={},
        folder=folder,
        machine="laptop",
        key=key,
        clock=FakeClock(),
        requests=OneCase(CASE),
        messages=NoMessages(),
    )
    return EmailChannel(backing, settings, Outgoing(settings), fake.inbox)


def run(story: Callable[[], Any]) -> Any:
    return asyncio.run(asyncio.wait_for(story(), 20))


def decided(channel: EmailChannel, raw: bytes) -> Decision:
    [inbound] = channel.parse(raw)
    found = run(lambda: channel.vet(inbound))
    assert isinstance(found, Decision)
    return found


def test_people_are_written_to_again_only_when_there_is_something_new(channel: EmailChannel, fake: FakeMail) -> None:
    async def story() -> None:
        message = await channel.send(CARD, f"email:{ANN}", "key")
        await channel.update(replace(CARD, approvals="1 of 2 approvals"), f"email:{ANN}", message)
        assert len(fake.sent()) == 1
        ended = replace(CARD, ended="denied by local:ann")
        await channel.update(ended, f"email:{ANN}", message)
        await channel.update(ended, f"email:{ANN}", message)
        first, second = fake.sent()
        assert second["In-Reply-To"] == second["References"] == first["Message-ID"]
        assert second["Subject"] == f"Re: {first['Subject']}"

    run(story)


def test_the_same_message_has_the_same_id_and_another_one_another(channel: EmailChannel) -> None:
    async def story() -> list[str]:
        recipients = [(f"email:{ANN}", "key"), (f"email:{ANN}", "key"), (f"email:{BOB}", "key"), (f"email:{ANN}", "k2")]
        return [await channel.send(CARD, *each) for each in recipients]

    first, again, bobs, later = run(story)
    assert first == again
    assert len({first, bobs, later}) == 3


@pytest.mark.parametrize("recipient", ["email:", "email:ann", "email:a@b, c@d", "email:a@b\r\nBcc: x@y", "email:é@x.y"])
def test_what_is_no_address_is_told_at_once(channel: EmailChannel, recipient: str) -> None:
    with pytest.raises(ChannelError, match="no address") as error:
        run(lambda: channel.send(CARD, recipient, "key"))
    assert error.value.is_permanent


@pytest.mark.parametrize(
    ("by", "key", "doubt"),
    [(ANN, b"k" * 32, ""), (ANN.upper(), b"k" * 32, ""), (BOB, b"k" * 32, NOT_OURS), (ANN, b"x" * 32, NOT_OURS)],
)
def test_a_reply_counts_only_from_whom_our_mail_went_to(
    fake: FakeMail, tmp_path: Path, by: str, key: bytes, doubt: str
) -> None:
    channel = a_channel(fake, tmp_path)
    message = run(lambda: channel.send(CARD, f"email:{ANN}", "key"))
    found = decided(a_channel(fake, tmp_path, key), fake.reply(message, by, f"approve {CARD.code}"))
    assert (found.doubt, found.verdict, found.assurance) == (doubt, Verdict.APPROVE, 1)


def test_a_tag_is_for_one_address_one_request_and_one_version() -> None:
    sealer = Sealer(b"k" * 32)
    tag = sealer.tag(ANN, "r1", CARD)
    assert sealer.is_ours(tag, ANN, "r1", CARD)
    others = [(BOB, "r1", CARD), (ANN, "r2", CARD), (ANN, "r1", replace(CARD, version=2))]
    assert not any(sealer.is_ours(tag, *each) for each in others)
    assert not sealer.is_ours(tag, ANN, "r1", replace(CARD, action_digest="0" * 64))
    assert len(f"askfirst+{tag}") <= 64


@pytest.mark.parametrize(("genuine", "answers"), [(True, 1), (False, 0)])
def test_a_stranger_is_answered_only_where_it_is_proven_who_that_is(
    channel: EmailChannel, fake: FakeMail, *, genuine: bool, answers: int
) -> None:
    async def story() -> None:
        message = await channel.send(CARD, f"email:{ANN}", "key")
        [inbound] = channel.parse(fake.reply(message, BOB, f"approve {CARD.code}", genuine=genuine))
        await channel.acknowledge(inbound, Outcome(counted=False, text="I do not know you", is_stranger=True))

    run(story)
    assert len(fake.sent(BOB)) == answers


def test_one_who_answers_to_every_answer_is_answered_no_more(channel: EmailChannel, fake: FakeMail) -> None:
    async def story() -> None:
        message = await channel.send(CARD, f"email:{ANN}", "key")
        [inbound] = channel.parse(fake.reply(message, ANN, "thank you for your mail"))
        for _ in range(10):
            await channel.instruct(inbound, "local:ann")  # type: ignore[arg-type]
        with pytest.raises(ChannelError, match="often enough"):
            await channel.instruct(inbound, "local:ann")  # type: ignore[arg-type]

    run(story)
    answers = fake.sent(ANN)[1:]
    assert len(answers) == 10
    assert {str(each["Auto-Submitted"]) for each in answers} == {"auto-generated"}


def test_hearing_goes_on_after_the_mailbox_was_away(
    channel: EmailChannel, fake: FakeMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.email.channel._PAUSE_FIRST_S", 0.01)

    class Shelf:
        def __init__(self) -> None:
            self.kept: list[tuple[str, bytes]] = []
            self.at = ""
            self.came = asyncio.Event()

        async def take(self, _scheme: str, deliveries: Any, *, cursor: str | None = None) -> None:
            self.kept += deliveries
            self.at = cursor or ""
            if self.kept:
                self.came.set()

        async def cursor(self, _scheme: str) -> str:
            return self.at

    async def story() -> Shelf:
        shelf = Shelf()
        fake.inbox.is_away = True
        hearing = asyncio.create_task(channel.run(shelf))
        await asyncio.wait_for(fake.inbox.has_refused.wait(), 5)
        fake.inbox.put("1", b"From: a@b\r\n\r\n")
        fake.inbox.is_away = False
        await asyncio.wait_for(shelf.came.wait(), 5)
        hearing.cancel()
        return shelf

    shelf = run(story)
    assert (shelf.kept, shelf.at) == ([("1", b"From: a@b\r\n\r\n")], "1")


# -- the mail itself --------------------------------------------------------------------------------------------------


def test_lines_of_any_length_and_characters_of_any_kind_arrive_as_they_are() -> None:
    text = f"{'x' * 5000}\n.\n.dot\nFrom here\nGrüße \U0001f525 \ud800 =20\n"
    card = replace(CARD, command=text, headline="HIGH · a\r\nBcc: mallory@example.org\n" + "é" * 300)
    sent = composed(letter_of(card), Envelope(sender=ADDRESS, to=ANN, message_id="1@example.com", at_ms=0))
    raw = sent.as_bytes()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    read = _read(raw)
    assert read["Bcc"] is None
    for line in text.replace("\ud800", "\\ud800").splitlines():
        assert line in text_of(read)


def _read(raw: bytes) -> EmailMessage:
    from email import message_from_bytes  # noqa: PLC0415
    from email.policy import default  # noqa: PLC0415

    read = message_from_bytes(raw, _class=EmailMessage, policy=default)
    assert isinstance(read, EmailMessage)
    return read


def test_a_card_reads_from_the_top_as_on_a_phone() -> None:
    first, command, where, *_ = letter_of(CARD).text.split("\n\n")
    assert first == CARD.headline
    assert command.strip() == CARD.command
    assert CARD.where in where
    assert standing(CARD) == standing(replace(CARD, history=("something",)))


def test_a_question_offers_its_answers_as_they_are_to_be_given() -> None:
    asked = replace(CARD, kind="question", options=("main", "release/2"))
    text = letter_of(asked).text
    for words in ("main", "release/2"):
        assert f"\n    answer {CARD.code} {words}\n" in text
    assert "approve" not in text


# -- submission -------------------------------------------------------------------------------------------------------


class Refusing:
    """Takes mails, or answers one command in a given way."""

    def __init__(self, command: str = "", answer: str = "") -> None:
        self.taken = 0
        if command:
            setattr(self, f"handle_{command}", self._answered(answer))

    def _answered(self, answer: str) -> Callable[..., Any]:
        async def handle(*_: Any) -> str:
            return answer

        return handle


def submitted(controller: Controller, tls: Any, folder: Path) -> None:
    table = {"address": ADDRESS, "smtp_url": "smtp://127.0.0.1", "imap_url": "imap://127.0.0.1", "password_file": "p"}
    (folder / "p").write_text("secret", encoding="ascii")
    (folder / "p").chmod(0o600)
    settings = replace(
        settings_of(table, folder), smtp=Server(host="127.0.0.1", port=controller.port, tls=tls), tls=_trust(folder)
    )
    mail = composed(letter_of(CARD), Envelope(sender=ADDRESS, to=ANN, message_id="1@example.com", at_ms=0))
    run(lambda: until_hung_up(Outgoing(settings).check()))
    run(lambda: until_hung_up(Outgoing(settings).send(mail, ANN)))


async def until_hung_up(sending: Awaitable[None]) -> None:
    """Let the connection end before the event loop does: TLS takes leave after the call has returned."""
    before = _open_files()
    try:
        await sending
    finally:
        while _open_files() > before:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.01)


def _open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def _trust(folder: Path) -> ssl.SSLContext:
    cert = folder / "cert.pem"
    return ssl.create_default_context(cafile=str(cert) if cert.exists() else None)


def _served(handler: Any, **options: Any) -> Controller:
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return Controller(handler, hostname="127.0.0.1", port=port, **options)


@pytest.mark.parametrize(
    ("command", "answer", "is_permanent", "is_slow"),
    [
        ("RCPT", "550 5.1.1 no such user", True, False),
        ("RCPT", "450 4.2.1 mailbox busy", False, True),
        ("MAIL", "451 4.3.0 later", False, True),
        ("DATA", "554 5.7.1 looks like spam", True, False),
        ("DATA", "452 4.3.1 disk full", False, True),
    ],
)
def test_what_the_server_says_is_final_or_for_later(
    tmp_path: Path, command: str, answer: str, *, is_permanent: bool, is_slow: bool
) -> None:
    controller = _served(Refusing(command, answer))
    controller.start()
    try:
        with pytest.raises(ChannelError, match=answer[:3]) as error:
            submitted(controller, "none", tmp_path)
    finally:
        controller.stop()
    assert (error.value.is_permanent, error.value.retry_after_s > 0) == (is_permanent, is_slow)


def _certified(folder: Path) -> ssl.SSLContext:
    certify(folder)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return served


@pytest.mark.parametrize(("password", "fails"), [("secret", ""), ("another", "535")])
def test_a_login_is_shown_behind_tls(tmp_path: Path, password: str, fails: str) -> None:
    seen: list[Any] = []

    def login(_server: Any, session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        seen.append(session.ssl is not None)
        is_right = data.password == password.encode()
        return AuthResult(success=is_right, handled=is_right)

    options = {"tls_context": _certified(tmp_path), "require_starttls": True, "auth_required": True}
    controller = _served(Refusing("DATA", "250 taken"), **options, authenticator=login)
    controller.start()
    try:
        if fails:
            with pytest.raises(ChannelError, match=fails):
                submitted(controller, "starttls", tmp_path)
        else:
            submitted(controller, "starttls", tmp_path)
    finally:
        controller.stop()
    assert seen
    assert all(seen)


def test_a_server_whom_we_do_not_trust_sees_no_login(tmp_path: Path) -> None:
    controller = _served(Refusing(), ssl_context=_certified(tmp_path))
    (tmp_path / "cert.pem").unlink()  # the system's authorities do not know it
    controller.start()
    try:
        with pytest.raises(ChannelError, match="certificate verify failed"):
            submitted(controller, "implicit", tmp_path)
    finally:
        controller.stop()


# -- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"address": "ann"}, "address"),
        ({"address": "a+b@example.com"}, "without a tag"),
        ({"smtp_url": "http://mail.example.com"}, "smtp_url must be"),
        ({"smtp_url": "smtp://user:secret@mail.example.com"}, "smtp_url must be"),
        ({"imap_url": "imaps://mail.example.com:99999"}, "imap_url"),
        ({"imap_url": "imaps://"}, "imap_url must be"),
        ({"password_file": ""}, "either password_file"),
        ({"password_variable": "X"}, "either password_file"),
        ({"password_file": "missing"}, "cannot read the secret"),
        ({"ca_file": "missing.pem"}, "ca_file"),
        ({"colour": "red"}, "colour"),
        ({"folder": 3}, "folder"),
    ],
)
def test_a_table_that_cannot_be_used_is_told_by_its_key(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as error:
        settings_of({**a_table(tmp_path), **change}, tmp_path)
    assert "dummy-secret" not in str(error.value)


def a_table(folder: Path) -> dict[str, object]:
    (folder / "p").write_text("dummy-secret", encoding="ascii")
    (folder / "p").chmod(0o600)
    return {
        "address": "Askfirst@Example.com",
        "smtp_url": "smtp://mail.example.com",
        "imap_url": "imaps://mail.example.com",
        "password_file": "p",
        "authserv_id": "MX.example.com",
    }


def test_a_table_says_how_its_servers_are_reached_and_hides_its_password(tmp_path: Path) -> None:
    found = settings_of(a_table(tmp_path), tmp_path)
    assert found.smtp == Server(host="mail.example.com", port=587, tls="starttls")
    assert found.imap == Server(host="mail.example.com", port=993, tls="implicit")
    assert (found.address, found.user, found.authserv_id) == (
        "askfirst@example.com",
        "askfirst@example.com",
        "mx.example.com",
    )
    assert "dummy-secret" not in repr(found)

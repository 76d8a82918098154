"""A program asks by mail, over a real broker, a mail server that it sends by and a real one that it hears from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from askfirst import Denied
from askfirst.testing.dovecot import PASSWORD, USER, Dovecot, dovecot
from askfirst.testing.mail import FakeMail, text_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
ANN = "ann@example.com"


@pytest.fixture
def mail(broker: Any) -> Iterator[tuple[FakeMail, Dovecot]]:
    folder = broker.config.parent
    with FakeMail() as sent, dovecot() as received:
        table = {
            **sent.table(folder),
            "user": USER,
            "imap_url": f"imaps://127.0.0.1:{received.ports['imaps']}",
            "ca_file": str(received.authority),
        }
        (folder / "email-password").write_text(PASSWORD, encoding="ascii")
        config = broker.config.read_text(encoding="utf-8").replace(
            'id = "local:ann"\n', f'id = "local:ann"\nidentities = ["email:{ANN}"]\n'
        )
        rows = "".join(f'{name} = "{value}"\n' for name, value in table.items())
        broker.config.write_text(f"{config}[email]\n{rows}", encoding="utf-8")
        yield sent, received
        broker.halt()


@pytest.mark.parametrize("verb", ["approve", "deny"])
def test_a_program_runs_what_was_approved_by_mail_and_nothing_that_was_denied(
    broker: Any, mail: tuple[FakeMail, Dovecot], until: Callable[..., Any], verb: str
) -> None:
    sent, received = mail
    broker.start()
    ran: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(broker.gated_program(f"email:{ANN}", ran), "u1")
        request = broker.pending()
        until("the mail is sent", lambda: sent.sent(ANN))
        message = str(sent.sent(ANN)[0]["Message-ID"])[1:-1]
        received.deliver(sent.reply(message, ANN, f"{verb} {request['code']}"))
        if verb == "approve":
            assert running.result(60) is True
        else:
            with pytest.raises(Denied):
                running.result(60)
    assert ran == (["u1"] if verb == "approve" else [])
    [review] = broker.request(request["id"])["reviews"]
    assert (review["person"], review["channel"], review["counted"]) == ("local:ann", "email", True)
    until("the end is told", lambda: len(sent.thread(message)) >= 2)
    assert any("nothing more to decide" in text_of(each) for each in sent.thread(message))

"""What a mail says, and what must not count although it looks like a decision (I7)."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.errors import ChannelError
from askfirst.inbound import Decision, Ignored, Inbound, Instruction, Linking, Undo
from askfirst.request import Verdict
from channels.email.parse import NO_REPLY, delivery_id, parse_mail

CODE, TAG = "9F2C1A-1b2c3d4e", "abcdefghijklmnopqrstuvwx"
ADDRESS, AUTHSERV = "askfirst@example.com", "mx.example.com"
GENUINE = f"{AUTHSERV}; spf=pass smtp.mailfrom=ann@example.com; dmarc=pass (p=REJECT) header.from=example.com"


def mail(words: str, **headers: str | None) -> EmailMessage:
    """Ann's reply; ``None`` leaves a header out."""
    known: dict[str, str | None] = {
        "Authentication-Results": GENUINE,
        "From": "Ann Ex <Ann@Example.com>",
        "To": f"Askfirst <askfirst+{TAG}@example.com>",
        "Subject": "Re: [Askfirst] HIGH",
        "Message-ID": "<1@mail.example.com>",
        "In-Reply-To": "<0@example.com>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    message = EmailMessage(policy=SMTP)
    for name, value in known.items():
        if value is not None:
            message[name] = value
    message.set_content(words)
    return message


def read(raw: bytes | EmailMessage, authserv_id: str = AUTHSERV) -> Inbound:
    raw = raw if isinstance(raw, bytes) else raw.as_bytes()
    [inbound] = parse_mail(raw, address=ADDRESS, authserv_id=authserv_id)
    return inbound


@pytest.mark.parametrize(
    ("date", "at_ms"),
    [
        ("Fri, 02 Jan 2026 03:04:05 +0000", 1_767_323_045_000),
        ("Fri, 02 Jan 2026 04:04:05 +0100", 1_767_323_045_000),
        ("Fri, 02 Jan 2026 03:04:05 -0000", 1_767_323_045_000),
        ("Fri, 32 Jan 2026 03:04:05 +0000", 0),
        ("Fri, 02 Jan 99999999999999999999 03:04:05 +0000", 0),
        ("some day", 0),
        (None, 0),
    ],
)
def test_a_mail_is_as_old_as_it_says(date: str | None, at_ms: int) -> None:
    lines = [line for line in mail(f"approve {CODE}").as_bytes().split(b"\r\n") if not line.startswith(b"Date:")]
    found = read(b"\r\n".join([*([f"Date: {date}".encode()] if date else []), *lines]))
    assert isinstance(found, Decision)
    assert found.origin.at_ms == at_ms


QUOTED = f"\n\nOn Wed, 25 Nov 2026, Askfirst wrote:\n> HIGH\n>     approve {CODE}\n"


@pytest.mark.parametrize(
    ("words", "verdict", "text", "scope"),
    [
        (f"approve {CODE}", Verdict.APPROVE, "", ""),
        (f"/Approve {CODE.upper()}{QUOTED}", Verdict.APPROVE, "", ""),
        (f"\n\n  approve {CODE}  \n> HIGH", Verdict.APPROVE, "", ""),
        (f"approve {CODE} uses:5\n\nAnn\nHead of things", Verdict.APPROVE, "", "uses:5"),
        (f"approve {CODE}\n-- \nAnn", Verdict.APPROVE, "", ""),
        (f"deny {CODE} use git stash,\nplease{QUOTED}", Verdict.DENY, "use git stash,\nplease", ""),
        (f"deny {CODE}\n\nthis is not read", Verdict.DENY, "", ""),
        (f"answer {CODE} main", Verdict.ANSWER, "main", ""),
        (f"ask {CODE} which branch? Grüße", Verdict.NEEDS_INFO, "which branch? Grüße", ""),
    ],
)
def test_the_first_paragraph_of_a_reply_decides(words: str, verdict: Verdict, text: str, scope: str) -> None:
    found = read(mail(words))
    assert isinstance(found, Decision)
    assert (found.verdict, found.text, found.scope, found.doubt) == (verdict, text, scope, "")
    assert (found.origin.identity, found.assurance) == ("email:ann@example.com", 1)
    assert (found.reference.code, found.reference.control) == (CODE, TAG)
    assert (found.origin.message, found.origin.replies_to) == ("1@mail.example.com", "0@example.com")


@pytest.mark.parametrize(
    "words",
    ["yes", "approve", "Approved!", f"please approve {CODE}", f"> approve {CODE}", CODE, "", f"ok\napprove {CODE}"],
)
def test_other_words_decide_nothing_and_are_answered_with_how_it_is_done(words: str) -> None:
    assert read(mail(words)) == Instruction(delivery="1@mail.example.com", origin=read_origin(words), name="usage")


def read_origin(words: str) -> Any:
    found = read(mail(words))
    assert isinstance(found, Instruction)
    return found.origin


@pytest.mark.parametrize(
    "words",
    [f"approve {CODE}\nbut only on Friday", f"approve {CODE} if the tests pass", f"answer {CODE}", f"ask {CODE}"],
)
def test_an_approval_with_conditions_is_none(words: str) -> None:
    found = read(mail(words))
    assert isinstance(found, Decision)
    assert found.doubt


def test_an_undo_and_a_link_are_read() -> None:
    undo = read(mail(f"undo {CODE} 2"))
    assert isinstance(undo, Undo)
    assert (undo.turn, undo.reference.control) == (2, TAG)
    link = read(mail("link ABCD-EFGH", To=ADDRESS))
    assert isinstance(link, Linking)
    assert (link.link_code, link.origin.identity) == ("ABCD-EFGH", "email:ann@example.com")
    assert isinstance(read(mail("link ABCD-EFGH"), authserv_id=""), Ignored)


@pytest.mark.parametrize(
    "to", [ADDRESS, f"askfirst+{TAG}@example.com, askfirst+{TAG[::-1]}@example.com", "x@y.example"]
)
def test_a_decision_that_answers_no_mail_of_ours_is_doubted(to: str) -> None:
    found = read(mail(f"approve {CODE}", To=to))
    assert isinstance(found, Decision)
    assert (found.reference.control, found.doubt) == ("", NO_REPLY)


@pytest.mark.parametrize("header", ["Cc", "Delivered-To", "X-Original-To"])
def test_the_tag_is_found_wherever_mail_servers_write_it_whatever_its_case(header: str) -> None:
    tagged = f"AskFirst+{TAG.upper()}@EXAMPLE.com"
    found = read(mail(f"approve {CODE}", To=ADDRESS, **{header: tagged}))
    assert isinstance(found, Decision)
    assert (found.reference.control, found.doubt) == (TAG, "")


@pytest.mark.parametrize(
    ("results", "authserv_id"),
    [
        (None, AUTHSERV),
        (GENUINE, ""),
        (GENUINE, "mx.example.org"),
        (GENUINE.replace("dmarc=pass", "dmarc=fail"), AUTHSERV),
        (GENUINE.replace("header.from=example.com", "header.from=example.org"), AUTHSERV),
        (GENUINE.replace("header.from=example.com", "header.from=com"), AUTHSERV),
        (GENUINE.replace(AUTHSERV, f"{AUTHSERV}.evil.example"), AUTHSERV),
        (f'{AUTHSERV}; dkim=fail reason="dmarc=pass header.from=example.com"', AUTHSERV),
        (f"{AUTHSERV}; none", AUTHSERV),
        ("dmarc=pass header.from=example.com", AUTHSERV),
        (f"{AUTHSERV}; x=y (dmarc=pass header.from=example.com)", AUTHSERV),
        (f"{AUTHSERV}; {'(' * 5000}", AUTHSERV),
    ],
)
def test_a_sender_who_is_not_proven_is_worth_nothing(results: str | None, authserv_id: str) -> None:
    found = read(mail(f"approve {CODE}", Authentication_Results=results), authserv_id)
    assert isinstance(found, Decision)
    assert found.assurance == 0


def test_of_several_results_of_our_server_the_topmost_counts() -> None:
    forged = GENUINE.encode()
    raw = mail(f"approve {CODE}", Authentication_Results=None).as_bytes()
    failed = forged.replace(b"dmarc=pass", b"dmarc=fail")
    both = b"Authentication-Results: %s\r\nAuthentication-Results: %s\r\n"
    assert getattr(read(both % (failed, forged) + raw), "assurance", None) == 0
    assert getattr(read(both % (forged, failed) + raw), "assurance", None) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; x=y"},
        {"Precedence": "bulk"},
        {"Precedence": "List"},
        {"List_Id": "<dev.example.com>"},
        {"X_Autoreply": "yes"},
        {"Return_Path": "<>"},
        {"From": f"Askfirst <{ADDRESS}>"},
        {"From": f"askfirst+{TAG}@example.com"},
        {"From": None},
    ],
)
def test_mail_of_machines_and_of_nobody_says_nothing(headers: dict[str, str | None]) -> None:
    assert isinstance(read(mail(f"approve {CODE}", **headers)), Ignored)


@pytest.mark.parametrize(
    "sender",
    [
        b"ann@example.com, mallory@example.org",
        b"ann@example.com <mallory@example.org>, x@y.example",
        b"<ann@example.com> <mallory@example.org>",
        b"ann@example.com (mallory@example.org)",
        b'"ann"@example.com',
        b"@relay.example:ann@example.com",
        b"ann@example.com\r\nFrom: mallory@example.org",
        b"friends: ann@example.com;",
        b"ann@ex\xc3\xa4mple.com",
        b"ann@\xd0\xb5xample.com",
        b"=?utf-8?q?ann=40example=2Ecom?=",
        b"",
    ],
)
def test_a_from_that_could_be_read_in_two_ways_is_nobody(sender: bytes) -> None:
    raw = mail(f"approve {CODE}", From=None).as_bytes()
    assert isinstance(read(b"From: " + sender + b"\r\n" + raw), Ignored)


def test_a_name_that_looks_like_an_address_is_only_a_name() -> None:
    raw = mail(f"approve {CODE}", From=None).as_bytes()
    found = read(b'From: "ann@example.com" <mallory@example.org>\r\n' + raw)
    assert isinstance(found, Decision)
    assert (found.origin.identity, found.assurance) == ("email:mallory@example.org", 0)


def test_only_the_mails_own_plain_text_is_read() -> None:
    html = EmailMessage(policy=SMTP)
    for name, value in mail("x").items():
        if name not in {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}:
            html[name] = value
    html.set_content(f"<p>approve {CODE}</p>", subtype="html")
    assert isinstance(read(html), Instruction)
    forwarded = mail("look at this")
    forwarded.add_attachment(mail(f"approve {CODE}"))
    assert isinstance(read(forwarded), Instruction)
    attached = mail("no")
    attached.add_attachment(f"approve {CODE}", filename="a.txt")
    assert isinstance(read(attached), Instruction)
    both = mail(f"deny {CODE} no")
    both.add_alternative(f"<p>approve {CODE}</p>", subtype="html")
    found = read(both)
    assert isinstance(found, Decision)
    assert found.verdict is Verdict.DENY


@pytest.mark.parametrize(
    "raw",
    [
        mail(f"approve {CODE}").as_bytes().replace(b'charset="utf-8"', b'charset="no-such-thing"'),
        mail(f"deny {CODE} Grüße").as_bytes().replace(b'charset="utf-8"', b'charset="us-ascii"'),
    ],
)
def test_an_unknown_or_wrong_charset_is_no_obstacle(raw: bytes) -> None:
    assert isinstance(read(raw), Decision)


def test_a_mail_is_known_by_its_id_or_by_its_bytes() -> None:
    assert delivery_id(mail("x").as_bytes()) == "1@mail.example.com"
    without = mail("x", Message_ID=None).as_bytes()
    assert delivery_id(without).startswith("sha256:")
    assert delivery_id(without) == delivery_id(without) != delivery_id(without + b"x")


def test_what_is_nested_without_end_is_no_mail_or_says_nothing() -> None:
    head = b"From: ann@example.com\r\nMIME-Version: 1.0\r\n"
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(2_000))
    try:
        found = read(head + parts + f"\r\napprove {CODE}".encode())
    except ChannelError:
        return
    assert isinstance(found, Ignored | Instruction)


@given(st.binary(max_size=600), st.sampled_from([b"", b"From: ann@example.com\r\n", mail("x").as_bytes()[:-3]]))
def test_no_bytes_break_it(garbage: bytes, before: bytes) -> None:
    raw = before + garbage
    assert delivery_id(raw) == delivery_id(raw)
    try:
        found = read(raw)
    except ChannelError:
        return
    assert not isinstance(found, Decision)

"""From the bytes of a policy file to its raw form, or to one sentence that says what is wrong where."""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from askfirst.errors import PolicyError
from askfirst.misfit import misfit
from askfirst.policy.raw import FORMS, TWICE_NAMED, RawMatch, RawPolicy, RawRule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic_core import ErrorDetails

    from askfirst.policy.raw import RawTerms

MAX_BYTES = 256 * 1024
_SHOWN_CHARS = 60
_ELSEWHERE = {
    "ask_from": "it is a key of [policy] in config.toml; here give each [risk.…] table an outcome",
    "strict": "it is a key of [policy] in config.toml; here write outcome = 'ask' under [unknown]",
    "policy": "a policy file has no [policy] table; its keys stand at the top (see docs/policy.md)",
    "web": "it belongs in config.toml",
    "rules": "each rule is a table [[rule]] of its own",
    "timeout": "write approval_timeout_s, in seconds",
    "when": "write match, or match.condition for a CEL expression",
    "quorum": "write approvals, or stages",
    "action": "write outcome, e.g. outcome = 'ask'",
    "decision": "write outcome, e.g. outcome = 'ask'",
    "allow": "write outcome = 'allow'",
    "deny": "write outcome = 'deny'",
    "ask": "write outcome = 'ask'",
}
"""What newcomers write, and what to write instead."""


def read_policy(content: bytes, *, source: str) -> RawPolicy:
    """The raw policy in these bytes.

    Args:
        content: TOML, UTF-8.
        source: the file's name, for the sentence.

    Raises:
        PolicyError: it cannot be used; one sentence with file, line where it is known, key, and what was expected.
    """
    if len(content) > MAX_BYTES:
        raise PolicyError(f"{source} is larger than {MAX_BYTES} bytes")
    text = ""
    try:
        text = content.decode("utf-8")
        return RawPolicy.model_validate(tomllib.loads(text))
    except ValidationError as error:
        first = _clearest(error.errors(include_url=False))
        raise PolicyError(f"{source}{line_of(text, _place(first))}: {_sentence(first)}") from error
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"{source} is not TOML: {_lower(str(error)) or 'it is nested too deeply'}") from error


def require_tightening(raw: RawPolicy, *, source: str) -> None:
    """Refuse what a project's file may not say, instead of ignoring it in silence.

    Raises:
        PolicyError: it says such a thing; a project may only tighten, because the agent can edit its files.
    """
    for key in ("extends", "terminal_decisions", "break_glass_s", "routes", "quiet_hours"):
        if key in raw.model_fields_set:
            raise PolicyError(f"{source}: {key} {_NOT_IN_PROJECTS}")
    for where, terms in _terms(raw):
        key = _loose_key(terms)
        if key:
            raise PolicyError(f"{source}: {where}.{key} {_NOT_IN_PROJECTS}")
    for rule in raw.rule:
        if any(match is not None and match.condition is not None for match in (rule.match, rule.unless)):
            raise PolicyError(f"{source}: rule {rule.name!r}: condition {_NOT_IN_PROJECTS}")


def _loose_key(terms: RawTerms) -> str:
    """What terms say that is no tightening, ``""`` when nothing."""
    if getattr(terms, "outcome", None) == "allow":
        return "outcome = 'allow'"
    if any(stage.route is not None for stage in terms.stages or ()):
        return "stages.route"
    return next((key for key in ("route", "reminders_s", "escalation") if key in terms.model_fields_set), "")


_NOT_IN_PROJECTS = "may not stand in a project's file, which may only tighten: write it in your own policy.toml"


def _terms(raw: RawPolicy) -> Iterator[tuple[str, RawTerms]]:
    for name in ("low", "medium", "high", "critical"):
        yield f"risk.{name}", getattr(raw.risk, name)
    yield "unknown", raw.unknown
    for rule in raw.rule:
        yield f"rule {rule.name!r}", rule


def nearest(word: str, known: Sequence[str]) -> str:
    """``; did you mean 'x'?``, or the known words when none is near."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(sorted(known))}"


def _clearest(errors: Sequence[ErrorDetails]) -> ErrorDetails:
    """Of a union's errors the one that fits what was written: the deepest, else the first."""
    unknown = [each for each in errors if each["type"] == "extra_forbidden"]
    return unknown[0] if unknown else max(errors, key=lambda each: (len(each["loc"]), -errors.index(each)))


def _place(error: ErrorDetails) -> tuple[int | str, ...]:
    """Where it is: of two rules of one name, at the second."""
    return ("rule", error["ctx"]["index"], "name") if error["type"] == TWICE_NAMED else error["loc"]


def _sentence(error: ErrorDetails) -> str:
    keys = _keys(error["loc"])
    where = _dotted(keys)
    if error["type"] == "extra_forbidden":
        return f"unknown key {where!r}{_hint(keys)}"
    if error["type"] == "missing":
        return f"{where} is missing"
    message = _expected(error, keys) or misfit(error)
    if error["type"] == "literal_error":
        known = [word.strip("'") for word in re.findall(r"'[^']*'", str(error.get("ctx", {}).get("expected", "")))]
        message = f"expected {' or '.join(repr(word) for word in known)}" if len(known) <= 6 else "it is not known"
        message += nearest(str(error["input"]), known)[:200] if isinstance(error["input"], str) else ""
    if isinstance(error["input"], (dict, list)):
        return f"{where}: {message}" if where else message
    return f"{where} is {_short(error['input'])}: {message}"


def _hint(keys: Sequence[int | str]) -> str:
    """What to write instead of an unknown key: it has another name, or stands elsewhere."""
    word, table = str(keys[-1]), [each for each in keys[:-1] if isinstance(each, str)]
    if table == ["rule"] and word in RawMatch.model_fields:
        return f"; it says what the rule is about: write it in match = {{ {word} = … }}"
    if table == ["rule", "match"] and word in RawRule.model_fields:
        return f"; it stands beside match, as {word} = … of the rule"
    return f"; {_ELSEWHERE[word]}" if word in _ELSEWHERE else nearest(word, _known(keys[:-1]))


def _expected(error: ErrorDetails, keys: Sequence[int | str]) -> str:
    """What should stand there instead, in words of TOML; ``""`` where pydantic's own will do."""
    if error["type"] == "list_type" and keys == ["rule"]:
        return _ELSEWHERE["rules"]
    if error["type"] == "list_type":
        return f"write a list, [{_short(error['input'])}]" if isinstance(error["input"], str) else "write a list, [ … ]"
    if error["type"] in {"model_type", "dict_type"}:
        names = ", ".join(_known(keys))
        return f"write a table {{ … }} with {names}" if names else "write a table { … }"
    if error["type"] == "string_pattern_mismatch":
        return FORMS.get(str(error.get("ctx", {}).get("pattern", "")), "")
    return ""


def _keys(loc: tuple[int | str, ...]) -> list[int | str]:
    """The location without the names that pydantic gives to the members of a union."""
    return [each for each in loc if isinstance(each, int) or re.fullmatch(r"[A-Za-z0-9_.-]+", each)][: len(loc)]


def _dotted(keys: Sequence[int | str]) -> str:
    out = ""
    for key in keys:
        if isinstance(key, int):
            out += f"[{key + 1}]"
        elif key not in {"str", "RawTime"}:
            out += f".{key}" if out else key
    return out


def _known(keys: Sequence[int | str]) -> list[str]:
    """The names that a table of the file may have."""
    model: type[BaseModel] | None = RawPolicy
    for key in keys:
        if isinstance(key, int) or model is None or key not in model.model_fields:
            continue
        model = next(_models(model.model_fields[key].annotation), None)
    return list(model.model_fields) if model else []


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def line_of(text: str, loc: tuple[int | str, ...]) -> str:
    """``:LINE`` of a key, as far as it can be told by looking for its name after its table's header."""
    keys = _keys(loc)
    number = next((each for each in keys if isinstance(each, int)), 0)
    names = [str(each) for each in keys if isinstance(each, str)]
    lines = text.splitlines()
    at = None
    if names[:1] == ["rule"]:
        headers = [index for index, line in enumerate(lines) if re.match(r"\s*\[\[\s*rule\s*\]\]", line)]
        at, names = next(iter(headers[number:]), None), names[1:]
    elif len(names) > 1:
        header = re.compile(rf"\s*\[\s*{re.escape('.'.join(names[:-1]))}\s*\]")
        at = next((index for index, line in enumerate(lines) if header.match(line)), None)
    for name in reversed(names):
        key = re.compile(rf"(^|[\s{{,.\[])\"?{re.escape(name)}\"?\s*(=|\.|\]+\s*$)")
        found = next((index for index in range(at or 0, len(lines)) if key.search(lines[index])), None)
        if found is not None:
            return f":{found + 1}"
    return "" if at is None else f":{at + 1}"


def line_of_part(text: str, part: str) -> str:
    """``:LINE`` of the rule or table that a sentence begins with, e.g. ``rule 'x'`` or ``risk.high``."""
    rule = re.match(r"rule '([a-z0-9._-]+)'", part)
    table = re.match(r"risk\.\w+|unknown", part)
    if rule:
        sought = re.compile(rf"(^|[\s{{,])name\s*=\s*[\"']{re.escape(rule[1])}[\"']")
    elif table:
        sought = re.compile(rf"\s*\[\s*{re.escape(table[0])}\s*\]")
    else:
        return ""
    lines = enumerate(text.splitlines(), start=1)
    return next((f":{number}" for number, line in lines if sought.search(line)), "")


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN_CHARS else f"{shown[:_SHOWN_CHARS]}…"


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")


def settings_of(raw: BaseModel) -> Mapping[str, Any]:
    """The keys that the file really has, with their values."""
    return {name: getattr(raw, name) for name in raw.model_fields_set}

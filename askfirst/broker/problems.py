"""Errors as RFC 9457 problem documents, for every application of the API."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from askfirst.broker import wire
from askfirst.canonical import MAX_DEPTH
from askfirst.errors import PROBLEM, Error, OverloadedError, StoreAwayError, status_of
from askfirst.misfit import misfit
from askfirst.unique_names import TwiceNamedError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

_RETRY_AFTER_S: tuple[tuple[type[Error], str], ...] = (
    (OverloadedError, "30"),  # people decide a few times a minute
    (StoreAwayError, "1"),
)
"""What passes by itself, so that the same call is worth sending again, and when."""


def handle_problems(app: FastAPI) -> None:
    """Let every refusal and failure of this application be one of our sentences."""
    app.add_exception_handler(Error, _on_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_bug)


def _problem(status: int, detail: str) -> JSONResponse:
    body = wire.ProblemOut(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(body.model_dump(), status_code=status, media_type=PROBLEM)


async def _on_error(_request: Request, error: Exception) -> JSONResponse:
    """One of our errors as a problem document."""
    answer = _problem(status_of(error), str(error))
    after_s = next((after_s for kind, after_s in _RETRY_AFTER_S if isinstance(error, kind)), "")
    if after_s:
        answer.headers["Retry-After"] = after_s
    return answer


async def _on_bug(_request: Request, error: Exception) -> JSONResponse:
    """What nobody foresaw; the server logs it with its traceback."""
    return _problem(500, f"the broker has failed at this ({type(error).__name__}); its log says where")


async def _on_invalid(_request: Request, error: Exception) -> JSONResponse:
    """A body or parameter of another shape as a problem document."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in {"body", "query", "path", "header"})
    found = "" if first["type"] == "missing" else f" (found {_short(first.get('input'))})"
    return _problem(422, f"{where or 'the body'}: {misfit(first)}{found}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _methods(request: Request) -> list[str]:
    """Every method that this path takes; the error's own list has one route's only."""
    paths: dict[str, dict[str, object]] = request.app.openapi()["paths"]
    fitting = (each for template, each in paths.items() if compile_path(template)[0].match(request.scope["path"]))
    return sorted(method.upper() for method in next(fitting, {}))


def _unparsed(cause: BaseException | None) -> str:
    """What is wrong with JSON that the parser refuses, which FastAPI does not say; ``""`` for anything else."""
    match cause:
        case RecursionError():
            return f"the body is nested too deeply to be read: arguments may be nested {MAX_DEPTH} deep"
        case TwiceNamedError():
            return f"the body {cause}"
        case UnicodeDecodeError():
            return "the body is no text in UTF-8"
        case ValueError():  # JSON that is none is told apart before; what is left is Python's bound on whole numbers
            return (
                f"the body has a whole number of more than {sys.get_int_max_str_digits():,} digits, which is not read"
            )
        case _:
            return ""


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    answer = _problem(error.status_code, _unparsed(error.__cause__) or str(error.detail))
    answer.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = ", ".join(_methods(request))
    return answer

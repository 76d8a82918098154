"""``/v1/log``: what the owner of the broker does with its log; by the unix socket alone, as the broker's own user."""

from __future__ import annotations

from typing import Protocol

from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field

from askfirst.audit_port import Actor
from askfirst.broker.json_route import JsonRoute
from askfirst.broker.peer import is_local_user
from askfirst.broker.problems import handle_problems
from askfirst.errors import InputError, NotAllowedError


class LogKeeper(Protocol):
    """What the routes need of the log's keeper; see ``audit.keeper``."""

    async def erase_request(self, request_id: str, actor: Actor, reason: str) -> list[str]:
        """Erase every payload of a request; their digests."""
        ...

    async def erase_payload(self, sha256: str, actor: Actor, reason: str) -> list[str]:
        """Erase one payload by its digest."""
        ...

    async def rotate_key(self) -> tuple[str, str]:
        """Change the log's key; the old and the new vkey."""
        ...


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class EraseIn(_Wire):
    """What to erase: all payloads of a request, or one payload by its digest; exactly one of both."""

    request: str = Field(default="", max_length=64)
    payload: str = Field(default="", max_length=64)
    reason: str = Field(min_length=1, max_length=500)


class ErasedOut(_Wire):
    """Digests (hex) of the payloads that are gone."""

    erased: list[str]


class RotatedOut(_Wire):
    """The keys as vkeys."""

    old: str
    new: str


class LogApi:
    """The routes; ``person`` is who the broker's own user is in the log."""

    def __init__(self, keeper: LogKeeper, person: str) -> None:
        self._keeper = keeper
        self._person = person

    def app(self) -> FastAPI:
        """The application, to be mounted at the root of the local listener."""
        app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        handle_problems(app)
        router = APIRouter(route_class=JsonRoute, dependencies=[Depends(_require_owner)])
        router.add_api_route("/erase", self.erase, methods=["POST"])
        router.add_api_route("/rotate-key", self.rotate, methods=["POST"])
        app.include_router(router)
        return app

    async def erase(self, body: EraseIn) -> ErasedOut:
        """Erase payloads; their entries stay, and the log goes on verifying."""
        if bool(body.request) == bool(body.payload):
            raise InputError("give either a request or a payload", field="request")
        if body.request:
            erased = await self._keeper.erase_request(body.request, self._actor(), body.reason)
        else:
            erased = await self._keeper.erase_payload(body.payload, self._actor(), body.reason)
        return ErasedOut(erased=erased)

    async def rotate(self) -> RotatedOut:
        """Change the log's key."""
        old, new = await self._keeper.rotate_key()
        return RotatedOut(old=old, new=new)

    def _actor(self) -> Actor:
        return Actor(type="human", id=self._person, channel="cli", assurance=0)


def _require_owner(request: Request) -> None:
    if not is_local_user(request):
        raise NotAllowedError("only the broker's own user may do this, by its unix socket")

"""What relays of other machines call: hooks handed on, what was done to the gate there, and who they are here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

import askfirst
from askfirst.access import AccessScope
from askfirst.audit_port import Entry, EntryType
from askfirst.broker.access import caller_of
from askfirst.broker.json_route import JsonRoute
from askfirst.errors import NotAllowedError, OverloadedError
from askfirst.pace import Buckets
from askfirst.ports import Rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.access import Caller
    from askfirst.alerts import Alerts
    from askfirst.broker.access import Access
    from askfirst.broker.hook_route import HookRoute
    from askfirst.clock import Clock
    from askfirst.desk import Desk
    from askfirst.heartbeat import Standing

PATH = "/v1/relay/{host}"


class SelfOut(BaseModel):
    """Who calls, and whom they have reached; ``now_ms`` is the broker's clock, ``channels`` says which are well."""

    machine: str
    scopes: list[AccessScope]
    version: str
    now_ms: int
    channels: dict[str, bool]


class ReportIn(BaseModel):
    """What was done to an agent's gate on the caller's machine; ``problem`` is a sentence, ``""`` where it is well."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["hook.installed", "hook.removed", "hook.missing", "hook.silent", "config.tamper"]
    host: Annotated[str, Field(max_length=100)]
    settings: Annotated[str, Field(max_length=4_096)]
    problem: Annotated[str, Field(max_length=1_000)] = ""


class RelayApi:
    """The routes.

    Args:
        access: who calls.
        hooks: answers hooks.
        desk: writes entries.
        alerts: tells people.
        clock: the broker's.
        standings: how each channel stands, by scheme, kept up to date.
        hooks_per_minute: how many calls and outcomes the hooks of one token may tell, each of which may leave an entry
            in the log. Fifty sessions that make a call a second tell as many as by default.
    """

    def __init__(
        self,
        access: Access,
        *,
        hooks: HookRoute,
        desk: Desk,
        alerts: Alerts,
        clock: Clock,
        standings: Mapping[str, Standing],
        hooks_per_minute: int = 6_000,
    ) -> None:
        self._access = access
        self._hooks = hooks
        self._desk = desk
        self._alerts = alerts
        self._clock = clock
        self._standings = standings
        self._limit = hooks_per_minute
        self._told = Buckets(Rate(burst=hooks_per_minute, per_s=hooks_per_minute / 60))

    def router(self) -> APIRouter:
        """To be included in the API."""
        router = APIRouter(
            route_class=JsonRoute, tags=["relay"], dependencies=[Depends(self._access.needs(AccessScope.ASK))]
        )
        router.add_api_route(PATH, self.hook, methods=["POST"], response_class=Response, include_in_schema=False)
        router.add_api_route("/v1/self", self.self, methods=["GET"])
        router.add_api_route("/v1/self/report", self.report, methods=["POST"], status_code=204)
        return router

    async def hook(self, request: Request) -> Response:
        """One hook call of the caller's machine."""
        machine, caller = _machine(request), caller_of(request)
        return await self._hooks.relayed(request, machine, lambda: self._meter(caller))

    async def self(self, request: Request) -> SelfOut:
        """Who the caller is to this broker."""
        caller = caller_of(request)
        return SelfOut(
            machine=caller.machine,
            scopes=sorted(caller.scopes),
            version=askfirst.__version__,
            now_ms=self._clock.now_ms(),
            channels={scheme: each.ok for scheme, each in self._standings.items()},
        )

    async def report(self, body: ReportIn, request: Request) -> None:
        """What was done to the gate on the caller's machine is logged, and people are told of what is wrong."""
        machine = _machine(request)
        self._access.meter(caller_of(request))
        await self._desk.note(Entry(type=EntryType(body.kind), data={"machine": machine, **body.model_dump()}))
        if body.problem:
            await self._alerts.tell(
                f"The gate of {body.host} on {machine}: {body.problem} ({body.settings}). "
                "`askfirst doctor` there says how it stands.",
                key=f"{machine} {body.host} {body.settings} {body.problem}",
            )

    def _meter(self, caller: Caller) -> None:
        """Count a call or an outcome that a hook tells.

        Raises:
            OverloadedError: there were too many within a minute.
        """
        now_ms = self._clock.now_ms()
        told = self._told.of(caller.id, now_ms)
        if told.wait_ms(now_ms):
            raise OverloadedError(
                f"the hooks of {caller.machine} tell more than {self._limit:,} calls and outcomes a minute; "
                "try again later"
            )
        told.take(now_ms)


def _machine(request: Request) -> str:
    machine = caller_of(request).machine
    if not machine:
        raise NotAllowedError("a relay shows a token of its own (`askfirst tokens create NAME --scope ask`)")
    return machine

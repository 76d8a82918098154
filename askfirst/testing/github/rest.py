"""REST: the paths that a channel uses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from askfirst.testing.github import shapes
from askfirst.testing.github.door import Answer
from askfirst.testing.github.world import ROLES, RefusedError, comment_of, require_body

if TYPE_CHECKING:
    from starlette.requests import Request

    from askfirst.testing.github.door import Caller, Door
    from askfirst.testing.github.world import Repository, World

_CONCLUSIONS = frozenset(
    "action_required cancelled failure neutral skipped stale success timed_out startup_failure".split()
)
_DESCRIPTION_MAX = 140


class Rest:
    """Handlers, each behind the door."""

    def __init__(self, world: World, door: Door) -> None:
        self._world = world
        self._door = door

    def routes(self) -> list[Route]:
        """All routes."""
        repo = "/repos/{owner}/{repo}"
        table = [
            ("GET", "/user", self.user),
            ("GET", "/users/{username}", self.public_user),
            ("GET", "/app", self.app),
            ("GET", "/app/installations", self.installations),
            ("POST", "/app/installations/{id:int}/access_tokens", self.access_token),
            ("GET", "/orgs/{org}/teams/{team}/memberships/{username}", self.membership),
            ("GET", repo, self.repository),
            ("GET", f"{repo}/installation", self.installation),
            ("GET", f"{repo}/issues/{{number:int}}", self.issue),
            ("GET", f"{repo}/issues/{{number:int}}/comments", self.comments),
            ("POST", f"{repo}/issues/{{number:int}}/comments", self.make_comment),
            ("GET", f"{repo}/issues/comments/{{id:int}}", self.comment),
            ("PATCH", f"{repo}/issues/comments/{{id:int}}", self.edit_comment),
            ("DELETE", f"{repo}/issues/comments/{{id:int}}", self.delete_comment),
            ("GET", f"{repo}/issues/comments/{{id:int}}/reactions", self.reactions),
            ("POST", f"{repo}/issues/comments/{{id:int}}/reactions", self.react),
            ("GET", f"{repo}/pulls", self.pulls),
            ("GET", f"{repo}/pulls/{{number:int}}", self.pull),
            ("GET", f"{repo}/pulls/{{number:int}}/files", self.files),
            ("GET", f"{repo}/pulls/{{number:int}}/reviews", self.reviews),
            ("POST", f"{repo}/pulls/{{number:int}}/reviews", self.make_review),
            ("GET", f"{repo}/pulls/{{number:int}}/reviews/{{id:int}}", self.review),
            ("GET", f"{repo}/collaborators/{{username}}/permission", self.permission),
            ("GET", f"{repo}/contents/{{path:path}}", self.contents),
            ("POST", f"{repo}/statuses/{{sha}}", self.make_status),
            ("GET", f"{repo}/commits/{{ref}}/check-runs", self.check_runs),
            ("POST", f"{repo}/check-runs", self.make_check_run),
            ("GET", f"{repo}/check-runs/{{id:int}}", self.check_run),
            ("PATCH", f"{repo}/check-runs/{{id:int}}", self.edit_check_run),
            ("POST", f"{repo}/actions/runs/{{id:int}}/deployment_protection_rule", self.judge_deployment),
        ]
        return [Route(path, self._door.wrap(handler), methods=[method]) for method, path, handler in table]

    # -- who ------------------------------------------------------------------------------------------------------

    async def user(self, _request: Request, caller: Caller) -> Answer:
        """The token's own account."""
        if caller.app is not None:
            raise RefusedError(403, "Resource not accessible by integration")
        return Answer(_viewed(shapes.account(caller.person(), "private-user"), "private"))

    async def public_user(self, request: Request, _caller: Caller) -> Answer:
        """Any account."""
        found = self._world.accounts.get(request.path_params["username"])
        if found is None:
            raise RefusedError(404, "Not Found")
        return Answer(_viewed(shapes.account(found, "public-user"), "public"))

    async def app(self, _request: Request, caller: Caller) -> Answer:
        """The App itself, by its JWT."""
        if caller.app is None or caller.account is not None:
            raise RefusedError(401, "A JSON web token could not be decoded")
        return Answer(shapes.integration(caller.app, caller.app.id))

    async def installation(self, request: Request, caller: Caller) -> Answer:
        """Where the App is installed."""
        owner = self._world.account(self._repository(request).owner)
        if caller.app is None:
            raise RefusedError(401, "A JSON web token could not be decoded")
        return Answer(shapes.installation(caller.app, owner))

    async def installations(self, _request: Request, caller: Caller) -> Answer:
        """All of them; this fake's Apps are installed once, everywhere."""
        if caller.app is None or caller.account is not None:
            raise RefusedError(401, "A JSON web token could not be decoded")
        owners = [each for each in self._world.accounts.values() if each.type == "Organization"]
        return Answer([shapes.installation(caller.app, owner) for owner in owners[:1]])

    async def access_token(self, _request: Request, caller: Caller) -> Answer:
        """A token of the App, for an hour."""
        if caller.app is None or caller.account is not None:
            raise RefusedError(401, "A JSON web token could not be decoded")
        token = self._door.installation_token(caller.app)
        return Answer({"token": token, "expires_at": shapes.stamp(self._world.now_ms() + 3_600_000)}, 201)

    async def membership(self, request: Request, _caller: Caller) -> Answer:
        """Of a team."""
        org, team, login = (request.path_params[name] for name in ("org", "team", "username"))
        if login not in self._world.teams.get(f"{org}/{team}", set()):
            raise RefusedError(404, "Not Found")
        return Answer(shapes.shape("team-membership", state="active", role="member"))

    async def permission(self, request: Request, caller: Caller) -> Answer:
        """What an account may do here, now; for those who may push."""
        repo = self._repository(request)
        self._require_push(repo, caller)
        account = self._world.accounts.get(request.path_params["username"])
        if account is None:
            raise RefusedError(404, "Not Found")
        role = repo.roles.get(account.login, "none")
        user = {**shapes.account(account, "collaborator"), "role_name": role}
        return Answer({"permission": ROLES.get(role, "none"), "role_name": role, "user": user})

    # -- conversations --------------------------------------------------------------------------------------------

    async def repository(self, request: Request, _caller: Caller) -> Answer:
        """A repository."""
        return Answer(shapes.repository(self._repository(request)))

    async def issue(self, request: Request, _caller: Caller) -> Answer:
        """An issue, or a pull request as one."""
        repo = self._repository(request)
        return Answer(shapes.issue(repo, self._world.thread(repo, request.path_params["number"])))

    async def comments(self, request: Request, _caller: Caller) -> Answer:
        """By ascending id; ``since`` looks at the last change."""
        repo = self._repository(request)
        number = self._world.thread(repo, request.path_params["number"]).number
        since = request.query_params.get("since")
        since_s = datetime.fromisoformat(since).astimezone(UTC).timestamp() if since else 0
        found = [
            each for each in repo.comments.values() if each.number == number and each.updated_ms // 1000 >= since_s
        ]
        return Answer([shapes.comment(self._world, repo, each) for each in sorted(found, key=lambda each: each.id)])

    async def make_comment(self, request: Request, caller: Caller) -> Answer:
        """Write one."""
        repo = self._repository(request)
        body = require_body((await request.json()).get("body"))
        number = self._world.thread(repo, request.path_params["number"]).number
        made = self._world.comment(repo.full_name, number, caller.person().login, body)
        return Answer(shapes.comment(self._world, repo, made), 201)

    async def comment(self, request: Request, _caller: Caller) -> Answer:
        """One."""
        repo = self._repository(request)
        return Answer(shapes.comment(self._world, repo, comment_of(repo, request.path_params["id"])))

    async def edit_comment(self, request: Request, caller: Caller) -> Answer:
        """Change one; with write access another's, too."""
        repo = self._repository(request)
        body = (await request.json()).get("body")
        found = self._world.edit(repo.full_name, request.path_params["id"], caller.person().login, body)
        return Answer(shapes.comment(self._world, repo, found))

    async def delete_comment(self, request: Request, caller: Caller) -> Answer:
        """Delete one."""
        repo = self._repository(request)
        self._world.delete(repo.full_name, request.path_params["id"], caller.person().login)
        return Answer(None, 204)

    async def reactions(self, request: Request, _caller: Caller) -> Answer:
        """Of a comment."""
        found = comment_of(self._repository(request), request.path_params["id"])
        return Answer([shapes.reaction(*each) for each in found.reactions])

    async def react(self, request: Request, caller: Caller) -> Answer:
        """React; 200 where the same reaction is there already."""
        repo, content = self._repository(request), (await request.json()).get("content")
        found = comment_of(repo, request.path_params["id"])
        number, is_new = self._world.react(repo.full_name, found.id, caller.person().login, content)
        [each] = [each for each in found.reactions if each[0] == number]
        return Answer(shapes.reaction(*each), 201 if is_new else 200)

    # -- pull requests --------------------------------------------------------------------------------------------

    async def pulls(self, request: Request, _caller: Caller) -> Answer:
        """By state, and by ``owner:branch``."""
        repo, query = self._repository(request), request.query_params
        state, head = query.get("state", "open"), query.get("head", "")
        found = [
            each
            for each in repo.threads.values()
            if each.is_pull and state in {"all", each.state} and (not head or head == f"{repo.owner}:{each.branch}")
        ]
        return Answer([shapes.pull(repo, each, "pull-request-simple") for each in reversed(found)])

    async def pull(self, request: Request, _caller: Caller) -> Answer:
        """One, as it stands."""
        repo = self._repository(request)
        found = self._world.thread(repo, request.path_params["number"])
        if not found.is_pull:
            raise RefusedError(404, "Not Found")
        return Answer(shapes.pull(repo, found))

    async def files(self, request: Request, _caller: Caller) -> Answer:
        """What it changes."""
        found = self._world.thread(self._repository(request), request.path_params["number"])
        return Answer([shapes.shape("diff-entry", filename=each, status="modified") for each in found.files])

    async def reviews(self, request: Request, _caller: Caller) -> Answer:
        """In the order of time."""
        repo = self._repository(request)
        number = self._world.thread(repo, request.path_params["number"]).number
        return Answer([shapes.review(repo, each) for each in repo.reviews.values() if each.number == number])

    async def make_review(self, request: Request, caller: Caller) -> Answer:
        """Review."""
        repo, asked = self._repository(request), await request.json()
        made = self._world.review(
            repo.full_name,
            request.path_params["number"],
            caller.person().login,
            asked.get("event", "COMMENT"),
            asked.get("body", ""),
            asked.get("commit_id", ""),
        )
        return Answer(shapes.review(repo, made))

    async def review(self, request: Request, _caller: Caller) -> Answer:
        """One."""
        repo = self._repository(request)
        found = repo.reviews.get(request.path_params["id"])
        if found is None or found.number != request.path_params["number"]:
            raise RefusedError(404, "Not Found")
        return Answer(shapes.review(repo, found))

    async def contents(self, request: Request, _caller: Caller) -> Answer:
        """A file, raw."""
        text = self._repository(request).contents.get(request.path_params["path"])
        if text is None:
            raise RefusedError(404, "Not Found")
        return Answer(text, raw=True)

    # -- states ---------------------------------------------------------------------------------------------------

    async def make_status(self, request: Request, caller: Caller) -> Answer:
        """Of a commit."""
        repo, asked = self._repository(request), await request.json()
        self._require_push(repo, caller)
        if asked.get("state") not in {"error", "failure", "pending", "success"}:
            raise RefusedError(422, "Validation Failed", [{"message": "state is not included in the list"}])
        if len(asked.get("description") or "") > _DESCRIPTION_MAX:
            raise RefusedError(422, "Validation Failed", [{"message": "description is too long"}])
        facts = {name: asked.get(name) for name in ("state", "context", "description", "target_url")}
        repo.statuses.append({**facts, "sha": request.path_params["sha"]})
        return Answer(shapes.shape("status", id=self._world.new_id(), **facts), 201)

    async def check_runs(self, request: Request, _caller: Caller) -> Answer:
        """Of a commit."""
        repo, name = self._repository(request), request.query_params.get("check_name")
        found = [
            _public(each)
            for each in repo.check_runs.values()
            if each["head_sha"] == request.path_params["ref"] and name in {None, each["name"]}
        ]
        return Answer(found, key="check_runs")

    async def make_check_run(self, request: Request, caller: Caller) -> Answer:
        """Only Apps make them."""
        repo, asked = self._repository(request), await request.json()
        if caller.app is None:
            raise RefusedError(403, "You must authenticate via a GitHub App.")
        facts = _checked_run(asked)
        run = shapes.shape(
            "check-run",
            id=self._world.new_id(),
            app=shapes.integration(caller.app, caller.app.id),
            head_sha=asked["head_sha"],
        )
        run.update(facts)
        repo.check_runs[run["id"]] = run
        return Answer(_public(run), 201)

    async def check_run(self, request: Request, _caller: Caller) -> Answer:
        """One."""
        return Answer(_public(self._run(request)))

    async def edit_check_run(self, request: Request, caller: Caller) -> Answer:
        """Only its own App changes one."""
        run = self._run(request)
        if caller.app is None or run["app"]["id"] != caller.app.id:
            raise RefusedError(
                403, "Invalid app_id: the check run can only be modified by the GitHub App that created it."
            )
        run.update(_checked_run(await request.json()))
        return Answer(_public(run))

    async def judge_deployment(self, request: Request, caller: Caller) -> Answer:
        """An App lets a deployment go on, or stops it, or says something."""
        repo, asked = self._repository(request), await request.json()
        if caller.app is None:
            raise RefusedError(403, "Resource not accessible by personal access token")
        if asked.get("state") not in {None, "approved", "rejected"} or not asked.get("environment_name"):
            raise RefusedError(422, "Validation Failed")
        repo.deployments.append({**asked, "run": request.path_params["id"]})
        return Answer(None, 204)

    # -- plumbing -------------------------------------------------------------------------------------------------

    def _repository(self, request: Request) -> Repository:
        name = f"{request.path_params['owner']}/{request.path_params['repo']}"
        moved = self._world.moved.get(name.lower())
        if moved is not None:
            raise RefusedError(301, str(request.url).replace(f"/repos/{name}", f"/repos/{moved}"))
        return self._world.find(name)

    def _require_push(self, repo: Repository, caller: Caller) -> None:
        role = repo.roles.get(caller.person().login, "")
        if caller.app is None and ROLES.get(role, "") not in {"write", "admin"}:
            raise RefusedError(403, "Must have push access to view collaborator permission.")

    def _run(self, request: Request) -> dict[str, Any]:
        found = self._repository(request).check_runs.get(request.path_params["id"])
        if found is None:
            raise RefusedError(404, "Not Found")
        return found


def _viewed(user: dict[str, Any], view: str) -> dict[str, Any]:
    """An account as one's own or as another's: two schemas, told apart by this field."""
    return {**user, "user_view_type": view}


def _public(run: dict[str, Any]) -> dict[str, Any]:
    """Without the buttons, which no answer shows."""
    return {key: each for key, each in run.items() if key != "actions"}


def _checked_run(asked: dict[str, Any]) -> dict[str, Any]:
    actions = asked.get("actions", [])
    limits = {"label": 20, "description": 40, "identifier": 20}
    if len(actions) > 3 or any(len(each.get(name, "")) > most for each in actions for name, most in limits.items()):
        raise RefusedError(
            422, "Validation Failed", [{"message": "actions: at most 3, labels of at most 20 characters"}]
        )
    if asked.get("conclusion") not in {None, *_CONCLUSIONS}:
        raise RefusedError(422, "Validation Failed", [{"message": "conclusion is not included in the list"}])
    if asked.get("status") == "completed" and not asked.get("conclusion"):
        raise RefusedError(422, "Validation Failed", [{"message": "conclusion is missing"}])
    facts: dict[str, Any] = {
        name: asked[name] for name in ("name", "status", "conclusion", "external_id") if name in asked
    }
    output = asked.get("output")
    told = {"title": output["title"], "summary": output["summary"], "text": None} if output else {}
    blank = {"annotations_count": 0, "annotations_url": "https://github.example/"}
    return {**facts, "actions": actions, "output": {**blank, **told}} if told else {**facts, "actions": actions}

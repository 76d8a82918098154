"""The log as tables for SQL: the founding document's audit table and approval records, as views over the entries.

Not part of the migrations: a view holds nothing, so it is made anew whenever the store is opened for writing, and
always is this release's. They are for tools of others: SQLite calls JSON functions in a view unsafe where the schema
is not trusted, as in our own connections, which use the queries instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlalchemy as sa

AUDIT_VIEW: Final = "remote_agent_audit_log"
APPROVAL_VIEW: Final = "approval_record"

_AUDIT: Final = """
select {id} as id,
       {session} as session_id,
       {tool} as action_type,
       {action} as action_data,
       {status} as approval_status,
       case {type} when 'grant.issued' then {late_reviewer} else {by} end as approved_by,
       {time} as timestamp
  from ({entries}) as entries
 where {type} = 'gate.requested' or {ends}
"""
"""The columns of the founding document's audit table, one row each time a request changed its status."""

_APPROVAL: Final = """
select {request} as action_id,
       {tool} as action_type,
       coalesce({session}, {agent}) as requester,
       coalesce(case {type} when 'grant.issued' then {late_reviewer} else {by} end, {actor}) as approver,
       case {status} when 'denied' then 'rejected' else {status} end as decision,
       coalesce({reason}, {review_text}, '') as reason,
       {time} as timestamp,
       {action} as context
  from ({entries}) as entries
 where {ends}
"""
"""``ApprovalRecord`` of the founding document, one row each time a request was decided, or ended otherwise."""

_STATUS: Final = """case {type}
         when 'gate.requested' then 'pending'
         when 'gate.timeout' then 'expired'
         when 'gate.cancelled' then 'cancelled'
         when 'gate.superseded' then 'superseded'
         when 'grant.issued' then 'approved'
         else {verdict}
       end"""

_ENDS: Final = """({type} in ('gate.decided', 'gate.timeout', 'gate.cancelled', 'gate.superseded')
        or {type} = 'grant.issued' and cast({late} as text) in ('true', '1'))"""
"""An approval after the deadline decides nothing, and yet lets the next try pass: its entry is that of the grant."""

_LAST_REVIEW: Final = """(select {member}
          from ({entries}) as reviews
         where {review_request} = {request} and {review_type} in ('review.cast', 'review.late')
           and reviews.seq < entries.seq
         order by reviews.seq desc limit 1)"""

_SQLITE: Final = {
    "entries": "select seq, cast(body as text) as entry from audit",
    "by": "(select group_concat(value, ' ') from json_each({entry}, '$.decision.by'))",
    "action": "json_extract({entry}, '$.action')",
    "member": "json_extract({entry}, '$.{path}')",
}
_POSTGRES: Final = {
    "entries": "select seq, convert_from(body, 'UTF8')::jsonb as entry from audit",
    "by": "(select string_agg(who, ' ') from jsonb_array_elements_text({entry} #> '{{decision,by}}') as who)",
    "action": "({entry} -> 'action')",
    "member": "({entry} #>> '{{{path}}}')",
}
_MEMBERS: Final = {
    "id": "id",
    "type": "type",
    "request": "req",
    "time": "t",
    "session": "agent.session",
    "agent": "agent.name",
    "tool": "action.tool",
    "actor": "actor.id",
    "verdict": "decision.verdict",
    "reason": "decision.reason",
    "late": "decision.late",
}


def audit_sql(dialect: str = "sqlite") -> str:
    """The query behind ``remote_agent_audit_log``."""
    return _filled(_AUDIT, dialect)


def approval_sql(dialect: str = "sqlite") -> str:
    """The query behind ``approval_record``."""
    return _filled(_APPROVAL, dialect)


def drop_views(connection: sa.Connection) -> None:
    """Take the views away: a table under a view cannot be migrated freely."""
    for name in (AUDIT_VIEW, APPROVAL_VIEW):
        connection.exec_driver_sql(f"drop view if exists {name}")


def create_views(connection: sa.Connection) -> None:
    """Make the views anew, in the caller's transaction."""
    drop_views(connection)
    dialect = connection.dialect.name
    for name, query in ((AUDIT_VIEW, audit_sql(dialect)), (APPROVAL_VIEW, approval_sql(dialect))):
        connection.exec_driver_sql(f"create view {name} as {query}")


def _filled(template: str, dialect: str) -> str:
    words = _SQLITE if dialect == "sqlite" else _POSTGRES

    def member(path: str, entry: str = "entries.entry") -> str:
        spelled = path if dialect == "sqlite" else path.replace(".", ",")
        return words["member"].format(entry=entry, path=spelled)

    members = {name: member(path) for name, path in _MEMBERS.items()}

    def of_last_review(path: str) -> str:
        return _LAST_REVIEW.format(
            entries=words["entries"],
            member=member(path, "reviews.entry"),
            review_request=member("req", "reviews.entry"),
            review_type=member("type", "reviews.entry"),
            request=members["request"],
        )

    return template.format(
        entries=words["entries"],
        by=words["by"].format(entry="entries.entry"),
        action=words["action"].format(entry="entries.entry"),
        status=_STATUS.format(**members),
        ends=_ENDS.format(**members),
        review_text=of_last_review("decision.text"),
        late_reviewer=of_last_review("actor.id"),
        **members,
    )

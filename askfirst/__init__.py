"""Ask first: a person decides before a coding agent does what cannot be taken back.

Importing this loads nothing else; each name is loaded when it is first used.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from askfirst.errors import BrokerUnavailableError, Error
    from askfirst.sdk.humanlayer import (
        HumanLayer,
        ask_human,
        ask_human_async,
        human_as_tool,
        request_approval,
        request_approval_async,
        require_approval,
    )
    from askfirst.sdk.outcomes import AlreadyUsed, Answer, Approval, Cancelled, Denied, NotApproved, Refusal, TimedOut
else:
    _HOMES = {
        **dict.fromkeys(("BrokerUnavailableError", "Error"), "askfirst.errors"),
        **dict.fromkeys(
            (
                "HumanLayer",
                "ask_human",
                "ask_human_async",
                "human_as_tool",
                "request_approval",
                "request_approval_async",
                "require_approval",
            ),
            "askfirst.sdk.humanlayer",
        ),
        **dict.fromkeys(
            ("AlreadyUsed", "Answer", "Approval", "Cancelled", "Denied", "NotApproved", "Refusal", "TimedOut"),
            "askfirst.sdk.outcomes",
        ),
    }

    def __getattr__(name):
        """Load a public name from its module, once."""
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'askfirst' has no attribute {name!r}")
        import importlib  # noqa: PLC0415  # nothing is loaded before it is needed

        value = getattr(importlib.import_module(home), name)
        globals()[name] = value
        return value


__all__ = [
    "AlreadyUsed",
    "Answer",
    "Approval",
    "BrokerUnavailableError",
    "Cancelled",
    "Denied",
    "Error",
    "HumanLayer",
    "NotApproved",
    "Refusal",
    "TimedOut",
    "__version__",
    "ask_human",
    "ask_human_async",
    "human_as_tool",
    "request_approval",
    "request_approval_async",
    "require_approval",
]

__version__ = "0.1.0"

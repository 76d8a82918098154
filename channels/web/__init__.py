"""The web inbox: the channel that needs no account, served by the broker itself on loopback.

Pages work without scripts; with them they are live. What a script alone enforces (Approve waits until the whole
command was on screen, I9) protects a hurried person: the server cannot know what was looked at. What the server
enforces: session, origin, digest and version of what was shown, the typed code of a critical request.
"""

from channels.web.app import web_inbox
from channels.web.logins import Logins, new_login_link
from channels.web.sessions import Sessions

__all__ = ["Logins", "Sessions", "new_login_link", "web_inbox"]

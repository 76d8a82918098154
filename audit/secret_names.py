"""What secrets are called, and what such a name goes on with where it names something else."""

from __future__ import annotations

from typing import Final

NAMES_OF_SECRETS: Final = (  # by their first letters: of a branch that ignores case, each is tried at each place
    r"(?:p(?:ass(?:words?|wd|phrase|code|\d?(?!\w)(?<!bypass)(?<!compass)(?<!trespass)(?<!surpass))|sk"
    r"|(?:rivate|reshared)[-_]?key|wd(?<![a-z]pwd)(?!\w)"
    r"|w(?![a-z])(?:(?<![a-z]pw)|(?<=rootpw)|(?<=bindpw)|(?<=userpw)|(?<=adminpw)|(?<=[bou]pw)))"
    r"|s(?:ecrets?|(?:hared|torage)[-_]?key)|tokens?|a(?:pi|ccess|ccount|uth)[-_]?keys?|(?:encryption|master)[-_]?key)"
)
"""A pattern of what members, options and variables are called that hold a secret."""
NAMED: Final = "key pass pw secret token psk"
"""One of these is in whatever ``NAMES_OF_SECRETS`` matches."""
TELLS_OF: Final = (
    r"(?<!existingsecret)(?<!existing[-_]secret)(?![\w.-]{0,32}(?:files?|paths?|dir|names?|ur[il]s?|ids?|arns?|types?|count|limit|len(?:gth)?|ttl|expiry|expires"
    r"|expiration|age|policy|reset|required|fields?|(?:key)?refs?|stores?|env|stdin|prompt|version|provider|class"
    r"|rotation|min|max|size|format|prefix|column|mode|method|endpoint|host|scopes?|audience|issuer|lifetime|enabled"
    r"|secs|seconds|hint|label|ize[rd]?|less)(?![\w.-]))"
)
"""Not where the name goes on to tell what is known of a secret, as ``token_ttl`` does, and not the secret."""
REST_OF_NAME: Final = r"\w{0,64}+"
"""What may follow the name of a secret in the same name."""
VAGUE: Final = rf"(?:{NAMES_OF_SECRETS}|key|auth|sig(?:nature)?|sess(?:ion)?)"
"""Also names that say less, so that what follows has to look made by a machine."""

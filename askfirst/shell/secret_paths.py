"""Which files hold secrets, told by their names alone.

Two grades. ``credential``: what logs a person or machine in elsewhere (private SSH keys, cloud and token files,
password stores, the environment of another process). ``config``: files that often hold secrets beside harmless settings
(``.env``, ``*.pem``, ``.npmrc``), which agents read every day while they set up a project.
"""

from __future__ import annotations

import re
from typing import Literal

Grade = Literal["", "config", "credential"]

_CREDENTIAL = re.compile(
    r"""(?:^|/|\ufffc)(?:
        \.ssh/(?!known_hosts|config$|authorized_keys|[^/]*\.pub$|environment$|rc$)[^/]+   # id_*, agent sockets, *
      | \.(?:ssh|aws|gnupg|kube|azure) | \.config/gcloud                                     # the folders themselves
      | id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?
      | \.aws/(?:credentials|sso/cache/.*|cli/cache/.*)
      | (?:\.config/)?gcloud/(?:credentials\.db|access_tokens\.db|application_default_credentials\.json)
      | (?:\.config/)?gcloud/legacy_credentials/.*
      | \.azure/(?:accessTokens\.json|msal_token_cache\..*|service_principal_entries\..*)
      | \.kube/config | \.netrc | _netrc | \.git-credentials | \.pgpass | \.my\.cnf | \.vault-token | \.pypirc
      | \.config/(?:gh/hosts\.yml|hub|doctl/config\.yaml|op/.*|rclone/rclone\.conf)
      | \.terraform\.d/credentials\.tfrc\.json | \.terraformrc
      | \.gnupg/(?:private-keys-v1\.d(?:/.*)?|secring\.gpg|\*) | \.password-store(?:/.*)?
      | (?:\.local/state|\.config|Application\ Support|var/lib|etc)/askfirst/
        (?:.*\.(?:key|secret|token)|[^/]*(?:token|secret|password)[^/]*|remote\.json|(?:logins|originals)/.*)
      | \.claude/\.credentials\.json | \.codex/auth\.json | \.gemini/oauth_creds\.json
      | (?:etc|\*)/(?:shadow|gshadow|master\.passwd)-?
      | proc/(?!self/|thread-self/)[^/]+/environ | (?:var/)?run/secrets/.+
      | Library/Keychains(?:/.*)? | Login\ Data | key[34]\.db | logins\.json | [^/]+\.kdbx | wallet\.dat
    )$""",
    re.VERBOSE,
)
_CONFIG = re.compile(
    r"""(?:^|/|\ufffc)(?:
        \.env(?:\.[\w.-]+)? | [\w-]+\.env | \.envrc | \.npmrc | \.yarnrc(?:\.yml)? | \.docker/config\.json | \.htpasswd
      | [^/]+\.(?:pem|key|p12|pfx|jks|keystore|ppk|asc) | \.aws/config | \.dockercfg | secrets?\.(?:ya?ml|json|toml|env)
      | credentials(?:\.(?:json|ya?ml|toml|ini|xml))? | service[-_]?account[^/]*\.json | \.s3cfg | \.boto | \.secrets?
      | \.gem/credentials | \.cargo/credentials(?:\.toml)? | terraform\.tfvars | [^/]+\.tfstate
      | proc/(?:self|thread-self)/environ
    )$""",
    re.VERBOSE | re.IGNORECASE,
)
_PUBLIC = re.compile(
    r"\.(?:example|sample|template|tmpl|dist|defaults?|schema|test|testing|ci)(?:\.\w+)?$|\.pub$|(?:^|[/._-])(?:ca|cert|"
    r"public|pub|fullchain|chain)[^/]*\.(?:pem|key|asc)$",
    re.IGNORECASE,
)


def secret_grade(path: str) -> Grade:
    """How secret the file at ``path`` is; relative, absolute and partly unknown paths alike."""
    path = path.rstrip("/")
    if not path or len(path) > 4096 or _PUBLIC.search(path):
        return ""
    if _CREDENTIAL.search(path):
        return "credential"
    return "config" if _CONFIG.search(path) else ""

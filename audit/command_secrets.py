"""What secrets look like on command lines, by shape: after a name, in a program's place for one, handed on by a pipe.

- A value after the name of a secret (``--password V``, ``X_TOKEN=V``, ``"apiKey": "V"``).
- A value that looks made by a machine after a name that says less (``SENDGRID_KEY=V``, ``?sig=V``).
- A value where a program expects one (``redis-cli -a V``). What belongs to one command is searched for in its words
  only, so that every secret of it is found, and a letter that means something else to other programs is left alone.
- A value that goes to a program which reads a secret from its standard input.
- Tokens that tell by themselves.

No pattern may take more than linear time for what it reads; ``tests/audit/test_hostile_texts.py`` tries each.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from audit.secret_rule import Rule
from audit.secret_values import QUOTED, VALUE, is_literal, is_made, is_password_of_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAMES_OF_SECRETS: Final = (  # by their first letters: of a branch that ignores case, each is tried at each place
    r"(?:p(?:ass(?:words?|wd|phrase|code|\d?(?!\w)(?<!bypass)(?<!compass)(?<!trespass)(?<!surpass))|sk"
    r"|(?:rivate|reshared)[-_]?key|wd(?<![a-z]pwd)(?!\w)"
    r"|w(?![a-z])(?:(?<![a-z]pw)|(?<=rootpw)|(?<=bindpw)|(?<=userpw)|(?<=adminpw)|(?<=[bou]pw)))"
    r"|s(?:ecrets?|(?:hared|torage)[-_]?key)|tokens?|a(?:pi|ccess|ccount|uth)[-_]?keys?|(?:encryption|master)[-_]?key)"
)
"""A pattern of what members, options and variables are called that hold a secret."""
_NAMED: Final = "key pass pw secret token psk"
"""One of these is in whatever ``NAMES_OF_SECRETS`` matches."""
_TELLS_OF: Final = (
    r"(?<!existingsecret)(?<!existing[-_]secret)(?![\w.-]{0,32}(?:files?|paths?|dir|names?|ur[il]s?|ids?|arns?|types?|count|limit|len(?:gth)?|ttl|expiry|expires"
    r"|expiration|age|policy|reset|required|fields?|(?:key)?refs?|stores?|env|stdin|prompt|version|provider|class"
    r"|rotation|min|max|size|format|prefix|column|mode|method|endpoint|host|scopes?|audience|issuer|lifetime|enabled"
    r"|secs|seconds|hint|label|ize[rd]?|less)(?![\w.-]))"
)
"""Not where the name goes on to tell what is known of a secret, as ``token_ttl`` does, and not the secret."""
_NAMES: Final = rf"{NAMES_OF_SECRETS}{_TELLS_OF}\w{{0,64}}"
_SETS: Final = (
    r"""(?:\\*["'])?\]?(?:\s*(?:=>|:=|=(?!=)|:(?!:))(?:[^\S\n]*|\s*(?=\\*["']))"""
    r"""|(?<=["'])\s*,\s*(?=\\*["'])|(?<=["']\])\s+(?=["']))"""
)
"""What stands between a name and its value: of a member, a variable, an argument, a key in brackets."""
_VAGUE: Final = rf"(?:{NAMES_OF_SECRETS}|key|auth|sig(?:nature)?|sess(?:ion)?)"
_REST: Final = r"""(?:\\[\s\S]|"(?:[^"\\]|\\[\s\S])*+"|'[^']*+'|[^|;&\n"'\\]|["'\\])*+"""
"""The rest of a command, over what is in quotes and lines that go on."""
_WORD: Final = r"(?<![^\s\"'(=])"
"""Not within a word."""
_ARG: Final = r"""(?:"[^"\n]*+"|'[^'\n]*+'|[^\s"'|;&])++"""

_TOKENS: Final = (
    r"sk-[a-zA-Z]{2,10}-[\w-]{16,}|glpat-[\w-]{20,}|xox[a-z]-[\w-]{10,}|AIza[\w-]{35}|ya29\.[\w-]{20,}|pypi-[\w-]{16,}"
    r"|hvs\.[\w-]{20,}|\w{3}\dQ~[\w.~-]{31,40}|AGE-SECRET-KEY-1[0-9A-Z]{40,}|tskey-[\w-]{12,}|GOCSPX-[\w-]{20,}"
    r"|(?:PMAK|NRAK)-[\w-]{20,}"
)
"""Tokens of vendors that are younger than the detector's release, or that it knows in an older form."""
_TOKENS_OF_PARTS: Final = (
    r"github_pat_\w{22,}|gh[pousr]_\w{30,}|hf_\w{30,}|npm_\w{36}|dop_v1_[0-9a-f]{64}|dckr_[op]at_[\w-]{20,}"
)
"""As above, those whose parts are set apart by low lines."""
_ANY_VENDOR: Final = r"\b(?:[a-zA-Z]{1,10}\d?_(?:[a-z]{1,8}_)?[A-Za-z0-9]{24,})(?![\w-])"
"""The form that most vendors give their tokens by now: who, what for, and what is made."""

_BEFORE_A_PASSWORD: Final = (
    (
        (
            "twine mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop cqlsh cypher beeline"
            " rabbitmqadmin elasticsearch psexec psexec64 rdesktop ncftp ncftpput ncftpget ncftpls"
            " veracrypt steghide security sshpass useradd usermod poetry conan xfreerdp winrs signtool certutil nuget"
            " evil crackmapexec nxc login"
        ),
        r"-(?:shell|users|winrm)",
        rf"[-/]p[\s:=]*(?!-){VALUE}",
    ),
    (
        (
            "mysql mysqladmin mysqlbinlog mysqlcheck mysqldump mysqlimport mysqlpump mysqlsh mysqlshow mysqlslap"
            " mysql_upgrade mariadb"
        ),
        r"-[\w-]+",
        rf"-p(?![\s=:]){VALUE}",
    ),
    ("7z 7za 7zr 7zz rar unrar", "", rf"-h?p(?![\s=:]){VALUE}"),
    (
        "zip unzip sqlcmd bcp isql osql tsql mssql mosquitto_pub mosquitto_sub mosquitto_rr ipmitool ssh security",
        r"-(?:cli|keygen)",
        rf"-P\s*(?!-){VALUE}",
    ),
    (
        (
            "ldapadd ldapmodify ldapdelete ldapsearch ldappasswd ldapmodrdn ldapcompare ldapwhoami ldapexop ldapvc"
            " kadmin vsql security"
        ),
        r"\.local",
        rf"-w\s*(?!-){VALUE}",
    ),
    (
        "redis valkey",
        "-cli",
        rf"""(?:-a\s*(?!-){VALUE}|(?i:auth|requirepass)["']?\s+{VALUE}|["']?>([^\s"']+))""",
    ),
    ("snmpget snmpset snmpwalk snmpbulkget snmpbulkwalk snmptable snmptrap", "", rf"-[AX]\s*(?!-){VALUE}"),
    ("openssl", "", rf"""(?:-k\s+(?!-)|-pass\w*\s+["']?pass:|passwd\s+(?:-\w+\s+)*(?!-)){VALUE}"""),
    ("ssh slappasswd ldappasswd", "-keygen", rf"-[Ns]\s*(?!-){VALUE}"),
    ("login auth", "", rf"(?:-t|-k)[\s=]*(?!-){VALUE}"),
    ("nuget", "", rf"(?:-k|(?i:setapikey))\s+(?!-){VALUE}"),
    ("sqlplus sqlldr impdp expdp exp imp rman", "", r"""(?:userid=)?[\w$#]+/([^\s"'@/$]+)"""),
    ("db2", "", rf"using\s+{VALUE}"),
    ("qpdf", "", rf"--encrypt\s+{VALUE}(?=\s)"),
    ("nmcli mysqladmin pdftk rclone", "", rf"(?:(?:user|owner)_pw|pass(?:word)?)\s+(?!-){VALUE}"),
    ("reg schtasks", r"\.exe", rf"(?i:/d|/rp)\s+{VALUE}"),
    ("put", r"-parameter(?=[^|;\n]{0,300}?SecureString)", rf"--value[\s=]+{VALUE}"),
    (
        "config configure",
        ":set",
        (
            rf"""(?i:[\w.:/-]*{NAMES_OF_SECRETS}|pypi-token\.\S+|http-basic\.\S+\s+\S+"""
            rf"""|http\S*\.extraheader\s+["']?authorization:\s*\w+)["']?\s+(?!-){VALUE}"""
        ),
    ),
    ("config", r"\s+set\b(?=[^|;&\n]{0,200}?--secret\b)", rf"set\s+(?:--\S+\s+)*[\w.:-]+\s+(?!-){VALUE}"),
    ("setx setenv set", r"\s+-\w+", rf"(?i:\w*{NAMES_OF_SECRETS}\w*)\s+(?!-|=){VALUE}"),
)
"""Programs and subcommands; what may follow at once; where in their arguments the secret stands.

From: their manual pages.
"""

_ALL_OF: Final = (
    ("vault", r"\bvault\s+(?:kv\s+(?:put|patch)|write\s+(?:secret|kv|cubbyhole)/)", rf"[\w.-]+={VALUE}"),
    (
        "kubectl oc",
        r"\b(?:kubectl|oc)\b[^|;&\n]{0,120}?\screate\s+secret\b",
        rf"""--from-literal[=\s]+["']?[\w.-]+={VALUE}""",
    ),
    (
        "secret secrets",
        r"\bsecrets?[\s:]+(?:set|put|add|create|update|import)\b(?!-)",
        rf"(?:[\w.-]+=|(?:-b|--(?:body|value|data|plaintext))[\s=]*(?!-)){VALUE}",
    ),
)
"""Words; how a command begins that stores secrets; where in its arguments they stand."""

_AFTER_WORDS: Final = (
    ("htpasswd", rf"\bhtpasswd\s+(?:-\w+\s+)*-(?:\w*n\w*b\w*|\w*b\w*n\w*)\s+\S+\s+{VALUE}"),
    ("htpasswd mosquitto_passwd", rf"\b(?:htpasswd|mosquitto_passwd)\s+(?:-\w+\s+)*-\w*b\w*\s+\S+\s+\S+\s+{VALUE}"),
    ("wpa_passphrase", rf"\bwpa_passphrase\s+{_ARG}\s+{VALUE}"),
    ("password", rf"\b(?:set|change|update)-(?:\w+-)?password\s+(?!-){VALUE}"),
    ("password", rf"\buser:password\s+{_ARG}\s+{VALUE}"),
    ("passwd", rf"\s-passwd\s+/Users/\S+\s+{VALUE}"),
    ("rabbitmqctl", rf"\brabbitmqctl\s+(?:-\S+\s+)*(?:add_user|change_password|authenticate_user)\s+\S+\s+{VALUE}"),
    ("mc", rf"\bmc\s+alias\s+set\s+\S+\s+\S+\s+\S+\s+{VALUE}"),
    ("authorize", rf"\baccount\s+authorize\s+\w+\s+{VALUE}"),
    ("vault", rf"\bvault\s+login\s+(?!-){VALUE}"),
    ("cargo", rf"\bcargo\s+login\s+(?!-){VALUE}"),
    ("bw", rf"\bbw\s+unlock\s+(?!-){VALUE}"),
    ("authtoken", rf"\bauthtoken\s+(?!-){VALUE}"),
    ("secret secrets variable", rf"\b(?:secrets?|variable)\s+set\s+(?!-){_ARG}\s+(?![-<|>&;]){VALUE}"),
    ("chamber", rf"\bchamber\s+write\s+\S+\s+\S+\s+(?!-){VALUE}"),
    ("encrypt_string", rf"\bencrypt_string\s+(?:--?vault\S+\s+\S+\s+)*(?!-){VALUE}"),
    ("travis", rf"\btravis\s+encrypt\s+\w+={VALUE}"),
    ("bundle", r"""\bbundle\s+config\b[^|;&\n]{0,120}?\s[\w.-]+\.[\w-]+\s+[\w.-]+:([^\s:/"']+)"""),
    ("qpdf", rf"\bqpdf\s[^|;&\n]{{0,200}}?--encrypt\s+{_ARG}\s+{VALUE}"),
    ("net", rf"(?i)\bnet\s+user\s+\S+\s+(?!/|\*){VALUE}"),
    ("net", rf"(?i)\bnet\s+use\s+\S+\s+(?:\\\\\S+\s+)?(?!/|\*|\\){VALUE}"),
    ("setairportnetwork", rf"-setairportnetwork\s+\S+\s+{_ARG}\s+{VALUE}"),
    ("identified", rf"(?i)\bidentified\s+(?:with\s+\S+\s+)?(?:by|as)\s+(?:password\s+)?{VALUE}"),
    (
        "password",
        (
            r"(?i)\b(?:with|encrypted|login|role|user|for|set|superuser|createdb)\b[^;\n]{0,80}?"
            rf"\bpassword\b\s*(?:=\s*)?(?:password\s*)?\(?\s*N?{QUOTED}"
        ),
    ),
    ("password", rf"\blogin\s+\S+\s+password\s+{VALUE}"),
    ("pgpass", r"""\w:(?:\d{2,5}|\*):[^\s:]+:[^\s:]+:([^\s"']+)[^|\n]{0,20}?>>?[^|\n]{0,80}?\bpgpass\b"""),
    ("send sendline", rf"""(?i)ass(?:word|phrase)\b[^\n]{{0,40}}?\bsend(?:line)?\b[\s(\\-]*{QUOTED}"""),
    ("convertto", rf"(?i)\bconvertto-securestring\s+(?:-string\s+)?(?!-){VALUE}"),
    ("convertto", rf"(?i){QUOTED}\s*\|\s*convertto-securestring"),
    (
        (
            "login auth basicauth httpbasicauth basic_auth credential credentials networkcredential mysqli"
            " changeuserpassword connect setcredentials"
        ),
        (
            r"(?i)\b(?:login|auth|basicauth|httpbasicauth|basic_auth|credentials?|networkcredential|setcredentials|mysqli"
            r"|changeuserpassword|dbi->connect)\s*(?:=\s*)?\(\s*"
            rf"""(?:["'][^"'\n]{{0,200}}["']\s*,\s*)?["'][^"'\n]{{0,80}}["']\s*,\s*{QUOTED}"""
        ),
    ),
    (
        "createuser create_user create_superuser",
        rf"""(?i)\b(?:createuser|create_user|create_superuser)\(\s*(?:["'][^"'\n]{{0,80}}["']\s*,\s*){{1,2}}{QUOTED}""",
    ),
    ("services webhooks", r"(?:hooks\.slack\.com/services|discord(?:app)?\.com/api/webhooks)/([\w/-]{20,})"),
)
"""Words, and what stands before the secret, where a command has one only."""

_READ: Final = (
    r"(?:sudo\s(?:[^|;&\n]{0,80}?\s)?-\w*S|(?:cryptsetup|chpasswd|smbpasswd|passwd|kinit)\b|zfs\s+load-key|su\s|pass\s+insert"
    r"|(?:docker|podman)\s+secret\s+create|gcloud\s+secrets\b|(?:gh|fly|flyctl|wrangler)\s+secrets?\s|vault\s+login"
    r"|databricks\s+configure)"
)
_READ_IF_TOLD: Final = (
    r"(?:--?(?:[a-z]{1,16}-){0,3}stdin\b|\bpassword_stdin\b|--with-token\b|--passphrase-fd\b|-stdinpass\b"
    r"|\bsecrets?\s+(?:put|set|create|versions\s+add)\b)"
)
"""Programs that read a secret from their standard input, and words that tell any program to."""
_READERS: Final = (
    "sudo cryptsetup chpasswd smbpasswd passwd kinit zfs secret secrets pass vault su databricks stdin password_stdin"
    " with passphrase stdinpass"
)
_PUTS: Final = r"""\b(?:echo|printf)\s((?:"[^"\n]*+"|'[^'\n]*+'|[^"'|;&\n]|;\s*(?=(?:echo|printf)\b))++)"""
_TO: Final = r"\|\s*(?:(?:sudo|env|npx|exec)\s+(?:-\w+\s+)*)*"

_HANDED_ON: Final = (
    (
        rf"{_PUTS}{_TO}(?:{_READ}|[^|;&\n]{{0,200}}?{_READ_IF_TOLD})",
        rf"""(?:(?<=\s)(?!-|echo\b|printf\b)|(?<=\w:)|(?<=\\n)){VALUE}""",
    ),
    (rf"""(?:(?<![\w.-]){_READ}|{_READ_IF_TOLD})[^|;&\n<]{{0,200}}<<<\s*(?:["']?\w+:)?{VALUE}""", ""),
    (rf"""(?:(?<![\w.-]){_READ}|{_READ_IF_TOLD})[^|;&\n<]{{0,200}}<<-?\s*["']?\w+["']?\n(?:\w+:)?(\S+)""", ""),
)
"""To a program's standard input: by a pipe, by a here-string, by a here-document; where in that the secrets stand."""

_OURS: Final[tuple[tuple[str, str, str, Callable[[str], bool] | None], ...]] = (
    ("option", _NAMED, rf"(?i)-(?<![\w-][\w-])[\w.-]*{_NAMES}[\w-]{{0,64}}\s+(?!-){VALUE}", is_literal),
    ("assignment", _NAMED, rf"(?i){_NAMES}{_SETS}{VALUE}", is_literal),
    ("assignment", f"{_NAMED} auth sig sess", rf"(?i){_VAGUE}[\w-]{{0,64}}(?:{_SETS}|(?<=key)\s+){VALUE}", is_made),
    (
        "header",
        "auth",
        r"""(?i)\bauthorization(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?(?:\w+\s+)?+([^\s"'`\\]+)""",
        is_literal,
    ),
    (
        "password",
        "-u -a creds",
        (
            r"""-(?<![^\s\"'(=]-)(?:u|-user|-proxy-user|-auth|auth|a|-(?:[a-z]{1,16}-)?creds)[\s=]{0,16}["']?"""
            rf"""(?P<user>[^\s:"'$/@%=]{{1,128}}):(?!(?P=user)\b){VALUE}"""
        ),
        is_password_of_user,
    ),
    ("password", "-u", rf"""-(?<![^\s\"'(=]-)(?:U|-user)[\s=]{{0,16}}["']?[\w\\.-]{{1,128}}%{VALUE}""", is_literal),
    ("password", "-u", r"""\blftp\s[^|;&\n]{0,80}?-u\s*["']?[^\s,"']+,([^\s"'$]+)""", is_literal),
    (
        "cookie",
        "cookie",
        r"""(?i)(?:\bcookie:\s*|--cookie[=\s]+["']?)([^\s"'$`;=]+=[^\s"'$`;]+(?:;\s*[^\s"'$`;=]+=[^\s"'$`;]+)*)""",
        None,
    ),
    ("cookie", "-b", r"""(?<=\s)-b\s*["']?([^\s"'$`;=/]+=[^\s"'$`;]{8,})""", is_literal),
    ("password", "@", r"""://[^\s:/@"'$]*:([^\s/@"'$]+)@""", is_literal),
    ("password", "@", r"""https?://([^\s:/@"'$]{16,})@""", is_made),
    (
        "token",
        "sk- gl xox AIza ya29. pypi- hvs. Q~ key GOCSPX PMAK NRAK",
        rf"\b({_TOKENS})(?![\w-])",
        None,
    ),
    ("token", "_", rf"\b({_TOKENS_OF_PARTS})(?![\w-])", None),
    ("token", ":", r"\b(?:bot)?\d{8,10}:[\w-]{33,35}(?![\w-])", None),
    ("token", "_", _ANY_VENDOR, is_made),
    ("private key", "BEGIN", r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?", None),
)
"""Name, marks, pattern, what tells a secret."""


def _rules() -> Iterator[Rule]:
    for name, marks, pattern, is_secret in _OURS:
        yield Rule(name, re.compile(pattern), tuple(marks.split()), is_secret=is_secret)
    for words, pattern in _AFTER_WORDS:
        yield _password(words, pattern)
    for words, pattern, inner in _ALL_OF:
        yield _password(words, pattern + _REST, inner)
    for words, rest, inner in _BEFORE_A_PASSWORD:
        programs = words.replace(" ", "|")
        yield _password(words, rf"(?<![\w.-])(?:{programs})(?:{rest})?(?=[\s:]){_REST}", inner)
    for pattern, inner in _HANDED_ON:
        yield _password(_READERS, pattern, inner)


def _password(words: str, pattern: str, inner: str = "") -> Rule:
    return Rule(
        "password",
        re.compile(pattern),
        words=tuple(words.split()),
        inner=re.compile(_WORD + inner) if inner else None,
        is_secret=is_literal,
    )


COMMANDS: Final = tuple(_rules())

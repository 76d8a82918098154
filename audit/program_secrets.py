"""Where programs take a secret on their command line: a place of its own, words in front, standard input.

What belongs to one command is searched for in its words only, so that every secret of it is found, and a letter that
means something else to other programs is left alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from audit.secret_names import NAMES_OF_SECRETS
from audit.secret_rule import Rule
from audit.secret_values import QUOTED, VALUE, is_literal

if TYPE_CHECKING:
    from collections.abc import Iterator

_REST: Final = r"""(?:\\[\s\S]|"(?:[^"\\]|\\[\s\S])*+"|'[^']*+'|[^|;&\n"'\\]|["'\\])*+"""
"""The rest of a command, over what is in quotes and lines that go on."""
_WORD: Final = r"(?<![^\s\"'(=])"
"""Not within a word."""
_ARG: Final = r"""(?:"[^"\n]*+"|'[^'\n]*+'|[^\s"'|;&])++"""

_ARGUMENTS: Final = (
    (
        (
            "twine mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop cqlsh cypher beeline"
            " rabbitmqadmin elasticsearch psexec psexec64 rdesktop ncftp ncftpput ncftpget ncftpls"
            " veracrypt steghide security sshpass useradd usermod poetry conan xfreerdp winrs signtool certutil nuget"
            " evil crackmapexec nxc login"
        ),
        r"(?:-(?:shell|users|winrm))?",
        rf"[-/]p[\s:=]*(?!-){VALUE}",
    ),
    (
        (
            "mysql mysqladmin mysqlbinlog mysqlcheck mysqldump mysqlimport mysqlpump mysqlsh mysqlshow mysqlslap"
            " mysql_upgrade mariadb"
        ),
        r"(?:-[\w-]+)?",
        rf"-p(?![\s=:]){VALUE}",
    ),
    ("7z 7za 7zr 7zz rar unrar", "", rf"-h?p(?![\s=:]){VALUE}"),
    (
        "zip unzip sqlcmd bcp isql osql tsql mssql mosquitto_pub mosquitto_sub mosquitto_rr ipmitool ssh security",
        r"(?:-(?:cli|keygen))?",
        rf"-P\s*(?!-){VALUE}",
    ),
    (
        (
            "ldapadd ldapmodify ldapdelete ldapsearch ldappasswd ldapmodrdn ldapcompare ldapwhoami ldapexop ldapvc"
            " kadmin vsql security"
        ),
        r"(?:\.local)?",
        rf"-w\s*(?!-){VALUE}",
    ),
    (
        "redis valkey",
        "(?:-cli)?",
        rf"""(?:-a\s*(?!-){VALUE}|(?i:auth|requirepass)["']?\s+{VALUE}|["']?>([^\s"']+))""",
    ),
    ("snmpget snmpset snmpwalk snmpbulkget snmpbulkwalk snmptable snmptrap", "", rf"-[AX]\s*(?!-){VALUE}"),
    ("openssl", "", rf"""(?:-k\s+(?!-)|-pass\w*\s+["']?pass:|passwd\s+(?:-\w+\s+)*(?!-)){VALUE}"""),
    ("ssh slappasswd ldappasswd", "(?:-keygen)?", rf"-[Ns]\s*(?!-){VALUE}"),
    ("login auth", "", rf"(?:-t|-k)[\s=]*(?!-){VALUE}"),
    ("nuget", "", rf"(?:-k|(?i:setapikey))\s+(?!-){VALUE}"),
    ("sqlplus sqlldr impdp expdp exp imp rman", "", r"""(?:userid=)?[\w$#]+/([^\s"'@/$]+)"""),
    ("db2", "", rf"using\s+{VALUE}"),
    ("qpdf", "", rf"--encrypt\s+{VALUE}(?=\s)"),
    ("nmcli mysqladmin pdftk rclone", "", rf"(?:(?:user|owner|input)_pw|pass(?:word)?)\s+(?!-){VALUE}"),
    ("input_pw", "", rf"[A-Z]+={VALUE}"),
    ("databricks", "", rf"""(?:--(?:string|bytes)-value[\s=]+|string_value["']?\s*:\s*)(?!-){VALUE}"""),
    ("reg schtasks", r"(?:\.exe)?", rf"(?i:/d|/rp)\s+{VALUE}"),
    ("put", r"(?:-parameter(?=[^|;\n]{0,300}?SecureString))?", rf"--value[\s=]+{VALUE}"),
    (
        "config configure",
        "(?::set)?",
        (
            rf"""(?i:[\w.:/-]*{NAMES_OF_SECRETS}|pypi-token\.\S+|http-basic\.\S+\s+\S+"""
            rf"""|http\S*\.extraheader\s+["']?authorization:\s*\w+)["']?\s+(?!-){VALUE}"""
        ),
    ),
    (
        "config",
        "",
        rf"set\s+(?=[^|;&\n]{{0,200}}?--secret\b)(?:--\S+\s+)*[\w.:-]+\s+(?!-){VALUE}",
    ),
    ("setx setenv set", r"(?:\s+-\w+)?", rf"(?i:\w*{NAMES_OF_SECRETS}\w*)\s+(?!-|=){VALUE}"),
    ("codecov codecovcli", r"(?:\.io/bash\)?)?", rf"-t[\s=]*(?!-){VALUE}"),
    ("netlify ntl", "", rf"--auth[\s=]+(?!-){VALUE}"),
    ("caddy", r"\s+hash-password", rf"(?:-p|--plaintext)[\s=]+(?!-){VALUE}"),
    ("functions", r":config:set", rf"[\w.-]*key={VALUE}"),
    ("vault", r"\s+(?:kv\s+(?:put|patch)|write\s+(?:secret|kv|cubbyhole)/\S*)", rf"[\w.-]+={VALUE}"),
    ("kubectl oc", r"\b[^|;&\n]{0,120}?\screate\s+secret", rf"""--from-literal[=\s]+["']?[\w.-]+={VALUE}"""),
    (
        "secret secrets",
        r"[\s:]+(?:set|put|add|create|update|import)",
        rf"(?:[\w.-]+=|(?:-b|--(?:body|value|data|plaintext))[\s=]*(?!-)){VALUE}",
    ),
)
"""Programs and subcommands; what follows at once; where in their arguments secrets stand.

From: their manual pages.
"""

_IMPACKET: Final = (
    "impacket secretsdump psexec smbexec wmiexec atexec dcomexec mssqlclient smbclient getuserspns getnpusers"
    " getadusers gettgt getst lookupsid samrdump rpcdump finddelegation addcomputer"
)
_IMPACKET_USER: Final = r"(?!-)(?:[\w.-]+/)?[\w.$-]+:"
_IMPACKET_TARGET: Final = (
    rf"""(?:(?<='){_IMPACKET_USER}([^'\n]+)@|(?<="){_IMPACKET_USER}([^"\n]+)@"""
    rf"""|(?<=\s){_IMPACKET_USER}(?:{QUOTED}|([^\s"']+))@|(?<=[\s"'])[\w.-]+/[\w.$-]+:{VALUE})"""
)
"""``domain/user:password@host``, or without a host. From: impacket.examples.utils, parse_target and parse_identity."""

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
    ("cloudflared", rf"\bcloudflared(?:\.exe)?\s[^|;&\n]{{0,120}}?\bservice\s+install\s+(?!-){VALUE}"),
    (
        _IMPACKET,
        rf"(?i)\b(?:impacket-\w+|(?:{_IMPACKET.replace(' ', '|')})\.py)\s[^|;&\n]{{0,200}}?{_IMPACKET_TARGET}",
    ),
    ("vault", rf"\bvault\s+login\s+(?!-){VALUE}"),
    ("cargo", rf"\bcargo\s+login\s+(?!-){VALUE}"),
    ("otp", rf"--otp[\s=]+(?!-){VALUE}"),
    ("rclone", rf"\brclone\s+obscure\s+(?!-){VALUE}"),
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
    ("send sendline", rf"""(?i)ss(?:word|phrase)\b[^\n]{{0,40}}?\bsend(?:line)?\b[\s(\\-]*{QUOTED}"""),
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
_NAMED_FILE: Final = r"(?<=-)(?:pass(?:word|phrase)?|secret)(?:[-_]?file)?"
_MADE_FILE: Final = r"""<\(\s*(?:echo|printf)\s((?:"[^"\n]*+"|'[^'\n]*+'|[^"'()|;&\n])++)\)"""
_PUT: Final = rf"""(?:(?<=\s)(?!-|echo\b|printf\b)|(?<=\w:)|(?<=\\n)){VALUE}"""

_HANDED_ON: Final = (
    (_READERS, rf"{_PUTS}{_TO}(?:{_READ}|[^|;&\n]{{0,200}}?{_READ_IF_TOLD})", _PUT),
    ("pass password passphrase secret", rf"{_NAMED_FILE}[\s=]+(?:\w+:)?{_MADE_FILE}", _PUT),
    (_READERS, rf"""(?:(?<![\w.-]){_READ}|{_READ_IF_TOLD})[^|;&\n<]{{0,200}}<<<\s*(?:["']?\w+:)?{VALUE}""", ""),
    (
        _READERS,
        rf"""(?:(?<![\w.-]){_READ}|{_READ_IF_TOLD})[^|;&\n<]{{0,200}}<<-?\s*["']?\w+["']?\n(?:\w+:)?(\S+)""",
        "",
    ),
)
"""Words; what a program's standard input, or a file in place of one, is made of; where in that the secrets stand."""


def program_rules() -> Iterator[Rule]:
    """The rules of this module."""
    for words, follows, inner in _ARGUMENTS:
        programs = words.replace(" ", "|")
        yield _password(words, rf"(?<![\w.-])(?:{programs}){follows}(?=[\s:]){_REST}", inner)
    for words, pattern in _AFTER_WORDS:
        yield _password(words, pattern)
    for words, pattern, inner in _HANDED_ON:
        yield _password(words, pattern, inner)


def _password(words: str, pattern: str, inner: str = "") -> Rule:
    return Rule(
        "password",
        re.compile(pattern),
        words=tuple(words.split()),
        inner=re.compile(_WORD + inner) if inner else None,
        is_secret=is_literal,
    )

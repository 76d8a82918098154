"""Programs that are harmless by construction: they read, print, test, build or fetch packages into the project.

Data only. A program that is not here and in no pack is simply not known, which stops nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from askfirst.shell.command import Command

_SHELL = """
    : true false [ [[ test echo printf print pwd cd pushd popd dirs export declare typeset local readonly set unset
    shift read type which whereis command hash alias unalias times ulimit umask wait jobs fg bg sleep exit return
    break continue let getopts shopt source . exec eval trap mapfile readarray help history
"""
"""Built-ins of the shell and what goes with them."""
_READING = """
    ls ll la dir vdir exa eza tree cat bat less more head tail nl tac rev wc sort uniq cut paste join comm column
    fold fmt expand tr grep egrep fgrep zgrep rg ag ack diff cmp sdiff colordiff diffstat md5sum sha1sum sha224sum
    sha256sum sha384sum sha512sum b2sum cksum sum md5 shasum file stat du df find fd locate strings xxd od hexdump
    hd base64 base32 basename dirname realpath readlink seq yes date cal uptime whoami id groups users who w last
    hostname uname arch nproc free vmstat iostat lscpu lsmem lsblk lspci lsusb lsof ps top htop pgrep pidof pstree
    env printenv locale tty stty getent getconf nm objdump readelf ldd size c++filt jq yq xmllint tokei cloc scc
    ping ping6 dig host nslookup whois traceroute tracepath mtr ss netstat ip ifconfig man info apropos tldr clear
    reset tput bc dc expr factor numfmt tsort ptx shuf sleep time timeout nice nohup zcat bzcat xzcat zless acpi
    sensors sw_vers system_profiler git-lfs delta difft mediainfo ffprobe identify exiftool pdfinfo pdftotext
    nvidia-smi lshw dmidecode fc-list
"""
"""Programs that read and print."""
_WORKING = """
    mkdir touch mktemp pytest py.test tox nox unittest mypy pyright ruff flake8 pylint black isort bandit coverage
    eslint prettier tsc jest vitest mocha ava karma cypress phpunit rspec rubocop shellcheck shfmt hadolint yamllint
    markdownlint gcc g++ cc c++ clang clang++ cpp ld as ar ranlib rustc javac ghc ocamlc nasm gofmt goimports golint
    golangci-lint staticcheck rustfmt cmake ctest ninja meson bazelisk gcov valgrind gdb autopep8 yapf pyflakes
    pydocstyle sphinx-build mkdocs protoc latexmk pdflatex xelatex pandoc
"""
"""Programs that make folders and empty files, check, format, test, build."""
_SPEAKING = """
    banner boxes cowsay cowthink dialog espeak figlet lolcat logger mesg notify-send osd_cat say terminal-notifier
    toilet wall whiptail write zenity
"""
"""Programs that show people the words they are given."""
ALWAYS = frozenset(f"{_SHELL} {_READING} {_WORKING} {_SPEAKING}".split())
_SUBCOMMANDS: dict[str, frozenset[str]] = {
    "pip": frozenset("install list show freeze check download wheel index config debug".split()),
    "npm": frozenset(
        "install i ci test t ls list view info outdated audit run-script run start help explain why fund".split()
    ),
    "pnpm": frozenset("install i test ls list outdated audit run start why add".split()),
    "yarn": frozenset("install test list info outdated audit run start why add build lint".split()),
    "bun": frozenset("install test run add build pm".split()),
    "cargo": frozenset(
        "build b check c test t run r doc bench clippy fmt tree metadata search fetch add update new init".split()
    ),
    "go": frozenset("build test run vet fmt list doc env version get mod install generate".split()),
    "uv": frozenset("sync lock add pip tree venv python version build".split()),
    "poetry": frozenset("install lock add show check build env version update".split()),
    "bundle": frozenset("install check list show info outdated".split()),
    "gem": frozenset("list search info install environment".split()),
    "composer": frozenset("install show outdated validate require update".split()),
    "mvn": frozenset("compile test package verify validate test-compile dependency:tree".split()),
    "gradle": frozenset("build test check assemble tasks dependencies".split()),
    "dotnet": frozenset("build test run restore list".split()),
    "apt-get": frozenset("update install".split()),
    "apt": frozenset("update install list search show".split()),
    "brew": frozenset("list info search install update".split()),
    "conda": frozenset("list info env search install create".split()),
}
_ALIASES = {"pip3": "pip", "gradlew": "gradle", "mvnw": "mvn"}


_WRITING = {
    "sort": ("-o", "--output"),
    "shuf": ("-o", "--output"),
    "tree": ("-o",),
    "yq": ("-i", "--inplace", "--in-place"),
    "date": ("-s", "--set"),
    "history": ("-c", "-d", "-w"),
    "xxd": ("-r", "-revert"),
    "ip": ("add", "del", "delete", "set", "flush", "replace", "change"),
    "ifconfig": ("down", "up"),
    "dmidecode": ("--dump-bin",),
    "coverage": ("erase", "run"),
}
"""Words that turn a program that reads into one that writes."""


def is_listed(name: str) -> bool:
    """Whether the program is in these tables, whatever it is told."""
    return name in ALWAYS or _ALIASES.get(name, name) in _SUBCOMMANDS


def is_harmless(command: Command) -> bool:
    """Whether nothing can be lost by this command itself; redirections and inner commands are judged apart."""
    name = command.program
    if name in ALWAYS:
        return not any(word.text.startswith(_WRITING.get(name, ())) for word in command.args)
    verbs = _SUBCOMMANDS.get(_ALIASES.get(name, name))
    if verbs is None:
        return False
    first = next((word for word in command.args if not word.text.startswith("-")), None)
    return first is not None and first.text in verbs

"""A real IMAP server for tests: Dovecot from the system's packages, on loopback, in a folder of its own.

It takes IMAP with STARTTLS and by TLS from the start, with a certificate of an authority made for it.
"""

from __future__ import annotations

import datetime as dt
import getpass
import grp
import imaplib
import ipaddress
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator

USER, PASSWORD = "askfirst@example.com", "dummy-password"  # of a server on loopback
START_TIMEOUT_S = 30
_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 1
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = yes
mail_location = maildir:{folder}/home/%u
auth_mechanisms = plain
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={mailer} gid={group} home={folder}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class Dovecot:
    """One server.

    Attributes:
        ports: of ``imap`` (STARTTLS) and ``imaps``.
        authority: file of the authority that its certificate is of.
    """

    def __init__(self, folder: Path) -> None:
        self.ports = {"imap": _free_port(), "imaps": _free_port()}
        self.authority = folder / "cert.pem"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        certify(folder)
        text = _CONFIG.format(folder=folder, password=PASSWORD, **_users(folder), **self.ports)
        (folder / "dovecot.conf").write_text(text, encoding="utf-8")

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            FileNotFoundError: it is not installed; the tests never skip for it.
        """
        program = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            raise FileNotFoundError("Dovecot was not found; run `python3 tools/install.py dovecot`")
        self._process = subprocess.Popen(
            [program, "-F", "-c", self._folder / "dovecot.conf"],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=START_TIMEOUT_S)
        while dt.datetime.now(dt.UTC) < deadline and self._process.poll() is None:
            try:
                self.connection().logout()
            except OSError:
                time.sleep(0.02)
                continue
            return
        self.stop()
        log = self._folder / "log"
        raise RuntimeError(f"Dovecot did not start:\n{log.read_text(encoding='utf-8') if log.exists() else ''}")

    def stop(self) -> None:
        """End it and every connection."""
        if self._process is not None:
            self._process.terminate()
            os.killpg(self._process.pid, signal.SIGKILL)  # its children take up to ten seconds to leave
            self._process.wait(timeout=20)
            self._process = None

    def connection(self, user: str = USER) -> imaplib.IMAP4_SSL:
        """A connection that is logged in, by the standard library; every user has an inbox and the one password."""
        trust = ssl.create_default_context(cafile=str(self.authority))
        connection = imaplib.IMAP4_SSL("127.0.0.1", self.ports["imaps"], ssl_context=trust, timeout=10)
        connection.login(user, PASSWORD)
        return connection

    def deliver(self, *mails: bytes, user: str = USER) -> None:
        """Put mails into somebody's inbox."""
        connection = self.connection(user)
        for each in mails:
            connection.append("INBOX", "", "", each)
        connection.logout()


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """A server that runs."""
    with tempfile.TemporaryDirectory(prefix="askfirst-dovecot-") as name:
        folder = Path(name)
        server = Dovecot(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def certify(folder: Path) -> None:
    """A key and a certificate for 127.0.0.1 that vouches for itself, in ``key.pem`` and ``cert.pem``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test server")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "key.pem").touch(mode=0o600)
    (folder / "key.pem").write_bytes(private)
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))


def _users(folder: Path) -> dict[str, str]:
    """Whom its processes run as: ourselves, but those of its package where we are root, which it refuses to be."""
    home = folder / "home"
    home.mkdir()
    if os.geteuid() != 0:
        me, ours = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
        return {"internal": me, "login": me, "mailer": me, "group": ours}
    folder.chmod(0o711)
    shutil.chown(home, "nobody", "dovecot")
    return {"internal": "dovecot", "login": "dovenull", "mailer": "nobody", "group": "dovecot"}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])

"""The connection to a broker on another machine: TLS that is verified, one token, and a sentence for whatever fails.

- Which authorities are trusted is decided by the file that the person named, or by the system's store; variables like
  ``SSL_CERT_FILE`` and proxies are ignored, since the agent's session can set them.
- A redirect is not followed: the token goes to the one address.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from askfirst.errors import BrokerUnavailableError, ConfigError, Error, NotAllowedError, error_of

if TYPE_CHECKING:
    from askfirst.relay.remote import Remote

CONNECT_S = 5.0
CALL_S = 20.0
"""What one call may take that waits for nobody, seconds."""
_STORES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_FRESH = "let the broker's owner make a new one and run `askfirst install --remote URL` again"


def trust(ca: str) -> ssl.SSLContext:
    """What verifies the broker's certificate.

    Args:
        ca: file of certificates to trust, ``""``: the system's.

    Raises:
        ConfigError: there are none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    known = ssl.get_default_verify_paths()
    files = [ca] if ca else [each for each in (known.openssl_cafile, *_STORES) if each and Path(each).is_file()][:1]
    folder = None if ca or not known.openssl_capath or not Path(known.openssl_capath).is_dir() else known.openssl_capath
    try:
        for file in files:
            context.load_verify_locations(cafile=file)
        if folder is not None:
            context.load_verify_locations(capath=folder)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"no certificates in {ca or folder}: {error.strerror or error}") from error
    if not files and folder is None:
        raise ConfigError("this system has no store of certificates; name the broker's with --ca FILE")
    return context


def client(remote: Remote) -> httpx.AsyncClient:
    """A client that shows the token to that address alone.

    Raises:
        ConfigError: nothing to verify its certificate by.
    """
    return httpx.AsyncClient(
        base_url=remote.url,
        headers={"Authorization": f"Bearer {remote.token}", "Accept-Encoding": "identity"},
        verify=trust(remote.ca) if remote.is_tls else False,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(CALL_S, connect=CONNECT_S),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=16),
    )


def unreachable(remote: Remote, error: Exception) -> BrokerUnavailableError:
    """Why the broker cannot be asked, as a sentence; ``error`` is what httpx raised."""
    return BrokerUnavailableError(f"the broker at {remote.url} {_why(error)}")


def refused(remote: Remote, response: httpx.Response) -> Error:
    """What a status that is no success means here."""
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return NotAllowedError(f"the broker at {remote.url} does not take this machine's token any more; {_FRESH}")
    if response.is_redirect:
        return BrokerUnavailableError(f"{remote.url} answers with a redirect, which is not followed: name the broker")
    try:
        detail = str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"it answered {response.status_code}, expected a broker's answer"
    return error_of(response.status_code)(f"the broker at {remote.url}: {detail[:500]}")


def _why(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "does not answer in time; is it running, and is the network there?"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"shows a certificate that is not trusted ({cause.verify_message}); is that the right machine? Its CA "
                "is named with `askfirst install --remote URL --ca FILE`"
            )
        if isinstance(cause, ssl.SSLError):
            return f"does not speak TLS as expected ({cause.reason or cause})"
        cause = cause.__cause__ or cause.__context__
    return f"cannot be reached ({str(error) or type(error).__name__}); is it running, and is the network there?"

"""The listener for other machines."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from askfirst.broker.server import Tls
from askfirst.errors import BrokerUnavailableError, ConfigError

if TYPE_CHECKING:
    from askfirst.listen_config import ListenConfig


def serving(config: ListenConfig) -> Tls:
    """What serves other machines, once it is sure that the certificate and the key belong together.

    Raises:
        ConfigError: they do not, or one of them cannot be read.
        BrokerUnavailableError: the address cannot be had.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(config.certificate, config.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{config.certificate} and {config.key} cannot be used as certificate and key: {error.strerror or error}"
        ) from error
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
    except OSError as error:
        listener.close()
        raise BrokerUnavailableError(f"{config.host}:{config.port} cannot be listened on: {error.strerror}") from error
    listener.listen(1024)
    return Tls(listener=listener, certificate=str(config.certificate), key=str(config.key))

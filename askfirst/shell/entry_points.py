"""The program that runs where a command line names what it comes in: ``docker run hashicorp/terraform destroy``.

Sources: the ENTRYPOINT of the images on Docker Hub, nix3-run(1) «installables», ``go help run``,
docs.deno.com/runtime/fundamentals/node «npm: specifiers».
"""

from __future__ import annotations

import posixpath
import re
from typing import Final

_IMAGES: Final = {
    **{
        name: name
        for name in (
            "argocd cdk consul doctl eksctl flyctl flyway gh git helm kubectl liquibase mc nomad packer pulumi rclone"
            " restic skopeo terraform terragrunt tofu vault"
        ).split()
    },
    "aws-cli": "aws",
    "awscli": "aws",
    "awscli2": "aws",
    "docker-flyway": "flyway",
    "k8s-kubectl": "kubectl",
    "opentofu": "tofu",
}
"""The last part of an image's, a service's or a package's name -> the program that its arguments go to."""
_TAG: Final = re.compile(r"[:@].*", re.DOTALL)
_SPECIFIER: Final = re.compile(r"(?:npm|jsr):/?((?:@[\w.-]+/)?[\w.-]+)(?:@[^/]*)?(?:/([\w.-]+))?")
_NAME: Final = re.compile(r"[\w.+-]+")


def of_image(text: str) -> str:
    """The program that an image starts, or a service called like one; ``""``: what follows is the command."""
    return _IMAGES.get(_TAG.sub("", text.rpartition("/")[2]), "")


def of_installable(text: str) -> str:
    """The program of ``nixpkgs#terraform`` or ``github:NixOS/patchelf``; ``""``: this folder's default."""
    flake, _, fragment = text.partition("#")
    name = fragment.rpartition(".")[2] if fragment else posixpath.basename(flake.rpartition(":")[2].partition("?")[0])
    return _IMAGES.get(name, name) if _NAME.fullmatch(name) and name.strip(".") else ""


def of_specifier(text: str) -> str:
    """The program of ``npm:@scope/tool@1.2/bin`` or ``jsr:@scope/tool``, as packs know it; ``""`` for another word."""
    match = _SPECIFIER.fullmatch(text)
    return (match[2] or match[1]) if match else ""


def of_go_package(text: str) -> str:
    """The program of ``github.com/org/tool@latest``; ``""`` for a package or files of the project."""
    path, at, _ = text.partition("@")
    return posixpath.basename(re.sub(r"/v\d+$", "", path)) if at else ""

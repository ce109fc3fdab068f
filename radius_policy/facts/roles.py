"""Tool roles proposed from an inventory: what a program that was there before seems to be for.

A role belongs to a content (SHA-256), never to a name: the well-known names below only *propose* a role for a hash
that the inventory lists, and an admin confirms it. A program of the same name with another hash has no role.
Only role `deployment` carries a trust, and only once confirmed (tables.md, Grace rules).
"""

import re
from collections.abc import Iterable
from typing import Final, Protocol

from radius_policy.facts import places
from radius_policy.model import DEFAULT_TENANT, Sha256, TenantId, Tool, ToolRole


class Line(Protocol):
    """What is read of an inventory line (the agent's, or a replay's). `signer` is a name or None."""

    @property
    def sha256(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def signer(self) -> str | None: ...


_PATTERNS: Final[tuple[tuple[ToolRole, str], ...]] = (
    (
        ToolRole.DEPLOYMENT,
        "ccmexec|ccmsetup|intunemanagementextension|microsoft\\.management\\.services\\.intunewindowsagent"
        "|baramundi.*agent|bma|opsiclientd|opsi-script|winst32|pdqdeployrunner.*|kace.*agent|ansible-pull|puppet|chef-client|salt-minion",
    ),
    (
        ToolRole.PACKAGE_MANAGER,
        "dpkg|dpkg-deb|apt|apt-get|aptitude|unattended-upgrade|packagekitd|rpm|rpm2cpio|dnf.*|yum|zypper|pacman|apk|snapd|flatpak"
        "|msiexec|trustedinstaller|tiworker|winget|choco|scoop|dism|wusa",
    ),
    (
        ToolRole.UPDATER,
        ".*updat(?:e|er|r|erservice|eservice|esvc)(?:64|32|-x64)?|.*autoupdate.*|squirrel|upd(?:64)?|maintenanceservice|.*[-_.]update(?:r)?[-_.].*",
    ),
    (
        ToolRole.COMPILER,
        "mscorsvw|ngen|ngentask|crossgen2?|msbuild|devenv|csc|vbc|fsc|vbcscompiler|cl|link|lld(?:-link)?|dotnet"
        "|cc|cc1|cc1plus|collect2|gcc(?:-[\\d.]+)?|g\\+\\+(?:-[\\d.]+)?|c\\+\\+|clang(?:\\+\\+)?(?:-[\\d.]+)?|ld(?:\\.bfd|\\.gold|\\.lld)?|mold|as"
        "|(?:x86_64|aarch64|i686)-linux-gnu-.*|go|gopls|compile|rustc|cargo|rust-analyzer|javac|kotlinc|gradle|mvn|bazel|ninja|make|nmake|cmake"
        "|swiftc|ghc|stack|cabal|zig|nim|dmd|ldc2|fpc|tcc|ocamlopt|dkms|pyinstaller|code|rider64|idea64|clion64|goland64|eclipse|qtcreator",
    ),
    (
        ToolRole.INTERPRETER,
        "wscript|cscript|mshta|rundll32|regsvr32|installutil|regasm|regsvcs|msxsl|python[\\d.]*w?|pythonw|pyw?|perl[\\d.]*|ruby[\\d.]*|node|deno|bun|php[\\d.]*"
        "|lua[\\d.]*|java|javaw|tclsh|wish|awk|gawk|mawk|osascript|autoit3.*|autohotkey.*",
    ),
    (ToolRole.SHELL, "cmd|powershell|pwsh|bash|sh|dash|zsh|ksh|fish|tcsh|csh|busybox|windowsterminal|wsl|conhost"),
)
"""Names that propose a role, first match wins. Explorer is no shell here: it starts whatever a user clicks."""

_NAMES: Final = tuple((role, re.compile(rf"^(?:{pattern})(?:\.exe)?$")) for role, pattern in _PATTERNS)

_MAKERS: Final = {
    "mscorsvw": "native-image", "ngen": "native-image", "crossgen": "native-image", "crossgen2": "native-image",
    "dkms": "kernel-module", "powershell": "policy-probe", "pwsh": "policy-probe",
}  # fmt: skip


def role_for(name: str) -> ToolRole | None:
    """The role that a file name proposes, or None. A proposal, for an inventoried hash only."""
    lowered = name.lower()
    return next((role for role, pattern in _NAMES if pattern.match(lowered)), None)


def proposals() -> tuple[tuple[ToolRole, tuple[str, ...]], ...]:
    """The table of names for the docs: each role with its patterns."""
    return tuple((role, tuple(re.split(r"\|(?![^(]*\))", pattern))) for role, pattern in _PATTERNS)


def propose(lines: Iterable[Line], *, tenant: TenantId = DEFAULT_TENANT) -> dict[Sha256, Tool]:
    """The tools of an inventory by hash. `never_signed`: neither the tool nor any inventoried program of its home
    folder is signed, so its vendor never signs. One hash at several places has a home only where they agree."""
    lines = list(lines)
    signed_roots = {places.place(line.path).root for line in lines if line.signer}
    found: dict[Sha256, Tool] = {}
    for line in lines:
        here = places.place(line.path)
        role = role_for(here.name)
        if role is None:
            continue
        folder = places.home(line.path)
        home = places.root_of(folder) if folder else ""
        never = not line.signer and not any(places.under(root, home) for root in signed_roots if home)
        stem = here.name.removesuffix(".exe").lower()
        sha = Sha256(line.sha256)
        before = found.get(sha)
        if before is not None:
            home, never = (home if home == before.home else ""), never and before.never_signed
        found[sha] = Tool(tenant, sha, role, here.name, home, never, _MAKERS.get(stem, ""))
    return found

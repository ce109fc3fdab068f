"""A Postfix of the test's own: configuration, queue, mailboxes and users in one folder, ports on the loopback.

It speaks STARTTLS on one port and TLS from the first octet on another, and takes mail only from somebody who has logged
in. Nothing of the machine's own Postfix is read, written or started.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from api import tls

MASTER = Path("/usr/lib/postfix/sbin/master")

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
myhostname = localhost
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = example.org
virtual_mailbox_base = {folder}/inbox
virtual_mailbox_maps = inline:{{ {{ admin@example.org = admin/ }} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
cyrus_sasl_config_path = {folder}/sasl
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = test
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtputf8_enable = no
"""

SERVICES = """\
127.0.0.1:{starttls} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
127.0.0.1:{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """A running server. `log` is what it said."""

    folder: Path
    starttls: int
    smtps: int

    def inbox(self, count: int) -> list[EmailMessage]:
        """The mails in the mailbox, once there are so many."""
        new = self.folder / "inbox" / "admin" / "new"
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            files = sorted(new.iterdir(), key=lambda file: file.stat().st_mtime_ns) if new.is_dir() else []
            if len(files) >= count:
                found = [message_from_bytes(file.read_bytes(), policy=SMTP) for file in files]
                return [mail for mail in found if isinstance(mail, EmailMessage)]
            time.sleep(0.05)
        raise AssertionError(f"{count} mails did not arrive:\n{self.log}")

    @property
    def log(self) -> str:
        file = self.folder / "mail.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


@contextmanager
def postfix(material: tls.Material, user: str, password: str) -> Iterator[Postfix]:
    """The server, with one user who may send."""
    with tempfile.TemporaryDirectory(prefix="postfix-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # Postfix's own users must reach their files, which pytest's folders do not let them
        with _running(folder, material, user, password) as made:
            yield made


@contextmanager
def _running(folder: Path, material: tls.Material, user: str, password: str) -> Iterator[Postfix]:
    nobody = pwd.getpwnam("nobody")
    made = Postfix(folder, _free_port(), _free_port())
    for name in ("queue", "data", "inbox", "sasl"):
        (folder / name).mkdir(parents=True)
    owner = pwd.getpwnam("postfix").pw_uid
    os.chown(folder / "data", owner, -1)
    os.chown(folder / "inbox", nobody.pw_uid, nobody.pw_gid)
    values = {"folder": folder, "uid": nobody.pw_uid, "gid": nobody.pw_gid}
    values |= {"certificate": material.certificate_file, "key": material.key_file}
    (folder / "main.cf").write_text(MAIN.format(**values), encoding="utf-8")
    (folder / "master.cf").write_text(SERVICES.format(starttls=made.starttls, smtps=made.smtps), encoding="utf-8")
    database = folder / "sasl" / "sasldb2"
    (folder / "sasl" / "smtpd.conf").write_text(
        f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {database}\nmech_list: PLAIN LOGIN\n"
    )
    _sbin("saslpasswd2", "-p", "-c", "-f", str(database), "-u", "test", user, given=password)
    os.chown(database, owner, -1)
    _sbin("postfix", "-c", str(folder), "check")
    with subprocess.Popen([MASTER, "-c", str(folder), "-d"], stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 15
            while any(_closed(port) for port in (made.starttls, made.smtps)):
                assert process.poll() is None, made.log
                assert time.monotonic() < deadline, made.log
                time.sleep(0.05)
            yield made
        finally:
            process.terminate()
            process.wait(10)


def _sbin(program: str, *arguments: str, given: str = "") -> None:
    found = shutil.which(program, path=f"/usr/sbin:/usr/bin:{os.environ.get('PATH', '')}") or program
    done = subprocess.run([found, *arguments], input=given.encode(), capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, f"{program}: {done.stderr.decode()}"


def _closed(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""A cluster of Dask on loopback with TLS, whose certificates are made for it."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import framefox_tasks

_PRELOAD = ("--preload", "framefox_tasks.fleet.worker")
_SECONDS = 120
_READY = ("Fleet worker in", "Worker of copies in")


def make_certificate(folder: Path) -> dict[str, str]:
    """A certificate that signs itself; gives the variables by which Dask finds it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    parts = {"CA_FILE": cert}
    for who in ("SCHEDULER", "WORKER", "CLIENT"):
        parts |= {f"{who}__CERT": cert, f"{who}__KEY": private}
    found = {f"DASK_DISTRIBUTED__COMM__TLS__{part}": str(path) for part, path in parts.items()}
    return {**found, "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true"}


@dataclass
class DaskCluster:
    """A scheduler and its workers, each of one thread."""

    folder: Path
    env: dict[str, str]
    address: str = ""
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add_worker(self) -> None:
        options = ("--scheduler-file", "scheduler.json", "--nthreads", "1", "--no-nanny", "--no-dashboard")
        self.workers.append(self._start("worker", *options, *_PRELOAD))

    def start(self) -> None:
        options = ("--scheduler-file", "scheduler.json", "--host", "tls://127.0.0.1", "--port", "0", "--no-dashboard")
        self.scheduler = self._start("scheduler", *options, *_PRELOAD)
        deadline = time.monotonic() + _SECONDS
        while not self.address:
            assert self.scheduler.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)
            file = self.folder / "scheduler.json"
            self.address = json.loads(file.read_text() or "{}").get("address", "") if file.exists() else ""

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / "dask.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments],
                cwd=self.folder,
                env={**self.env, "PYTHONUNBUFFERED": "1"},
                stdout=log,
                stderr=log,
            )

    def log(self) -> str:
        return (self.folder / "dask.log").read_text(errors="replace")

    def raised(self) -> bool:
        """Whether something of ours raised an error there; Dask tells errors of its own too, as of a lost heartbeat."""
        return str(Path(framefox_tasks.__file__).parent) in self.log()

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process:
                process.kill()
                process.wait()


@contextmanager
def running_cluster(folder: Path, env: dict[str, str], workers: int = 2) -> Iterator[DaskCluster]:
    cluster = DaskCluster(folder, env)
    try:
        cluster.start()
        for _ in range(workers):
            cluster.add_worker()
        deadline = time.monotonic() + _SECONDS
        while sum(map(cluster.log().count, _READY)) < workers:
            assert time.monotonic() < deadline, cluster.log()
            time.sleep(0.1)
        yield cluster
    finally:
        cluster.end()

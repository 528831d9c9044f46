"""The server that Prefect starts for a command without one: it wants a login that only this process knows."""

import os
import subprocess
import sys
from pathlib import Path

ASK = """
import flows.runtime
import httpx
from prefect.client.orchestration import get_client
with get_client(sync_client=True) as client:
    client.upsert_global_concurrency_limit_by_name("theirs", 1)  # we may read and change
    assert client.read_global_concurrency_limit_by_name("theirs").limit == 1
    server = str(client.api_url).rstrip("/")
    print("without", httpx.get(server + "/admin/version").status_code)
    foreign = httpx.get(server + "/health", headers={"Origin": "http://evil.example"})
    print("allowed", foreign.headers.get("access-control-allow-origin"))
"""


def environment(home: Path, **more: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return own | {"FACESWAP_HOME": str(home)} | more


def test_it_answers_us_only(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert "without 401" in done.stdout
    assert "allowed None" in done.stdout


def test_a_server_of_the_users_own_gets_no_login_of_ours(tmp_path: Path) -> None:
    say = "import os, flows.runtime; print(sorted(n for n in os.environ if 'AUTH_STRING' in n))"
    done = subprocess.run(
        [sys.executable, "-c", say],
        env=environment(tmp_path, PREFECT_API_URL="http://127.0.0.1:9/api"),
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    assert done.stdout.strip() == "[]"

"""A Dask cluster with certificates, made as docs/team.md says: who has none of that authority stays out."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from faceswap.dask_cluster import certificates
from faceswap.errors import SettingsError
from faceswap.fan_out import fan_out
from faceswap.settings import settings
from tests.cluster import Cluster, cluster

pytestmark = pytest.mark.timeout(180)  # workers import much
TEAM = Path(__file__).parents[1] / "docs" / "team.md"


def make_certificates(folder: Path) -> Path:
    """What the documentation's own commands make."""
    if not shutil.which("openssl"):
        pytest.skip("there is no openssl on this machine")
    section = TEAM.read_text().partition("### Certificates for Dask")[2]
    commands = section.partition("```sh\n")[2].partition("```")[0]
    folder.mkdir()
    subprocess.run(["sh", "-e", "-c", commands], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def team(ours: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster"), 1, tls=ours) as made:
        yield made


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], None]:
    def with_folder(folder: object) -> None:
        monkeypatch.setenv("FACESWAP_DASK_TLS", str(folder))
        settings.cache_clear()

    return with_folder


def double(piece: int) -> int:
    return 2 * piece


def done(address: str) -> list[int]:
    with closing(fan_out(address, double, [1, 2])) as results:
        return sorted(result for _, result in results)


def test_a_worker_with_the_certificate_does_the_work(
    team: Cluster, ours: Path, use: Callable[[object], None]
) -> None:
    use(ours)
    assert done(team.address) == [2, 4]


def test_who_has_another_authoritys_certificate_or_none_is_refused(
    team: Cluster, tmp_path: Path, use: Callable[[object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faceswap.dask_cluster._CONNECT_SECONDS", 2)
    use(make_certificates(tmp_path / "theirs"))
    with pytest.raises(SettingsError, match="does not trust the certificate"):
        done(team.address)
    use("")
    with pytest.raises(SettingsError, match="no Dask scheduler") as refused:
        done(team.address.replace("tls://", "tcp://"))
    assert "tls://" in str(refused.value)


def test_an_address_and_certificates_that_do_not_fit_each_other_are_told(
    tmp_path: Path, use: Callable[[object], None]
) -> None:
    with pytest.raises(SettingsError, match="FACESWAP_DASK_TLS names none"):
        certificates("tls://10.0.0.5:8786")
    use(tmp_path)
    with pytest.raises(SettingsError, match="nothing would be encrypted"):
        certificates("tcp://10.0.0.5:8786")
    with pytest.raises(SettingsError, match=r"has no ca.pem, cert.pem, key.pem"):
        certificates("tls://10.0.0.5:8786")

import socket
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from faceswap.errors import SettingsError, TrackingError
from faceswap.settings import Settings, settings
from serving.guard.access import check, is_local, login
from serving.server import server, warm
from tests.serving.fakes import MemoryRegistry, listed, workshop
from tests.swap.fakes import KnownFaces


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def given(**values: object) -> Settings:
    return settings().model_copy(update={"app_port": free_port(), **values})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_no_login_no_listening_to_others(host: str) -> None:
    with pytest.raises(SettingsError, match="FACESWAP_APP_PASSWORD"):
        check(given(app_host=host))


def test_with_a_login_it_may_listen_to_others() -> None:
    check(given(app_host="0.0.0.0", app_user="ann", app_password=SecretStr("secret")))
    check(given(app_host="127.0.0.1"))
    check(given(app_host="localhost"))


def test_half_a_login_is_refused() -> None:
    with pytest.raises(SettingsError, match="Only one of"):
        check(given(app_user="ann"))
    with pytest.raises(SettingsError, match="Only one of"):
        check(given(app_password=SecretStr("secret")))


def test_a_port_in_use_names_the_setting() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(SettingsError, match="FACESWAP_APP_PORT"):
            check(given(app_port=other.getsockname()[1]))


def test_which_addresses_are_local() -> None:
    assert all(is_local(host) for host in ("localhost", "127.0.0.1", "127.5.0.1", "::1"))
    assert not any(is_local(host) for host in ("0.0.0.0", "::", "10.0.0.1", "localhost.example.org", ""))


def test_login_knows_its_user_only() -> None:
    assert login(given()) is None
    allowed = login(given(app_user="ann", app_password=SecretStr("pässword")))
    assert allowed("ann", "pässword")
    assert not any(allowed(*pair) for pair in (("ann", "x"), ("bob", "pässword"), ("", ""), ("ann", "")))


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry(listed("ada", 1, "production"))


def client(registry: MemoryRegistry, folder: Path, **values: object) -> TestClient:
    shop = workshop(registry, KnownFaces(), folder)
    shop.catalogue.refresh()
    return TestClient(server(shop, given(**values)), base_url="http://127.0.0.1")


def test_health_answers_also_when_mlflow_does_not(registry: MemoryRegistry, tmp_path: Path) -> None:
    assert client(registry, tmp_path).get("/health").json() == {
        "status": "ok",
        "versions": 1,
        "registry": "ok",
    }
    registry.down = TrackingError("MLflow does not answer")
    page = client(registry, tmp_path)
    assert page.get("/health").json()["registry"] == "lost"
    answer = page.get("/")
    assert answer.status_code == 200
    assert "MLflow does not answer" in answer.text


def test_without_a_login_nothing_but_the_login_page_is_given(
    registry: MemoryRegistry, tmp_path: Path
) -> None:
    page = client(registry, tmp_path, app_user="ann", app_password=SecretStr("secret"))
    assert page.get("/health").status_code == 200
    assert page.get("/").status_code == 200
    assert "face-ada" not in page.get("/").text
    assert page.get("/config").status_code == 401
    assert page.post("/gradio_api/upload", files={"files": b"x"}).status_code == 401
    assert page.post("/login", data={"username": "ann", "password": "wrong"}).status_code == 400
    assert page.post("/login", data={"username": "ann", "password": "secret"}).status_code == 200
    assert page.get("/config").status_code == 200


def test_the_page_holds_no_address_of_others(registry: MemoryRegistry, tmp_path: Path) -> None:
    text = client(registry, tmp_path).get("/").text
    for host in ("fonts.googleapis", "google", "cdn", "huggingface.co/front"):
        assert f"//{host}" not in text


def test_files_of_the_machine_are_not_given(registry: MemoryRegistry, tmp_path: Path) -> None:
    secret = settings().home_path / "mlflow.db"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text("secret")
    page = client(registry, tmp_path)
    assert page.get(f"/gradio_api/file={secret}").status_code == 403
    assert page.get("/gradio_api/file=/etc/passwd").status_code == 403


def test_versions_are_loaded_beforehand(registry: MemoryRegistry, tmp_path: Path) -> None:
    registry.rows.append(listed("ben", 1, "challenger"))
    shop = workshop(registry, KnownFaces(), tmp_path)
    shop.catalogue.refresh()
    warm(shop.catalogue)
    assert shop.catalogue.memory.digests == ["ada-1"], "ben has no production, which is no reason to stop"

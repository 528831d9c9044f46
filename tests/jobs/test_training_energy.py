"""What a training took is in its MLflow run, also of one that was interrupted and went on."""

from pathlib import Path

import pytest

from faceswap import tracking
from faceswap.jobs.training.train_job import _counting_energy
from faceswap.settings import settings


def logged(run_id: str) -> tuple[dict[str, float], dict[str, str]]:
    data = tracking.connect().get_run(run_id).data
    return data.metrics, data.tags


def test_the_sessions_of_a_training_add_up(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESWAP_MACHINE_WATTS", "3600000000")  # 1 kWh in a millisecond
    monkeypatch.setenv("FACESWAP_ENERGY_PRICE", "0.5")
    settings.cache_clear()
    with pytest.raises(KeyboardInterrupt), tracking.run("t", "train") as run, _counting_energy(run, False):
        raise KeyboardInterrupt
    first, tags = logged(run.run_id)
    assert first["energy_kwh"] > 0
    assert first["cost"] == pytest.approx(first["energy_kwh"] / 2, abs=1e-5)
    assert tags["energy"].startswith("estimated: 3.6e+09 W")
    with tracking.run("t", "train", run_id=run.run_id) as run, _counting_energy(run, True) as account:
        pass
    both, _ = logged(run.run_id)
    assert both["energy_kwh"] == account["energy_kwh"] > first["energy_kwh"]
    assert both["cost"] == pytest.approx(both["energy_kwh"] / 2, abs=1e-5)


@pytest.mark.usefixtures("database")
def test_nothing_is_made_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("faceswap.energy._POWERCAP", tmp_path)
    with tracking.run("t", "train") as run, _counting_energy(run, False) as account:
        pass
    metrics, tags = logged(run.run_id)
    assert "energy_kwh" not in metrics and "cost" not in metrics
    assert tags["energy"] == account["energy"]
    assert tags["energy"].startswith("unknown")

"""Registration that is cut short, and a registry whose words are not to be trusted."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from mlflow import MlflowClient
from pydantic import ValidationError

from faceswap import registry, tracking
from faceswap.errors import RegistryError
from faceswap.faces.fine_detail import FineDetail
from faceswap.inference.code_range import CodeRange
from faceswap.inference.decoder_network import DecoderNetwork, joined
from faceswap.model.presets import preset
from faceswap.model.training.model_files import export, read_model, weights_digest
from faceswap.registry import Card, Version, graphs
from faceswap.registry.artifact_places import present
from faceswap.registry.cards import version_card
from faceswap.registry.cards.measured import frames_in, logged_model_of, summary
from faceswap.settings import settings
from tests.registry.fakes import add_versions

pytestmark = pytest.mark.usefixtures("database")
TINY = preset("original").with_(
    size=32,
    bottleneck=8,
    encoder_filters=(8, 8),
    code_grid=4,
    code_filters=8,
    shared_filters=8,
    decoder_filters=(8, 8),
    residual=(),
)
"""A network that swaps, of a few kilobytes."""
RNG = np.random.default_rng(0)
CROPS = RNG.integers(0, 256, (3, 32, 32, 3), np.uint8)
_RANGE = CodeRange.fit(*0.01 * RNG.standard_normal((2, 40, 8)).astype(np.float32))
assert _RANGE is not None
CODES = _RANGE.pack()
"""Narrow: other faces' codes lie outside of it."""
DETAIL = FineDetail(
    RNG.integers(0, 256, (2, 32, 32), np.uint8),
    RNG.integers(-9, 9, (2, 64, 64)).astype(np.int8),
    *np.zeros((2, 2, 32, 32), bool),
)


class Killed(BaseException):
    """What a kill looks like from within."""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    from faceswap.model.training.autoencoders import Autoencoders

    folder = tmp_path_factory.mktemp("export")
    digests = export(Autoencoders(TINY, ["ada", "ben"]), folder)
    for name in ("fine_detail_ada.npz", "fine_detail_ben.npz"):
        digests[name] = registry.write_detail(DETAIL, folder / name)
    return folder, digests


def card(run_id: str, digests: dict[str, str], identity: str = "ada") -> Card:
    return Card(
        identity=identity,
        run_id=run_id,
        preset=TINY,
        geometry=TINY.geometry.to_dict(),
        encoder_digest=digests["encoder.keras"],
        decoder_digest=digests[f"decoder_{identity}.keras"],
        face_sets={identity: {"digest": "f" * 64, "uri": "/sets"}},
        identities={"ada": [0.0] * 128, "ben": [1.0] * 128},
        consent={"subject": identity, "statement": "fictional", "fictional": True},
        codes=CODES,
        fine_detail_digest=digests.get(f"fine_detail_{identity}.npz", ""),
        seconds=240.0,
    )


@pytest.fixture
def two(exported: tuple[Path, dict[str, str]]) -> Iterator[Callable[[], dict[str, Version]]]:
    """Registers ada and ben of one run, again and again."""
    folder, digests = exported
    with tracking.run("training", "train") as run:
        yield lambda: registry.register(
            run.run_id, folder, {name: card(run.run_id, digests, name) for name in ("ada", "ben")}
        )


_STEPS = (
    "log_artifact",
    "create_logged_model",
    "log_model_artifacts",
    "finalize_logged_model",
    "log_outputs",
    "create_registered_model",
    "create_model_version",
)


@contextmanager
def killed_at(step: str, after: bool) -> Iterator[None]:
    """Killed at the first call of one of the client's methods, before or after it is done."""
    whole = getattr(MlflowClient, step)

    def cut(self: MlflowClient, *args: object, **named: object) -> None:
        if after:
            whole(self, *args, **named)
        raise Killed

    with mock.patch.object(MlflowClient, step, cut):
        yield


@pytest.mark.parametrize("after", [False, True])
def test_a_registration_that_is_killed_anywhere_is_finished_by_the_next_one(
    two: Callable[[], dict[str, Version]], after: bool
) -> None:
    for step in _STEPS:
        with killed_at(step, after), pytest.raises(Killed):
            two()
        for row in registry.versions():  # what there is, is whole
            assert {"consent", "digest", "decoder_digest", "run_id"} <= set(row.tags)
    first = two()
    assert two() == first
    rows = registry.versions()
    assert {row.version for row in rows} == set(first.values())
    assert len(rows) == 2, "one version of each, however often it was tried"
    assert registry.load(first["ada"]).card.identity == "ada"


def test_a_resumed_training_does_not_make_its_champion_a_challenger() -> None:
    one, two = add_versions("ada", 2)
    assert registry.alias_after_training(one) == "production"
    assert registry.alias_after_training(one) == "production"
    assert registry.alias_after_training(two) == "challenger"
    assert registry.alias_after_training(two) == "challenger"
    assert registry.at("face-ada", "production") == one


def test_what_was_never_finished_is_neither_listed_nor_loaded() -> None:
    client = tracking.connect()
    client.create_registered_model("face-ada")
    for tags in ({}, {"consent": "fictional"}, {"decoder_digest": "d" * 64}):
        number = client.create_model_version("face-ada", source="s3://nowhere/x", tags=tags).version
        client.set_registered_model_alias("face-ada", "production", number)
        for spec in (f"ada/{number}", "ada"):
            with pytest.raises(RegistryError, match="cut short"):
                registry.load(spec)
        with pytest.raises(RegistryError, match="cut short"):
            registry.load(Version("face-ada", int(number)))
    assert registry.versions() == []


@pytest.mark.parametrize(
    "digest", ["", "../../evil", "a/b", "D" * 64, "d" * 63, "d" * 65, "d" * 63 + "\n", "/" + "d" * 63]
)
def test_a_digest_is_64_hexadecimal_digits(
    two: Callable[[], dict[str, Version]], exported: tuple[Path, dict[str, str]], digest: str
) -> None:
    with pytest.raises(RegistryError, match="64 hexadecimal"):
        version_card.digest_in({"digest": digest})
    for field in ("encoder_digest", "decoder_digest"):
        values = card("run", exported[1]).model_dump() | {field: digest}
        with pytest.raises(ValidationError, match=field):
            Card(**values)


def test_name_tags_and_card_agree(two: Callable[[], dict[str, Version]]) -> None:
    version = two()["ada"]
    client = tracking.connect()
    found = client.get_model_version(version.name, str(version.version))

    def forged(name: str, **tags: str) -> Version:
        if name != version.name:
            client.create_registered_model(name)
        made = client.create_model_version(
            name, found.source, run_id=found.run_id, tags=dict(found.tags) | tags
        )
        return Version(name, int(made.version))

    for other, match in (
        (forged("face-eve"), "decoder of 'ada'"),
        (forged("face-ada", consent="signed by everybody (since 2020-01-01)"), "tag consent says"),
        (forged("face-ada", fictional="false"), "tag fictional"),
        (forged("face-ada", run_id="0" * 32), "tag run_id"),
        (forged("face-ada", encoder_digest="0" * 64), "tag encoder_digest"),
        (forged("face-ada", decoder_digest="0" * 64), "tag decoder_digest"),
        (forged("face-ada", digest="0" * 64), "not the one that was registered"),
        (forged("face-ada", digest="../../x"), "64 hexadecimal"),
    ):
        with pytest.raises(RegistryError, match=match):
            registry.load(other)
    loaded = registry.load(version)
    assert loaded.network(np.zeros((1, 32, 32, 3), np.uint8)).shape[0] == 1
    old = forged("face-ada")  # versions of before have no digest over the card
    client.delete_model_version_tag(old.name, str(old.version), "digest")
    assert registry.load(old).card == loaded.card


def test_damaged_files_of_the_cache_are_fetched_anew(two: Callable[[], dict[str, Version]]) -> None:
    version = two()["ada"]
    drawn = registry.load(version).network(CROPS)
    registry.keras_networks(registry.load(version))
    names = set()
    for file in sorted(one for one in settings().cache_path.rglob("*") if one.is_file()):
        names.add(file.name)
        whole = file.read_bytes()
        for damage in (b"", b"PK\x03\x04", whole[: len(whole) // 2], b"{" + whole[1:][::-1]):
            file.write_bytes(damage)
            loaded = registry.load(version)
            np.testing.assert_array_equal(loaded.network(CROPS), drawn)
            assert loaded.network.fine_detail is not None
            np.testing.assert_array_equal(loaded.network.fine_detail.missing, DETAIL.missing)
            if file.suffix == ".keras":
                registry.keras_networks(loaded)
                assert weights_digest(read_model(file)) in {
                    loaded.card.encoder_digest,
                    loaded.card.decoder_digest,
                }
            else:
                assert file.read_bytes() == whole
    assert names == {"card.json", "decoder.keras", "encoder.keras", "fine_detail.npz", "swap.onnx"}


@pytest.mark.parametrize("name", ["card.json", "swap.onnx", "fine_detail.npz"])
def test_files_that_are_damaged_where_they_are_kept_are_told(
    two: Callable[[], dict[str, Version]], home: Path, name: str
) -> None:
    version = two()["ada"]
    for file in (home / "artifacts").rglob(name):
        data = file.read_bytes()
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(RegistryError, match=f"{version} can't be loaded.*{name} is not the one that was reg"):
        registry.load(version)
    assert not list(settings().cache_path.rglob(name)), "and they are not kept"


def test_a_version_draws_the_pixels_of_its_keras_networks(two: Callable[[], dict[str, Version]]) -> None:
    for version in two().values():
        loaded = registry.load(version)
        codes = CodeRange.unpack(loaded.card.codes)
        in_keras = joined(*registry.keras_networks(loaded), codes)
        one_by_one = np.asarray(in_keras(CROPS.astype(np.float32) / 255))  # no graph that oneDNN has fused
        np.testing.assert_allclose(loaded.network(CROPS), one_by_one, atol=1e-4)
        unbounded = DecoderNetwork(*registry.keras_networks(loaded), loaded.card.crop)
        assert np.abs(loaded.network(CROPS) - unbounded(CROPS)).max() > 1e-3, "its range of codes is in it"


def test_a_graph_of_another_size_than_its_card_says_is_refused(
    two: Callable[[], dict[str, Version]], tmp_path: Path
) -> None:
    loaded = registry.load(two()["ada"])
    graph = next(settings().cache_path.rglob("swap.onnx"))
    other = loaded.card.model_copy(update={"geometry": loaded.card.geometry | {"size": 64}})
    with pytest.raises(RegistryError, match="the card says"):
        graphs.network(other, graphs.read_graph(other, graph))
    with mock.patch.object(graphs, "_MOST_BYTES", 1000), pytest.raises(RegistryError, match="too large"):
        graphs.read_graph(loaded.card, graph)
    with pytest.raises(RegistryError, match="can't be read"):
        graphs.read_graph(loaded.card, tmp_path / "none.onnx")


@pytest.mark.parametrize(
    "change",
    [
        {"identities": {}},
        {"identities": {"ada": [0.0] * 127}},
        {"identities": {"ada": [float("nan")] * 128}},
        {"consent": {"subject": "eve", "statement": "all is well"}},
        {"run_id": "../x"},
        {"unsharp": float("inf")},
    ],
)
def test_a_card_that_means_nothing_is_refused(
    exported: tuple[Path, dict[str, str]], tmp_path: Path, change: dict[str, object]
) -> None:
    values = json.loads(card("run", exported[1]).model_dump_json()) | change
    (tmp_path / "card.json").write_text(json.dumps(values))
    with pytest.raises(RegistryError, match="damaged"):
        version_card.read(tmp_path / "card.json")


@pytest.mark.parametrize("geometry", [{}, {"size": 10**6, "coverage": 2.0}, {"size": "x", "coverage": 2.0}])
def test_a_crop_is_of_a_sane_size(exported: tuple[Path, dict[str, str]], geometry: dict[str, object]) -> None:
    values = card("run", exported[1]).model_dump() | {"geometry": geometry}
    with pytest.raises(RegistryError):
        _ = Card(**values).crop


def test_a_moved_or_copied_home_finds_its_files(
    two: Callable[[], dict[str, Version]], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = two()["ada"]
    drawn = registry.load(version).network(np.full((1, 32, 32, 3), 90, np.uint8))
    moved = tmp_path / "another" / "place"
    shutil.copytree(home, moved)
    shutil.rmtree(moved / "cache")
    monkeypatch.setenv("FACESWAP_HOME", str(moved))
    settings.cache_clear()
    copied = present((home / "artifacts" / "x").as_uri().removesuffix("/x"))
    assert copied == (moved / "artifacts").as_uri(), "a copy reads its own files"
    shutil.rmtree(home / "artifacts")
    again = registry.load(version).network(np.full((1, 32, 32, 3), 90, np.uint8))
    np.testing.assert_allclose(again, drawn, atol=1e-6)
    shutil.rmtree(moved / "artifacts")
    shutil.rmtree(moved / "cache")
    with pytest.raises(RegistryError, match=r"no longer at .* nor below .*another/place/artifacts") as caught:
        registry.load(version)
    assert "FACESWAP_HOME" in str(caught.value.fix)


def test_fewer_frames_never_replace_more(two: Callable[[], dict[str, Version]]) -> None:
    version = two()["ada"]
    run_id = registry.load(version).card.run_id
    good = {"identity_distance": 0.36, "lip_gap_correlation": 0.94, "sharpness": 0.7, "eye_correlation": 0.5}
    assert registry.record_metrics(version, good, 40, run_id)
    assert not registry.record_metrics(version, {"identity_distance": 0.9}, 4, run_id)
    tags = registry.tags(version)
    assert (tags["identity_distance"], frames_in(tags)) == ("0.3600", 40)
    assert "eye_correlation" not in tags, "few tags; the rest are metrics"
    client = tracking.connect()
    found = client.get_model_version(version.name, str(version.version))
    assert found.description == "identity 0.36, lips 0.94, sharp 0.70 · original · 4.0 min"
    stored = {m.key: m.value for m in client.get_logged_model(logged_model_of(found)).metrics}
    assert stored == good
    registry.add_note(version, "- promoted")
    assert registry.record_metrics(version, {"identity_distance": 0.3, "sharpness": float("nan")}, 40, run_id)
    tags = registry.tags(version)
    assert "sharpness" not in tags, "a number of before does not stand beside new ones"
    described = client.get_model_version(version.name, str(version.version)).description
    assert described == "identity 0.30 · original · 4.0 min\n- promoted"
    assert "ada" in client.get_registered_model("face-ada").description
    assert summary({}) == "not measured yet"
    assert frames_in({"frames": "40.0000"}) == 40
    assert frames_in({"frames": "nan"}) == 0

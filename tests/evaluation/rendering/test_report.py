import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from faceswap.evaluation.pair_result import PairResult
from faceswap.evaluation.rendering.report import write_report

RESULT = PairResult(
    reference="ada",
    target="<b>bela</b>",
    frames=40,
    detection_rate=1.0,
    identity_distance=0.38,
    identity_top1=0.975,
    lip_gap_correlation=float("nan"),
    lip_gap_error=0.02,
    eye_correlation=0.4,
    eye_openness_error=0.5,
    pose_error_degrees=2.1,
    sharpness=0.61,
    reconstruction_mae=0.031,
    reconstruction_ssim=0.86,
)
PICTURE = np.full((60, 80, 3), (200, 30, 30), np.uint8)


class Tags(HTMLParser):
    """Collects tags, and raises where one is closed that is not open."""

    void = frozenset({"meta", "img", "br", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def write(out: Path, **more: object) -> tuple[dict, str]:
    training = {"wall_seconds": 240.5, "steps": np.int64(5000), "images_per_second": float("inf")}
    page = write_report(out, [RESULT], training=training, pictures={"before_after": PICTURE}, **more)
    return json.loads((out / "report.json").read_text()), page.read_text()


def test_json_holds_all_and_is_valid(tmp_path: Path) -> None:
    content, _ = write(tmp_path / "new" / "out", versions={"ada": "face-ada/3"}, settings={"path": Path("x")})
    pair = content["pairs"][0]
    assert (pair["reference"], pair["identity_distance"], pair["frames"]) == ("ada", 0.38, 40)
    assert pair["lip_gap_correlation"] is None
    assert "truth_ssim" not in pair
    assert content["training"] == {"wall_seconds": 240.5, "steps": 5000, "images_per_second": None}
    assert content["versions"] == {"ada": "face-ada/3"}
    assert content["settings"] == {"path": "x"}
    assert {"face_sets", "packages", "pictures", "clips"} <= content.keys()
    json.dumps(content, allow_nan=False)


def test_page_is_well_formed_self_contained_and_escaped(tmp_path: Path) -> None:
    _, page = write(tmp_path, clips={"a": tmp_path / "swap a.mp4"})
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    sources = [
        a.get("src") or a.get("href") or ""
        for t, a in tags.seen
        if t in {"img", "script", "link", "video", "a"}
    ]
    assert all(s.startswith("data:image/") or s == "swap a.mp4" for s in sources)
    assert "http" not in re.sub(r"data:image[^\"]+", "", page)
    assert "<b>bela" not in page
    assert "&lt;b&gt;bela" in page
    assert "prefers-color-scheme: dark" in page


def test_page_grades_the_numbers(tmp_path: Path) -> None:
    _, page = write(tmp_path)
    cells = dict(re.findall(r"<tr><th>([^<]+)<small.+?</th><td class=\"(\w+)\"", page))
    assert cells["Identity distance"] == "good"
    assert cells["Lips follow"] == "unknown"
    assert cells["Eyes follow"] == "fair"
    assert cells["Eye error"] == "poor"


def test_pictures_lie_beside_and_nothing_is_left_over(tmp_path: Path) -> None:
    from PIL import Image

    write(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "home") == [
        "before_after.png",
        "report.html",
        "report.json",
    ]
    assert (np.asarray(Image.open(tmp_path / "before_after.png")) == PICTURE).all()


def test_extra_adds_and_may_not_replace(tmp_path: Path) -> None:
    content, _ = write(tmp_path, extra={"run": {"id": "abc"}})
    assert content["run"] == {"id": "abc"}
    with pytest.raises(ValueError, match="pairs"):
        write(tmp_path, extra={"pairs": []})


def test_a_picture_and_a_verdict_come_first(tmp_path: Path) -> None:
    frames = np.full((5, 64, 64, 3), 90, np.uint8)
    result = RESULT.model_copy(update={"frames": 5, "originals": frames, "swaps": frames, "truths": frames})
    page = write_report(tmp_path, [result], training={"steps": 5}, versions={"ada": "face-ada/3"}).read_text()
    body = page[page.index("<body>") :]
    order = [
        "The swap is fair",
        "It looks like ada; the eyes close with &lt;b&gt;bela&lt;/b&gt;&#39;s now and then; it is crisp.",
        "the true swap",
        "What to do next",
        "For ada&#39;s eyes, give footage in which ada blinks",
        "faceswap swap FILE --reference ada --out RESULT",
        "The numbers",
        "How it was made",
    ]
    places = [body.index(words) for words in order]
    assert places == sorted(places)
    assert body.count("<figcaption>the true swap</figcaption>") == 3
    assert body.count("<figcaption>") == 9


def test_no_path_of_this_machine_and_no_json_is_on_the_page(tmp_path: Path) -> None:
    settings = {
        "people": {"ada": "/home/me/films/ada.mp4", "ben": "s3://films/ben.mp4"},
        "out": str(tmp_path),
        "tracking": "sqlite:////home/me/.faceswap/mlflow.db",
        "frames": 40,
        "bottleneck": None,
        "reference_photos": {"ada": ["/home/me/a.png", "~/b.png", "C:\\films\\c.png"]},
        "options": {"every": 1, "geometry": {"size": 256}},
    }
    page = write_report(
        tmp_path / "out",
        [RESULT],
        training={"wall_seconds": 240.5, "stopped_early": False},
        face_sets={
            "ada": {"digest": "ab" * 32, "uri": "/home/me/.faceswap/facesets/ada/abab", "faces": 1200}
        },
        settings=settings,
    ).read_text()
    rows = dict(re.findall(r"<tr><th>([^<]+)</th><td>([^<]+)</td></tr>", page))
    assert rows["people: ada"] == "ada.mp4"
    assert rows["people: ben"] == "s3://films/ben.mp4"
    assert rows["tracking"] == "mlflow.db"
    assert rows["reference photos: ada"] == "a.png, b.png, c.png"
    assert rows["options: geometry: size"] == "256"
    assert rows["ada: uri"] == "abab"
    assert rows["ada: faces"] == "1,200"
    assert rows["stopped early"] == "no"
    assert "bottleneck" not in rows
    for unwanted in ("/home", str(tmp_path), "films\\", "{&#34;", "[&#34;"):
        assert unwanted not in page


def test_a_report_without_pairs_says_so(tmp_path: Path) -> None:
    assert "No pair was evaluated" in write_report(tmp_path, [], training={}).read_text()

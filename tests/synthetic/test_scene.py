import doctest

import numpy as np
import pytest

import faceswap.synthetic
from faceswap.synthetic import CAST, Background, Expression, Light, Pose, Scene, clip, random_scene, render


@pytest.mark.parametrize(
    "make",
    [
        lambda: Expression(open=1.2),
        lambda: Expression(smile=-0.8),
        lambda: Expression(close_left=-0.1),
        lambda: Pose(yaw=90),
        lambda: Pose(pitch=-50),
        lambda: Light(direction=(0, 0, 0)),
        lambda: Light(power=-1),
        lambda: Light(color=(1, 1)),
        lambda: Background(color=(300, 0, 0)),
        lambda: Background(seed=-1),
        lambda: Scene(zoom=0),
        lambda: Scene(shift=(2, 0)),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(make):
    with pytest.raises(ValueError, match=r"(Expression|Pose|Light|Background|Scene)\.\w+"):
        make()


def test_random_scenes_keep_to_their_bounds_and_differ():
    rng = np.random.default_rng(0)
    scenes = [random_scene(rng, max_yaw=10, max_pitch=5, max_roll=3) for _ in range(200)]
    assert max(abs(scene.pose.yaw) for scene in scenes) <= 10
    assert max(abs(scene.pose.pitch) for scene in scenes) <= 5
    assert max(abs(scene.pose.roll) for scene in scenes) <= 3
    assert max(abs(scene.pose.yaw) for scene in scenes) > 9
    assert len({scene.background.color for scene in scenes}) == 200
    assert random_scene(np.random.default_rng(4)) == random_scene(np.random.default_rng(4))


def test_random_backgrounds_neither_clip_nor_glare():
    rng = np.random.default_rng(1)
    for _ in range(6):
        scene = random_scene(rng)
        corner = render(CAST[0], scene, 64).image[:6, :6]
        assert corner.min() > 15
        assert corner.max() < 245


def test_a_clip_is_smooth():
    fps = 25
    scenes = list(clip(seed=5, seconds=12, fps=fps))
    assert len(scenes) == 12 * fps
    poses = np.array([(scene.pose.yaw, scene.pose.pitch, scene.pose.roll) for scene in scenes])
    assert (np.abs(np.diff(poses, axis=0)).max(0) < [3.0, 1.5, 1.3]).all()
    assert (np.abs(poses).max(0) <= [25, 12, 10]).all()
    mouth = np.array([scene.expression.open for scene in scenes])
    assert np.abs(np.diff(mouth)).max() < 0.5
    assert len({scene.background for scene in scenes}) == 1


def test_a_clip_speaks_and_blinks():
    fps = 50
    scenes = list(clip(seed=2, seconds=20, fps=fps))
    mouth = np.array([scene.expression.open for scene in scenes])
    assert (mouth < 0.01).mean() > 0.05, "no pauses"
    assert mouth.max() > 0.6
    spectrum = np.abs(np.fft.rfft(mouth - mouth.mean()))
    rates = np.fft.rfftfreq(len(mouth), 1 / fps)
    syllables = spectrum[(rates > 2.5) & (rates < 6)].max()
    assert syllables > 3 * spectrum[(rates > 8) & (rates < 20)].max()

    shut = np.array([scene.expression.close_left for scene in scenes])
    assert (shut == np.array([scene.expression.close_right for scene in scenes])).all()
    starts = np.flatnonzero((shut[1:] > 0) & (shut[:-1] == 0))
    assert 4 <= len(starts) <= 12
    assert shut.max() > 0.95
    assert (shut > 0).mean() < 0.15


def test_a_clip_is_the_same_at_every_frame_rate():
    slow = list(clip(seed=9, seconds=2, fps=10))
    fast = list(clip(seed=9, seconds=2, fps=30))
    assert slow == fast[::3]
    assert slow != list(clip(seed=10, seconds=2, fps=10))


@pytest.mark.parametrize(("seconds", "fps"), [(0, 25), (1, 0), (-1, 25)])
def test_a_clip_without_length_is_refused(seconds, fps):
    with pytest.raises(ValueError, match="positive"):
        clip(0, seconds, fps)


def test_the_snippet_of_the_package_runs():
    assert doctest.testmod(faceswap.synthetic).attempted > 4
    assert doctest.testmod(faceswap.synthetic).failed == 0

import dlib
import face_recognition_models
import numpy as np
import pytest

from faceswap.synthetic import CAST, random_scene, render

EYES, NOSE, MOUTH = slice(36, 48), slice(27, 36), slice(48, 68)


@pytest.fixture(scope="module")
def found():
    """Per person: the true and the found landmarks of six scenes (None where no face was found)."""
    detector = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())
    results = {}
    for number, member in enumerate(CAST):
        rng = np.random.default_rng([21, number])
        results[member.name] = []
        for _ in range(6):
            made = render(member, random_scene(rng, max_yaw=25), 224)
            boxes = detector(made.image, 0)
            points = None
            if boxes:
                points = np.array([(p.x, p.y) for p in predictor(made.image, boxes[0]).parts()], float)
            results[member.name].append((made.landmarks, points))
    return results


def test_the_cast_is_detected(found):
    hits = [points is not None for pairs in found.values() for _, points in pairs]
    assert np.mean(hits) >= 0.95


def test_dlib_finds_the_landmarks_where_they_are(found):
    errors = []
    for pairs in found.values():
        for truth, points in pairs:
            if points is not None:
                eyes = np.linalg.norm(truth[36:42].mean(0) - truth[42:48].mean(0))
                errors.append(np.linalg.norm(points - truth, axis=1) / eyes)
    mean = np.mean(errors, axis=0)
    assert mean[EYES].mean() < 0.11
    assert mean[NOSE].mean() < 0.1
    assert mean[MOUTH].mean() < 0.13


def test_dlib_sees_the_mouth_open(found):
    def gap(points):
        gaps = [np.linalg.norm(points[a] - points[b]) for a, b in ((61, 67), (62, 66), (63, 65))]
        return np.mean(gaps) / np.linalg.norm(points[36] - points[45])

    pairs = [
        (gap(truth), gap(points)) for many in found.values() for truth, points in many if points is not None
    ]
    assert np.corrcoef(np.array(pairs).T)[0, 1] > 0.75

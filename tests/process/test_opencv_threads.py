import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import cv2

from faceswap.process.opencv_threads import shared_by


def test_stages_share_the_cores_and_the_last_gives_them_back() -> None:
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(4)
        with shared_by(2 * (os.cpu_count() or 1)):
            assert cv2.getNumThreads() == 1
            with shared_by(1):
                assert cv2.getNumThreads() == 1
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 4
    finally:
        cv2.setNumThreads(before)


def test_blocks_that_overlap_in_time_leave_what_was_before() -> None:
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(3)
        inside, one_left = Barrier(2), Barrier(2)

        def first() -> None:
            with shared_by(64):
                inside.wait(10)
            one_left.wait(10)

        def second() -> int:
            with shared_by(64):
                inside.wait(10)
                one_left.wait(10)
                return cv2.getNumThreads()

        with ThreadPoolExecutor(2) as pool:
            ended = pool.submit(first)
            assert pool.submit(second).result(20) == 1
            ended.result(20)
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)

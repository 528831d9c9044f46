"""How fast the app answers, and the memory that it holds: ``python -m tests.benchmarks.bench_app TARGET --home HOME``.

A warm swap of one picture, detection included: through the app's own function, and through gradio_client against a
server in another process (upload, queue and download included), and the memory that this server then holds with one
version loaded. Needs registered versions.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import cv2
import psutil
from gradio_client import Client, handle_file

from faceswap.media.images import read_image, write_image
from faceswap.settings import settings
from serving.app import workshop_of

_ROUNDS = 15
_PORT = 7899


def timed(name: str, call: Callable[[], object]) -> None:
    """Median and worst of some warm calls."""
    call()
    seconds = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    print(
        f"{name:<44} median {1000 * statistics.median(seconds):5.0f} ms, worst {1000 * max(seconds):5.0f} ms"
    )


def memory(process: int, when: str) -> None:
    """What a process and its children hold."""
    every = [psutil.Process(process), *psutil.Process(process).children(recursive=True)]
    print(f"{'memory, ' + when:<44} {sum(one.memory_info().rss for one in every) / 1e6:5.0f} MB")


def main(target: Path, side: int = 1024) -> None:
    """Measure and print."""
    work = workshop_of(settings())
    identity = work.catalogue.refresh().identities[0]
    with tempfile.TemporaryDirectory() as folder:
        files = []
        image = cv2.resize(read_image(target), (side, side), interpolation=cv2.INTER_CUBIC)
        for number in range(_ROUNDS + 2):  # every one a new file: nothing is remembered
            image[0, 0] = number
            files.append(Path(folder, f"{number}.jpg"))
            write_image(files[-1], image)
        fresh = iter(files)
        timed(f"{side} px, the app's function, new picture", lambda: work.picture(next(fresh), identity))
        timed(f"{side} px, the app's function, same picture", lambda: work.picture(files[0], identity))
        last = work.picture(files[0], identity)
        timed(f"{side} px, measured afterwards", lambda: work.measure(last))
        server = subprocess.Popen(
            [sys.executable, "-m", "faceswap.cli", "serve"],
            env=os.environ | {"FACESWAP_APP_PORT": str(_PORT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url = f"http://127.0.0.1:{_PORT}"
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"{url}/health", timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.5)
            memory(server.pid, "started, no version loaded")
            client = Client(url, verbose=False)
            fresh = iter(files)
            timed(
                f"{side} px, gradio_client, new picture",
                lambda: client.predict(handle_file(next(fresh)), identity, api_name="/swap"),
            )
            memory(server.pid, f"one version loaded, {_ROUNDS + 1} pictures swapped")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path, help="a picture that shows a face, and is as high as wide")
    parser.add_argument("--side", type=int, default=1024, help="to which it is resized, px")
    parser.add_argument("--home", help="state folder with registered versions, instead of FACESWAP_HOME")
    given = parser.parse_args()
    if given.home:
        os.environ["FACESWAP_HOME"] = given.home
    main(given.target, given.side)

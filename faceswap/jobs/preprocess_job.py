"""Preprocess: media of one person in, an immutable face set with its report out."""

import logging

from faceswap import tracking
from faceswap.faces.extraction.coverage import contact_sheet, coverage_advice, histograms
from faceswap.faces.extraction.extractor import extract
from faceswap.faces.faceset import FaceSet
from faceswap.jobs.monitor import TERMINAL, Monitor
from faceswap.jobs.parameters import PreprocessParameters
from faceswap.provenance.consent.life import Purpose
from faceswap.registry import consents

logger = logging.getLogger(__name__)


def extract_faces(parameters: PreprocessParameters, monitor: Monitor) -> str:
    """Detect, identify, filter and crop; returns the face set's URI. Finds a finished set, resumes a begun one."""
    with monitor.progress(f"faces of {parameters.identity}", "segments") as report:
        face_set = extract(
            parameters.sources,
            parameters.identity,
            consent=parameters.consent_record(),
            options=parameters.options,
            reference_photos=parameters.reference_photos,
            progress=report,
        )
    return face_set.uri


def report_faces(uri: str, parameters: PreprocessParameters, monitor: Monitor) -> None:
    """Counts, contact sheet and histograms to MLflow and to the monitor."""
    faces = FaceSet.load(uri)
    with tracking.run(f"preprocess {faces.identity}", "preprocess", tags=monitor.tags()) as run:
        run.parameters(parameters.model_dump(mode="json"))
        run.face_set(faces.identity, faces.digest, faces.uri, faces.count())
        run.metrics({f"faces_{split}": faces.count(split) for split in ("train", "heldout")})
        run.document(dict(faces.report), "report.json")
        sheet, curves = contact_sheet(faces), histograms(faces)
        run.picture(sheet, "contact_sheet.png", None)
        run.picture(curves, "histograms.png", None)
        title = f"faces of {faces.identity}; held-out ones have a blue frame"
        monitor.picture(f"sheet-{faces.digest[:12]}", sheet, title, None)
        title = "poses, expressions and sharpness of the set"
        monitor.picture(f"curves-{faces.digest[:12]}", curves, title, None)
        missing = coverage_advice(faces)
        if missing:
            logger.info(
                "Footage of %s that shows more makes better swaps: %s", faces.identity, "; ".join(missing)
            )
        advice = "\n".join(f"- {line}" for line in missing) or "- nothing missing"
        counts = "\n".join(
            f"| {reason} | {count} |" for reason, count in faces.report.get("counts", {}).items()
        )
        monitor.note(
            f"# {faces.identity}: {faces.count()} faces\n\nFace set `{faces.uri}`\n\n| what | how many |\n|---|---|\n"
            f"{counts}\n\n## Coverage\n{advice}\n\n{run.link}",
            key=f"faces-{faces.digest[:12]}",
            description=f"face set of {faces.identity}",
        )


def preprocess(parameters: PreprocessParameters, monitor: Monitor = TERMINAL) -> str:
    """Media of one person in, a face set out; returns its URI."""
    consents.require(parameters.identity, Purpose.TRAINING, parameters.consent_record())
    uri = monitor.step("extract faces", extract_faces, parameters, monitor)
    monitor.step("report", report_faces, uri, parameters, monitor)
    return uri

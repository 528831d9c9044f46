"""Preprocess: media of one person in, an immutable face set with its report out."""

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from faceswap import tracking
from faceswap.faces.extraction.extractor import extract
from faceswap.faces.extraction.report import contact_sheet, coverage_advice, histograms
from faceswap.faces.faceset import FaceSet
from flows import runtime
from flows.parameters import PreprocessParameters


@task(name="extract faces", cache_policy=NO_CACHE)
def extract_faces(parameters: PreprocessParameters) -> str:
    """Detect, identify, filter and crop; returns the face set's URI. Finds a finished set, resumes a begun one."""
    with runtime.progress(f"faces of {parameters.identity}") as report:
        face_set = extract(
            parameters.sources,
            parameters.identity,
            consent=parameters.consent_record(),
            options=parameters.options,
            reference_photos=parameters.reference_photos,
            progress=report,
        )
    return face_set.uri


@task(name="report", cache_policy=NO_CACHE)
def report_faces(uri: str, parameters: PreprocessParameters) -> None:
    """Counts, contact sheet and histograms to MLflow and to Prefect's UI."""
    faces = FaceSet.load(uri)
    with tracking.run(f"preprocess {faces.identity}", "preprocess", tags=runtime.prefect_tags()) as run:
        run.parameters(parameters.model_dump(mode="json"))
        run.face_set(faces.identity, faces.digest, faces.uri, faces.count())
        run.metrics({f"faces_{split}": faces.count(split) for split in ("train", "heldout")})
        run.document(dict(faces.report), "report.json")
        sheet, curves = contact_sheet(faces), histograms(faces)
        run.picture(sheet, "contact_sheet.png")
        run.picture(curves, "histograms.png")
        runtime.Picture(f"sheet-{faces.digest[:12]}").show(
            sheet, f"faces of {faces.identity}; held-out ones have a blue frame"
        )
        runtime.Picture(f"curves-{faces.digest[:12]}").show(
            curves, "poses, expressions and sharpness of the set"
        )
        advice = "\n".join(f"- {line}" for line in coverage_advice(faces)) or "- nothing missing"
        counts = "\n".join(
            f"| {reason} | {count} |" for reason, count in faces.report.get("counts", {}).items()
        )
        create_markdown_artifact(
            f"# {faces.identity}: {faces.count()} faces\n\nFace set `{faces.uri}`\n\n| what | how many |\n|---|---|\n"
            f"{counts}\n\n## Coverage\n{advice}\n\n{runtime.mlflow_link(run)}",
            key=f"faces-{faces.digest[:12]}",
            description=f"face set of {faces.identity}",
        )


@flow(name="preprocess", flow_run_name="preprocess-{parameters.identity}")
def preprocess(parameters: PreprocessParameters) -> str:
    """Media of one person in, a face set out; returns its URI."""
    uri = extract_faces(parameters)
    report_faces(uri, parameters)
    return uri

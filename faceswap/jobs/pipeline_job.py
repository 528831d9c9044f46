"""Pipeline: the whole job, media of two or more people in; report, pictures and video out."""

import shutil
from itertools import permutations
from pathlib import Path

from faceswap import backend, registry, storage
from faceswap.errors import ConsentError, SettingsError
from faceswap.evaluation.rendering.report import write_report
from faceswap.evaluation.rendering.sheets import before_after
from faceswap.faces.faceset import FaceSet
from faceswap.jobs.delivery import deliver, finished, workplace
from faceswap.jobs.evaluate_job import Evaluated, evaluate
from faceswap.jobs.monitor import TERMINAL, Monitor
from faceswap.jobs.parameters import (
    EvaluateParameters,
    PipelineParameters,
    PreprocessParameters,
    SwapParameters,
    TrainParameters,
)
from faceswap.jobs.preprocess_job import preprocess
from faceswap.jobs.preset_choice import crops_of, preset_for, sized_for
from faceswap.jobs.swap_job import swapper_for
from faceswap.jobs.training.train_job import Trained, train
from faceswap.output.redaction import redacted
from faceswap.provenance import audit
from faceswap.provenance.metadata import Provenance
from faceswap.registry.cards.origin import provenance
from faceswap.settings import settings
from faceswap.swap.video.heldout_clip import swap_heldout


def preprocess_all(parameters: PipelineParameters, monitor: Monitor) -> dict[str, str]:
    """A face set of every person, by identity."""
    for name in parameters.people:
        if not parameters.consent.get(name):
            raise ConsentError(
                f"No consent is recorded for {name!r}", f'add --consent {name}="what allows the use"'
            )
    wanted = parameters.preset or backend.preset_here(parameters.minutes)
    options = sized_for(parameters.options, wanted)
    return {
        name: monitor.job(
            preprocess,
            PreprocessParameters(
                identity=name,
                sources=[source],
                consent=parameters.consent[name],
                fictional=parameters.fictional,
                reference_photos=parameters.reference_photos.get(name, []),
                options=options,
            ),
        )
        for name, source in parameters.people.items()
    }


def swap_clips(trained: Trained, sets: dict[str, FaceSet], parameters: PipelineParameters) -> dict[str, Path]:
    """A video of every ordered pair: the reference on frames of the target that training has not seen."""
    out = workplace(parameters.out)
    clips: dict[str, Path] = {}
    for reference, target in permutations(sets, 2):
        loaded = registry.load(trained.versions[reference])
        request = SwapParameters(target=parameters.people[target], reference=reference, out=str(out))
        path = out / f"swap-{reference}-on-{target}.mp4"
        swap_heldout(
            parameters.people[target],
            sets[target],
            path,
            swapper_for(loaded, request),
            provenance(loaded, request.options.model_dump(mode="json")),
        )
        clips[f"{reference}-on-{target}"] = path
    first = next(iter(clips.values()))
    shutil.copyfile(first, out / ".swap.mp4")
    (out / ".swap.mp4").replace(out / "swap.mp4")
    return clips


def report_all(
    parameters: PipelineParameters,
    trained: Trained,
    sets: dict[str, FaceSet],
    found: list[Evaluated],
    clips: dict[str, Path],
) -> Path:
    """report.json, report.html, before_after.png in the output folder."""
    pictures = {f"{one.result.reference}-on-{one.result.target}": one.picture for one in found}
    sheet = before_after([one.result for one in found])
    origin = Provenance(
        reference=" + ".join(trained.versions),
        model=" + ".join(version.name for version in trained.versions.values()),
        version=" + ".join(str(version.version) for version in trained.versions.values()),
        run_id=trained.run_id,
    )
    return write_report(
        workplace(parameters.out),
        [one.result for one in found],
        training=trained.account,
        pictures={"before_after": sheet, **pictures},
        origin=origin,
        clips=clips,
        versions={name: str(version) for name, version in trained.versions.items()},
        face_sets={name: {"digest": s.digest, "uri": s.uri, "faces": s.count()} for name, s in sets.items()},
        settings={
            **parameters.model_dump(mode="json"),
            "run_id": trained.run_id,
            "tracking": redacted(settings().tracking),
        },
    )


def pipeline(parameters: PipelineParameters, monitor: Monitor = TERMINAL) -> str:
    """Media of two or more people in; face sets, tracked training, registered versions, report and video out.

    Returns:
        path or s3:// URI of the report.
    """
    out = workplace(parameters.out)
    if out.exists() and not out.is_dir():
        raise SettingsError(f"{out} is a file", "name a folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    uris = preprocess_all(parameters, monitor)
    sets = {name: FaceSet.load(uri) for name, uri in uris.items()}
    chosen = preset_for(parameters.preset, parameters.minutes, crops_of(sets))
    parameters = parameters.model_copy(update={"preset": chosen})
    trained = monitor.job(
        train,
        TrainParameters(
            face_sets=list(uris.values()),
            preset=parameters.preset,
            minutes=parameters.minutes,
            bottleneck=parameters.bottleneck,
            seed=parameters.seed,
            measure_frames=0,  # the evaluation follows, on more frames
        ),
    )
    found = monitor.job(
        evaluate,
        EvaluateParameters(
            references=[f"{v.name}/{v.version}" for v in trained.versions.values()], frames=parameters.frames
        ),
    )
    clips = monitor.step("swap held-out clips", swap_clips, trained, sets, parameters)
    report = monitor.step("write report", report_all, parameters, trained, sets, found, clips)
    written = [report, out / "report.json", out / "swap.mp4", *clips.values(), *sorted(out.glob("*.png"))]
    act = audit.record("swapped", sets, {"run": trained.run_id, "report": str(report)}, written)
    if storage.is_s3(parameters.out):
        deliver(finished(parameters.out), parameters.out, act=act)
        return storage.join(parameters.out, report.name)
    return str(report)

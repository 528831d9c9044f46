"""Jobs: what faceswap does for its users, each a function from parameters to a result.

>>> from faceswap import jobs
>>> uri = jobs.preprocess(jobs.PreprocessParameters(identity="ada", sources=["ada.mp4"], consent="signed by Ada"))

A job tracks itself in MLflow and tells a :class:`Monitor` how it goes, by default the terminal. It needs no server and
knows no orchestrator; ``flows/`` makes Prefect flows of the jobs. Names are imported when they are first used.
"""

from typing import TYPE_CHECKING

from faceswap.process.lazy import lazily

if TYPE_CHECKING:
    from faceswap.jobs.evaluate_job import Evaluated, evaluate
    from faceswap.jobs.monitor import TERMINAL, Answer, Monitor
    from faceswap.jobs.parameters import (
        Casting,
        EvaluateParameters,
        LearnMasksParameters,
        PipelineParameters,
        PreprocessParameters,
        PretrainParameters,
        PromoteParameters,
        RollbackParameters,
        SwapParameters,
        TrainParameters,
    )
    from faceswap.jobs.pipeline_job import pipeline
    from faceswap.jobs.preprocess_job import preprocess
    from faceswap.jobs.promote_job import Promoted, promote, rollback
    from faceswap.jobs.swap_job import sheet, swap
    from faceswap.jobs.training.masks_job import learn_masks
    from faceswap.jobs.training.pretrain_job import pretrain
    from faceswap.jobs.training.train_job import Trained, train
    from faceswap.jobs.tuning.tune_job import Tuned, tune
    from faceswap.jobs.tuning.tune_parameters import TuneParameters
    from faceswap.jobs.upkeep.consent_job import (
        ConsentParameters,
        Withdrawn,
        consent_of,
        extend_consent,
        record_consent,
        withdraw_consent,
    )

__all__ = [
    "TERMINAL",
    "Answer",
    "Casting",
    "ConsentParameters",
    "EvaluateParameters",
    "Evaluated",
    "LearnMasksParameters",
    "Monitor",
    "PipelineParameters",
    "PreprocessParameters",
    "PretrainParameters",
    "PromoteParameters",
    "Promoted",
    "RollbackParameters",
    "SwapParameters",
    "TrainParameters",
    "Trained",
    "TuneParameters",
    "Tuned",
    "Withdrawn",
    "consent_of",
    "evaluate",
    "extend_consent",
    "learn_masks",
    "pipeline",
    "preprocess",
    "pretrain",
    "promote",
    "record_consent",
    "rollback",
    "sheet",
    "swap",
    "train",
    "tune",
    "withdraw_consent",
]
_MODULES = dict.fromkeys(__all__, "parameters") | {
    "TERMINAL": "monitor",
    "Answer": "monitor",
    **dict.fromkeys(("ConsentParameters", "Withdrawn", "consent_of"), "upkeep.consent_job"),
    **dict.fromkeys(("extend_consent", "record_consent", "withdraw_consent"), "upkeep.consent_job"),
    "Evaluated": "evaluate_job",
    "Monitor": "monitor",
    "Promoted": "promote_job",
    "Trained": "training.train_job",
    "TuneParameters": "tuning.tune_parameters",
    "Tuned": "tuning.tune_job",
    "evaluate": "evaluate_job",
    "learn_masks": "training.masks_job",
    "pipeline": "pipeline_job",
    "preprocess": "preprocess_job",
    "pretrain": "training.pretrain_job",
    "promote": "promote_job",
    "rollback": "promote_job",
    "sheet": "swap_job",
    "swap": "swap_job",
    "train": "training.train_job",
    "tune": "tuning.tune_job",
}
__getattr__ = lazily(__name__, _MODULES)

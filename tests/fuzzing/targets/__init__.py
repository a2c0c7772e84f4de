"""The kinds of input that are fuzzed, one file a kind."""

from fuzzing.target import Target
from fuzzing.targets import (
    annotations,
    checkpoints,
    codecs,
    corrections,
    evaluation,
    grouping,
    images,
    label_files,
    labels,
    matlab,
    options,
    weights,
)

TARGETS: dict[str, Target] = {
    **codecs.TARGETS,
    **grouping.TARGETS,
    **checkpoints.TARGETS,
    **weights.TARGETS,
    **annotations.TARGETS,
    **matlab.TARGETS,
    **labels.TARGETS,
    **label_files.TARGETS,
    **corrections.TARGETS,
    **images.TARGETS,
    **options.TARGETS,
    **evaluation.TARGETS,
}

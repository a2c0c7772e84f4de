# Copyright (c) mmkp authors. Licensed under Apache-2.0.
from mmkp.engine.checkpoint import (
    CheckpointError,
    UntrustedCheckpointError,
    load_checkpoint_file,
)
from mmkp.engine.checkpoint_match import raise_if_mismatched
from mmkp.engine.file_backend import AtomicLocalBackend
from mmkp.engine.hooks import (
    AtomicCheckpointHook,
    CheckpointMatchHook,
    DiscoveryVisualizationHook,
    ExactResumeHook,
)
from mmkp.engine.resume import find_resumable_checkpoint, why_unreadable

__all__ = [
    'AtomicCheckpointHook',
    'AtomicLocalBackend',
    'CheckpointError',
    'CheckpointMatchHook',
    'DiscoveryVisualizationHook',
    'ExactResumeHook',
    'UntrustedCheckpointError',
    'find_resumable_checkpoint',
    'load_checkpoint_file',
    'raise_if_mismatched',
    'why_unreadable',
]

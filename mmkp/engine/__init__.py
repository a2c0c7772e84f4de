# Copyright (c) mmkp authors. Licensed under Apache-2.0.
from mmkp.engine import hooks
from mmkp.engine.checkpoint import (
    CheckpointError,
    UntrustedCheckpointError,
    load_checkpoint_file,
)
from mmkp.engine.checkpoint_config import literal_config
from mmkp.engine.checkpoint_content import as_checkpoint
from mmkp.engine.checkpoint_match import CheckpointMismatchError, raise_if_mismatched
from mmkp.engine.checkpoint_schemes import load_from_http, load_from_local
from mmkp.engine.config import load_config
from mmkp.engine.config_check import ConfigError, check_config
from mmkp.engine.config_names import find_config
from mmkp.engine.file_backend import AtomicLocalBackend
from mmkp.engine.finite_json import FiniteJsonHandler
from mmkp.engine.hooks import *
from mmkp.engine.mixed_precision import MixedPrecisionOptimWrapper
from mmkp.engine.non_finite import NonFiniteError
from mmkp.engine.optimizers import PartsOptimWrapperConstructor
from mmkp.engine.resume import find_resumable_checkpoint, why_unreadable

__all__ = [
    'AtomicLocalBackend',
    'CheckpointError',
    'CheckpointMismatchError',
    'ConfigError',
    'FiniteJsonHandler',
    'MixedPrecisionOptimWrapper',
    'NonFiniteError',
    'PartsOptimWrapperConstructor',
    'UntrustedCheckpointError',
    'as_checkpoint',
    'check_config',
    'find_config',
    'find_resumable_checkpoint',
    'load_checkpoint_file',
    'literal_config',
    'load_config',
    'load_from_http',
    'load_from_local',
    'raise_if_mismatched',
    'why_unreadable',
]
__all__ += hooks.__all__

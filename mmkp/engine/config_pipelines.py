# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Steps of a pipeline that need one another."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# What a step leaves in a sample that predictions are wrong without.
_MUST_BE_PACKED = {'ObjectFrameCrop': 'input_rotation'}


def pipeline_mistakes(steps: Sequence[Any], path: str) -> Iterator[str]:
    """Find steps whose results ``PackPoseInputs`` would drop.

    Args:
        steps: a list of a config, which may be something else than a pipeline.
        path: its dotted place in the config.

    Returns:
        Sentences.
    """
    known = [step for step in steps if isinstance(step, Mapping)]
    types = [step.get('type') for step in known]
    for step in known:
        if step.get('type') != 'PackPoseInputs':
            continue
        for name, key in _MUST_BE_PACKED.items():
            if name in types and key not in step.get('meta_keys', ()):
                yield (
                    f"'{path}' has {name}, but PackPoseInputs does not keep '{key}', "
                    'without which predictions are not turned back: add it to its '
                    "'meta_keys'"
                )

"""Rules by which maps become people."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple

from mmkp.ops.arguments import is_real


class GroupingRules(NamedTuple):
    """The same as compiled code takes it, see :class:`GroupingConfig`.

    ``min_peak_distance`` is in cells, and ``scores_by_sum`` says whether
    ``instance_score`` is 'sum'.
    """

    upsample: float
    peak_threshold: float
    max_peaks: int
    min_peak_distance: float
    num_samples: int
    samples_by_length: bool
    sample_threshold: float
    min_fraction: float
    length_penalty: bool
    only_passing: bool
    merge: bool
    max_gap: float
    min_single_score: float
    search_missing: bool
    min_keypoints: int
    min_score: float
    scores_by_sum: bool


#: Least and largest value of each number. Candidates for limbs are at most the square
#: of max_peaks for each limb, which bounds time and memory; OpenPose keeps 127 peaks.
_RANGES: dict[str, tuple[float, float]] = dict(
    upsample=(1, 16),
    peak_threshold=(1e-6, 1e6),
    max_peaks=(1, 512),
    min_peak_distance=(0, 1e6),
    num_samples=(1, 256),
    sample_threshold=(-1e6, 1e6),
    min_fraction=(0, 1),
    max_gap=(0, 1e6),
    min_single_score=(-1e6, 1e6),
    min_keypoints=(1, 1e6),
    min_score=(-1e6, 1e6),
)


def _is_number(value: Any, whole: bool) -> bool:
    """Whether a value is one real number; a whole one may be written 2.0."""
    return is_real(value) and (not whole or value == value // 1)


@dataclass(frozen=True)
class GroupingConfig:
    """Rules by which heatmaps and part affinity fields become people.

    Args:
        upsample: factor by which maps are enlarged first, bicubically. 1 reads peaks
            between the cells of the network's own grid.
        peak_threshold: least value of a keypoint's heatmap.
        max_peaks: of a keypoint, the highest ones are kept; an untrained network draws
            thousands.
        min_peak_distance: of two peaks of a keypoint that are nearer, in input pixels,
            only the first in reading order is kept; 0 keeps all.
        num_samples: along each limb.
        samples_by_length: take 5 to 25 samples instead, the more the longer the limb.
        sample_threshold: what a sample of the field along the limb has to exceed.
        min_fraction: of the samples that have to exceed it.
        length_penalty: whether limbs longer than half the map's height lose score.
        only_passing: whether a limb's score is the mean of those samples alone.
        merge: whether a limb unites two people who share no keypoint.
        max_gap: fragments without the keypoint between them are joined up to this
            distance, in mean limb lengths; 0 never joins.
        min_single_score: least value of a single peak that is joined to a fragment.
        search_missing: whether keypoints without a peak are searched along the fields.
        min_keypoints: of a person, those without a peak not counted.
        min_score: least (sum of peaks + sum of limbs) / keypoints of a person.
        instance_score: 'mean', half of that ratio, or 'sum', (keypoints - 1) times the
            sum.
    """

    upsample: int = 1
    peak_threshold: float = 0.05
    max_peaks: int = 127
    min_peak_distance: float = 0.0
    num_samples: int = 8
    samples_by_length: bool = False
    sample_threshold: float = 0.05
    min_fraction: float = 0.8
    length_penalty: bool = True
    only_passing: bool = False
    merge: bool = True
    max_gap: float = 2.5
    min_single_score: float = 0.1
    search_missing: bool = True
    min_keypoints: int = 3
    min_score: float = 0.2
    instance_score: str = 'mean'

    def __post_init__(self) -> None:
        """Refuse values that cannot be used.

        Raises:
            ValueError: naming the option, the value and what it may be.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _RANGES:
                low, high = _RANGES[field.name]
                whole = isinstance(field.default, int)
                if not _is_number(value, whole) or not low <= value <= high:
                    kind = 'a whole number' if whole else 'a number'
                    raise ValueError(
                        f'decoder option {field.name} must be {kind} from {low:g} to '
                        f'{high:g}, got {value!r:.80}'
                    )
            elif isinstance(field.default, bool) and value not in (True, False):
                raise ValueError(
                    f'decoder option {field.name} must be True or False, got '
                    f'{value!r:.80}'
                )
        if self.instance_score not in ('mean', 'sum'):
            raise ValueError(
                "decoder option instance_score must be 'mean' or 'sum', got "
                f'{self.instance_score!r:.80}'
            )

    def rules(self, stride: float) -> GroupingRules:
        """The same for compiled code, each number of one type.

        Args:
            stride: input pixels a cell.
        """
        rules = asdict(self)
        rules['min_peak_distance'] /= stride
        rules['scores_by_sum'] = rules.pop('instance_score') == 'sum'
        types = GroupingRules.__annotations__
        return GroupingRules(**{name: types[name](v) for name, v in rules.items()})


#: Rules of released decoders, as far as these options can say them, and our own.
PROFILES: dict[str, GroupingConfig] = {
    'accurate': GroupingConfig(),
    # OpenPose's C++ code. Its ear-shoulder limbs only fill, its feet do not count.
    'openpose': GroupingConfig(
        upsample=8,
        samples_by_length=True,
        min_fraction=0.95,
        only_passing=True,
        length_penalty=False,
        max_gap=0.0,
        search_missing=False,
        min_score=0.4,
    ),
    # Osokin's Lightweight OpenPose: no merging, so that fragments stay fragments.
    'lightweight': GroupingConfig(
        upsample=8,
        peak_threshold=0.1,
        min_peak_distance=6.0,
        num_samples=10,
        min_fraction=0.8,
        only_passing=True,
        length_penalty=False,
        merge=False,
        max_gap=0.0,
        search_missing=False,
        instance_score='sum',
    ),
}


def grouping_config(profile: str, **options: Any) -> GroupingConfig:
    """A profile by name, with some of its rules replaced.

    Args:
        profile: 'accurate', 'openpose' or 'lightweight'.
        **options: rules to replace, see :class:`GroupingConfig`.

    Raises:
        ValueError: no such profile, rule, or a value that cannot be used.
    """
    if profile not in PROFILES:
        raise ValueError(f'profile must be one of {sorted(PROFILES)}, got {profile!r}')
    known = {field.name for field in fields(GroupingConfig)}
    strange = sorted(set(options) - known)
    if strange:
        raise ValueError(
            f'unknown decoder option {", ".join(strange)}; there are '
            f'{", ".join(sorted(known))}'
        )
    return replace(PROFILES[profile], **options)

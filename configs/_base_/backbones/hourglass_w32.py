# One stack of a light hourglass without heatmaps of its own, whose map has half of the
# image's side and 32 channels.
hourglass_w32 = dict(
    type='StackedHourglass',
    num_stacks=1,
    num_keypoints=None,
    channels=32,
    stem_channels=16,
    stem_stride=2,
)

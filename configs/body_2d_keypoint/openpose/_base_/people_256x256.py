# Crops of 256x256 pixels with maps of stride 4, sizes measured by the longer side, as
# animals may be wider than high.
_base_ = ['./people_368x368.py']
codec = dict(input_size=(256, 256), stride=4, sigma=5.0, limb_half_width=4.0)
augment = [
    _base_.augment[0],
    dict(
        type='PersonScaledAffine',
        input_size=codec['input_size'],
        size_of='longer_side',
    ),
    _base_.augment[2],
    dict(type='LabeledMask', stride=codec['stride']),
]
test_pipeline = [
    _base_.test_pipeline[0],
    dict(type='BottomupHeightResize', height=256, size_factor=32),
    _base_.test_pipeline[-1],
]

# The same for networks that take sizes that are multiples of 32, with maps of stride 4.
_base_ = ['./people_368x368.py']
codec = dict(input_size=(384, 384), stride=4)
augment = [
    _base_.augment[0],
    dict(type='PersonScaledAffine', input_size=codec['input_size']),
    _base_.augment[2],
    dict(type='LabeledMask', stride=codec['stride']),
]
test_pipeline = [
    _base_.test_pipeline[0],
    dict(type='BottomupHeightResize', height=384, size_factor=32),
    _base_.test_pipeline[-1],
]

# Whole pictures, padded to 320x240 pixels, without augmentation. They are small, and so
# are the cells of their maps.
_base_ = ['./people_368x368.py']
codec = dict(
    input_size=(320, 240),
    stride=4,
    sigma=5.0,
    limb_half_width=5.0,
    field_alignment='openpose',
)
augment = [
    _base_.augment[0],
    dict(  # the whole picture, padded
        type='BottomupRandomAffine',
        input_size=codec['input_size'],
        shift_factor=0.0,
        scale_factor=(1.0, 1.0),
        rotate_factor=0.0,
        scale_type='long',
        pad_val=128,
    ),
    dict(type='LabeledMask', stride=codec['stride']),
]
test_pipeline = [
    _base_.test_pipeline[0],
    dict(
        type='BottomupResize',
        input_size=codec['input_size'],
        size_factor=8,
        pad_val=[128] * 3,
    ),
    _base_.test_pipeline[-1],
]

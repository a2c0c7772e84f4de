# Pictures of 128x128 pixels as they are. Figures are small, and so are Gaussians, limbs
# and cells.
_base_ = ['./people_368x368.py']
codec = dict(input_size=(128, 128), stride=4, sigma=3.0, limb_half_width=3.0)
augment = [_base_.augment[0]]
test_pipeline = [
    _base_.test_pipeline[0],
    dict(type='BottomupHeightResize', height=128),
    _base_.test_pipeline[-1],
]

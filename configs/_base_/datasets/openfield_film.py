# A mouse in an open field, seen from above: trained on every fifth frame of a film, 466
# pictures of 640x480 pixels, without labels; 60 labeled pictures of another film to
# fit, 26 to score. Distances in pixels of the picture. Frames are made by:
# python tools/dataset_converters/film_to_frames.py data/openfield/videos/m3v1mp4.mp4
# work_dirs/datasets/openfield/m3v1mp4 --every 5
# and masks, to tell the share on the mouse, by:
# python tools/dataset_converters/masks_from_points.py
# data/openfield/openfield_test.json data/openfield work_dirs/datasets/openfield/masks
_base_ = ['./labeled.py']
images = dict(
    type='LandmarkDataset',
    data_root='data/openfield',
    data_prefix=dict(img=''),
    box='image',
)
# What the cameras see behind the mouse is the median of pictures in these folders.
film_scene = 'work_dirs/datasets/openfield/m3v1mp4'
labeled_scene = 'data/openfield/labeled-data/m4s1'
train_dataloader = dict(dataset=dict(data_root=film_scene))
val_dataloader = dict(
    dataset=dict(
        fit=dict(images, ann_file='openfield_train.json'),
        score=dict(images, ann_file='openfield_test.json'),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(
    mask_folder='work_dirs/datasets/openfield/masks',
    protocol_options=dict(
        normalizer='none',
        scale=1.0,
        reduction='root_mean_square',
        unit='px of the picture, root mean square',
    ),
)
test_evaluator = val_evaluator

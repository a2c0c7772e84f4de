# AFLW: faces at all angles with 19 landmarks, error over the size of the box.
_base_ = ['./topdown.py']
dataset_type = 'AFLWDataset'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/aflw',
        ann_file='annotations/face_landmarks_aflw_train.json',
        data_prefix=dict(img='images/'),
    ),
)
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/aflw',
        ann_file='annotations/face_landmarks_aflw_test.json',
        data_prefix=dict(img='images/'),
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='NME', norm_mode='use_norm_item', norm_item='bbox_size')
test_evaluator = val_evaluator

# AFLW: faces at all angles with 19 landmarks, error over the size of the box.
_base_ = ['./face300w_256x256.py']
dataset_type = 'AFLWDataset'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/aflw',
        ann_file='annotations/face_landmarks_aflw_train.json',
    ),
)
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/aflw',
        ann_file='annotations/face_landmarks_aflw_test.json',
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    _delete_=True, type='NME', norm_mode='use_norm_item', norm_item='bbox_size'
)
test_evaluator = val_evaluator

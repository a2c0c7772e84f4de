# Birds that look the same way, K=10, their crops as images. AutoLink's .h5 of them is
# not read: write pictures and a table of points from it, and run
# tools/dataset_converters/landmark_csv_to_coco.py.
_base_ = ['./stable-keypoints_cub-512x512.py']
model = dict(head=dict(num_keypoints=10), train_cfg=dict(num_selected=10))
images = dict(img='data/cub_aligned')
root = 'work_dirs/datasets/cub_aligned'
train_dataloader = dict(
    dataset=dict(num_keypoints=10, bbox_file=f'{root}/train.json', data_prefix=images)
)
val_dataloader = dict(
    dataset=dict(
        num_keypoints=10,
        fit=dict(ann_file=f'{root}/train.json', data_prefix=images),
        score=dict(ann_file=f'{root}/test.json', data_prefix=images),
    )
)
test_dataloader = val_dataloader

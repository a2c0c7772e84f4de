# Whole frames of Human3.6M, the person anywhere, with background. The simplified set
# holds crops only: annotations are made from a table of the 32 joints in the frames by
# tools/dataset_converters/landmark_csv_to_coco.py.
_base_ = ['./stable-keypoints_human36m-masked-512x512.py']
images = dict(img='data/human36m_frames')
root = 'work_dirs/datasets/human36m_frames'
train_dataloader = dict(dataset=dict(data_root='data/human36m_frames/train'))
val_dataloader = dict(
    dataset=dict(
        fit=dict(ann_file=f'{root}/train.json', data_prefix=images),
        score=dict(ann_file=f'{root}/test.json', data_prefix=images),
    )
)
test_dataloader = val_dataloader

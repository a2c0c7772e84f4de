# The labeled images of own_skeleton.py, whole, and a folder of images without labels.
_base_ = ['./own_skeleton.py']
unlabeled_root = 'data/my_films'
labeled = dict(
    type='LandmarkDataset',
    data_root=_base_.data_root,
    data_prefix=dict(img=_base_.image_folder),
    metainfo=_base_.metainfo,
    ann_file=_base_.train_file,
)
unlabeled = dict(
    type='UnlabeledImageDataset',
    data_root=unlabeled_root,
    num_keypoints=len(_base_.keypoints),
    metainfo=_base_.metainfo,
)
# How often each is drawn in a round: so that half of a batch is labeled in the mean,
# the first number is (images without labels) / (labeled images).
share = [10.0, 1.0]
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CombinedDataset',
        metainfo=_base_.metainfo,
        datasets=[labeled, unlabeled],
        sample_ratio_factor=share,
    )
)
val_dataloader = dict(
    dataset=dict(labeled, _delete_=True, ann_file=_base_.val_file, test_mode=True)
)
test_dataloader = val_dataloader

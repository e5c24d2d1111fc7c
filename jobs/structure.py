"""Structure from motion by pycolmap, stage by stage: features, matches, mapping; each can be watched and cancelled.

Everything lies in one folder: photos/<group>/<name>.png, of which each group was taken by one camera, masks/ beside it
with the same names, and the database.
"""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

CHUNK = 8
"""Photos whose features are found in one go"""
PAIRS = 200
"""Pairs of photos that are compared in one go"""
POLL = 0.2
"""Seconds between looks at a running stage"""
ALL_PAIRS = 60
"""Photos up to which each is compared with every other"""
NEIGHBOURS = 10
EVERY = 5
"""Of more photos each is compared with its neighbours by name, and every fifth with every other fifth: loops close"""
LENS = "SIMPLE_RADIAL"
"""One term of distortion: on a ring of cameras OPENCV's four pass for a turn of the camera (23 degrees off, not .1)"""
ENOUGH = 0.9
"""Share of the photos with which no further settings are tried"""
INLIERS = 15
"""Points that two photos have in common before that counts"""
EASIER = {
    "init_min_num_inliers": 40,
    "init_min_tri_angle": 5.0,
    "abs_pose_min_num_inliers": 15,
    "abs_pose_min_inlier_ratio": 0.12,
    "max_reg_trials": 6,
}
"""For few, plain or narrow photos: what a first pair and every further photo must have"""


@dataclass(frozen=True)
class Group:
    """Photos by one camera, all of one size."""

    names: tuple[str, ...]
    """Paths below photos/"""
    size: tuple[int, int]
    """Width and height"""
    focal: float | None = None
    """In pixels, where it is known"""


class Structure:
    """One folder of copies and what pycolmap makes of them.

    `watch(fraction, note)` is called often; what it raises stops the stage that runs. Raises ValueError with a sentence
    where pycolmap is not installed.
    """

    def __init__(self, folder, watch, seed: int = 0):
        try:
            import pycolmap
        except ImportError as error:
            raise ValueError(
                "finding cameras needs pycolmap: install that (pip install pycolmap), or give photos with their cameras"
            ) from error
        self.colmap = pycolmap
        self.folder, self.watch, self.seed = Path(folder), watch, seed
        self.database = self.folder / "database.db"
        self.threads = int(os.environ.get("OMP_NUM_THREADS") or -1)
        self.device = pycolmap.Device.auto if pycolmap.has_cuda else pycolmap.Device.cpu
        pycolmap.logging.minloglevel = pycolmap.logging.FATAL.value  # what fails is tried otherwise
        pycolmap.set_random_seed(seed)

    def features(self, groups, masked: bool, doubled: bool = True) -> dict[str, int]:
        """Find what can be recognised in each photo: name -> how many points. Starts a new database.

        doubled: also what is seen in pixels half as large; most points are found there, in most of the time.
        """
        for path in self.folder.glob("database.db*"):
            path.unlink()
        options = self.colmap.FeatureExtractionOptions()
        options.num_threads, options.use_gpu = self.threads, self.colmap.has_cuda
        options.sift.first_octave = -1 if doubled else 0
        done, total = 0, sum(len(group.names) for group in groups)
        for group in groups:
            reader = self._reader(group, masked)
            for names in batched(group.names, CHUNK):
                self._run(
                    self.colmap.extract_features,
                    (done / total, f"{done} of {total}"),
                    self.database,
                    self.folder / "photos",
                    list(names),
                    self.colmap.CameraMode.SINGLE,
                    reader,
                    options,
                    self.device,
                )
                done += len(names)
                reader.existing_camera_id = self._camera(names, reader.existing_camera_id)
        with self._opened() as database:
            images = database.read_all_images()
            return {image.name: database.num_keypoints_for_image(image.image_id) for image in images}

    def matches(self, names, every_pair: bool) -> set[str]:
        """Compare photos, names in their order; those that have enough in common with another."""
        pairs = all_pairs(names) if every_pair else some_pairs(names)
        options = self.colmap.FeatureMatchingOptions()
        options.num_threads, options.use_gpu = self.threads, self.colmap.has_cuda
        pairing = self.colmap.ImportedPairingOptions()
        pairing.match_list_path = self.folder / "pairs.txt"
        checks = self.colmap.TwoViewGeometryOptions()
        checks.ransac.random_seed = self.seed
        for number, some in enumerate(batched(pairs, PAIRS)):
            pairing.match_list_path.write_text("".join(f"{a} {b}\n" for a, b in some), "utf-8")
            done = number * PAIRS
            note = f"{done} of {len(pairs)} pairs"
            arguments = self.database, options, pairing, checks, self.device
            self._run(self.colmap.match_image_pairs, (done / len(pairs), note), *arguments)
        return self._matched()

    def mapping(self, easier: bool):
        """The largest model that grows from one pair of photos, or None."""
        options = self.colmap.IncrementalPipelineOptions()
        options.num_threads, options.random_seed, options.min_model_size = self.threads, self.seed, 2
        options.mapper.random_seed = options.triangulation.random_seed = self.seed
        if easier:
            for name, value in EASIER.items():
                setattr(options.mapper, name, value)
        placed = itertools.count(2)
        state = [0.0, "first pair"]

        def next_image():
            state[:] = [min(0.95, next(placed) / max(1, self._count())), "placing photos"]

        found = self._run(
            self.colmap.incremental_mapping,
            state,
            self.database,
            self.folder / "photos",
            self._output(),
            options,
            next_image_callback=next_image,
        )
        return largest(found)

    def mapping_at_once(self):
        """The largest model that comes of placing all photos together (GLOMAP, Pan 2024), or None."""
        options = self.colmap.GlobalPipelineOptions()
        options.num_threads = options.mapper.num_threads = self.threads
        options.random_seed = options.mapper.random_seed = self.seed
        options.mapper.rotation_averaging.random_seed = self.seed
        options.mapper.global_positioning.random_seed = self.seed
        options.mapper.global_positioning.use_gpu = options.mapper.bundle_adjustment.ceres.use_gpu = False
        arguments = self.database, self.folder / "photos", self._output(), options
        found = self._run(self.colmap.global_mapping, (0.5, "all together"), *arguments, stoppable=False)
        return largest(found)

    def _run(self, stage, state, *arguments, stoppable=True, **named):
        """Call a stage in a thread and watch it; when watching raises, the stage is stopped first."""
        token = self.colmap.CancellationToken()
        if stoppable:
            named["cancellation_token"] = token
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(stage, *arguments, **named)
            try:
                while not running.done():
                    self.watch(*state)
                    wait([running], POLL)
            except BaseException:
                token.cancel()
                raise
        return running.result()

    def _reader(self, group, masked):
        reader = self.colmap.ImageReaderOptions()
        reader.camera_model = LENS
        if masked:
            reader.mask_path = self.folder / "masks"
        if group.focal:
            middle = [side / 2 for side in group.size]
            reader.camera_params = ",".join(map(repr, [group.focal, *middle, 0.0]))
        return reader

    def _camera(self, names, known) -> int:
        """The number of the camera that took these photos; -1 where none of them could be read."""
        with self._opened() as database:
            found = [image.camera_id for image in database.read_all_images() if image.name in names]
        return found[0] if found else known

    def _matched(self) -> set[str]:
        with self._opened() as database:
            names = {image.image_id: image.name for image in database.read_all_images()}
            pairs, inliers = database.read_two_view_geometry_num_inliers()
        ids = [self.colmap.pair_id_to_image_pair(pair) for pair, n in zip(pairs, inliers) if n >= INLIERS]
        return {names[number] for pair in ids for number in pair}

    def _count(self) -> int:
        return sum(1 for _ in (self.folder / "photos").rglob("*.png"))

    def _output(self) -> Path:
        path = self.folder / "models"
        path.mkdir(exist_ok=True)
        return path

    def _opened(self):
        return self.colmap.Database.open(self.database)


def largest(models):
    """The reconstruction with most photos, and of those the one with most points; None where there is none."""
    size = lambda model: (model.num_reg_images(), model.num_points3D())  # noqa: E731
    return max(models.values(), key=size, default=None)


def all_pairs(names) -> list[tuple[str, str]]:
    return list(itertools.combinations(names, 2))


def some_pairs(names) -> list[tuple[str, str]]:
    """Neighbours in a row, which is closed to a ring, and every EVERY-th with every other: no vocabulary is needed."""
    count = len(names)
    near = {(i, (i + step) % count) for i in range(count) for step in range(1, min(NEIGHBOURS, count - 1) + 1)}
    far = set(itertools.combinations(range(0, count, EVERY), 2))
    numbers = {(min(pair), max(pair)) for pair in near | far}
    return [(names[a], names[b]) for a, b in sorted(numbers)]


def batched(items, size):
    """Pieces of at most `size` (itertools.batched is newer than our oldest Python)."""
    items = iter(items)
    while some := tuple(itertools.islice(items, size)):
        yield some

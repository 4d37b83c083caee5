"""Every dataset `repose` knows: what it is, under which licence, where to get it, and how its files are named.

Nothing is downloaded: licensed data are brought by those who have the right to use them. What could not be checked
against an original download says so in `doubts`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from repose.errors import ReposeError

RAW = Path("data/raw")
BODY: dict[str, Any] = {"vertices": 6890, "faces": 13776}  # SMPL's topology, which FAUST and DFAUST share


@dataclass(frozen=True)
class Entry:
    """One dataset.

    Attributes:
        files: pattern of a wanted file's path inside the archive or folder; None for what is made from a seed.
        expected: how many such files a complete copy has, if that is known.
        naming: how identity and pose are read off the names.
        split: which parts the config takes by default.
    """

    name: str
    kind: Literal["meshes", "images"]
    what: str
    licence: str
    naming: str
    split: str
    units: str = "m"
    up: str = "y"
    home: str | None = None
    get: str = ""
    files: re.Pattern[str] | None = None
    expected: int | None = None
    vertices: int | None = None
    faces: int | None = None
    doubts: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the dataset is made from a seed, with nothing to bring."""
        return self.files is None

    def match(self, path: str) -> re.Match[str] | None:
        """How a path matches the pattern of wanted files, if it does."""
        return self.files.search(path) if self.files else None

    def missing(self, folder: Path) -> ReposeError:
        """The one line that says what to get, from whom, and where to put it."""
        return ReposeError(
            f"{self.name} is not there: register at {self.home} ({self.licence}), "
            f"get {self.get}, and put it in {folder}/",
            hint="as downloaded, or unpacked; `repose raw --list` shows all datasets",
        )


LABEL_FILES = (  # of images: joints, pair lists, label maps, correspondences
    r"pose_label\.pkl|pair_split\.json|[\w-]*annotation[\w-]*\.csv|[\w-]*pairs[\w-]*\.csv"
    r"|seg/[^/]+\.bmp|[^/]+\.corr|list_eval_partition\.txt"
)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?:^|/){text}$")


_OPEN: dict[str, Any] = {
    "kind": "meshes",
    "naming": "identity × pose, every identity in every pose of one bank",
    "split": "counts in the config, in order",
}

ENTRIES = {
    entry.name: entry
    for entry in (
        Entry(
            "open-human",
            what="bodies of the open parametric human Anny in sampled poses",
            licence="CC0-1.0",
            **_OPEN,
        ),
        Entry(
            "open-animal",
            what="procedural quadrupeds of twelve species",
            licence="MIT, as this program",
            **_OPEN,
        ),
        Entry(
            "open-fashion",
            "images",
            what="people of open-human rendered in clothes in a studio, with exact flow",
            licence="CC0-1.0",
            naming="identity, outfit, number",
            split="counts in the config, in order",
        ),
        Entry(
            "open-market",
            "images",
            what="people of open-human rendered in clothes in the street, by several cameras, with exact flow",
            licence="CC0-1.0",
            naming="identity, outfit, number",
            split="counts in the config, in order",
        ),
        Entry(
            "faust",
            "meshes",
            what="registrations of scans of 10 people in 10 poses each (Bogo et al., CVPR 2014)",
            licence="research only",
            home="https://faust.is.tue.mpg.de",
            get="MPI-FAUST.zip",
            files=_pattern(r"tr_reg_(\d{3})\.ply"),
            expected=100,
            naming="training/registrations/tr_reg_{n:03}.ply: identity n // 10, pose n % 10",
            split="identities 0-7 and 8-9 (as LIMP), poses 0-4, 5-6 and 7-9",
            doubts="no published split of poses",
            **BODY,
        ),
        Entry(
            "dfaust",
            "meshes",
            what="registered scan sequences at 60 Hz: 10 people, up to 14 motions each (Bogo et al., CVPR 2017)",
            licence="research only",
            home="https://dfaust.is.tue.mpg.de",
            get="registrations_m.hdf5 and registrations_f.hdf5",
            files=_pattern(r"registrations_[mf]\.hdf5"),
            expected=2,
            naming="array {subject}_{motion} (vertices, 3, frames): identity = subject, pose = 10000 · motion + frame",
            split="subjects and motions; a pose is of one person only, so that no transfer has a truth",
            doubts="no published choice of frames; up axis and unit from users' code",
            **BODY,
        ),
        Entry(
            "smpl-npt",
            "meshes",
            what="SMPL bodies, 30 identities in 800 sampled poses (Wang et al., CVPR 2020)",
            licence="SMPL model licence, non-commercial research",
            home="https://github.com/jiashunwang/Neural-Pose-Transfer",
            get="the training data",
            files=_pattern(r"(?:id)?(\d{1,2})_(\d{1,3})\.obj"),
            expected=24_000,
            naming="{i}_{p}.obj (NPT) or id{i}_{p}.obj (3D-CoreNet, MAPConNet): identity i, pose p",
            split="identities 0-15 and 16-29, poses 200-599 and 600-799 as published; validation on poses 0-19",
            doubts="whether all 30 × 800 are in the download",
            **BODY,
        ),
        Entry(
            "smpl",
            "meshes",
            what="the SMPL model file, from which bodies are drawn as SMPL-NPT's were (Loper et al., 2015)",
            licence="SMPL model licence, non-commercial research",
            home="https://smpl.is.tue.mpg.de",
            get="the male model (version 1.0 or 1.1, .pkl or .npz)",
            files=_pattern(
                r"(?:basic[mM]odel_[mfn]\w*_lbs_10_207_0_v[\d.]+|SMPL_\w+|model_(?:male|female))\.(?:npz|pkl)"
            ),
            expected=1,
            naming="identity and pose are the seeds of the published generator",
            split="as smpl-npt",
            doubts="the .pkl reader was not tried on an original; whether identities 16-29 follow the published rule",
            **BODY,
        ),
        Entry(
            "smal",
            "meshes",
            what="SMAL animals, 41 toys in 600 poses (Song et al., NeurIPS 2021)",
            licence="SMAL model licence, non-commercial research",
            home="https://github.com/ChaoyueSong/3d-corenet",
            get="the animal data",
            files=_pattern(r"toy_(\d{1,2})_(\d{1,3})\.ply"),
            expected=24_600,
            vertices=3889,
            faces=7774,
            up="as released",
            naming="toy_{i}_{p}.ply: identity i, pose p",
            split="29 and 12 toys as published; poses 0-379, 380-399 for validation, 400-599",
            doubts="up axis and unit of the released files; coordinates are kept, as released weights need them",
        ),
        Entry(
            "mixamo",
            "meshes",
            what="characters in T-pose, each with its own mesh: targets without poses (as in NPR, NeurIPS 2024)",
            licence="Adobe's terms of use: no redistribution",
            home="https://www.mixamo.com",
            get="a character in T-pose, exported as .obj",
            files=_pattern(r"([^/]+)\.obj"),
            naming="{character}.obj; one dataset of the config per character",
            units="longest side of the box = 1",
            split="none",
            doubts="how the authors exported and scaled theirs",
        ),
        Entry(
            "deformingthings4d",
            "meshes",
            what="animated animals, each with its own mesh (Li et al., ICCV 2021)",
            licence="non-commercial, by form",
            home="https://github.com/rabbityl/DeformingThings4D",
            get="the folder animals/",
            files=_pattern(r"([^/_]+)_([^/]+)/\1_\2\.anime"),
            expected=1772,
            naming="animals/{animal}_{motion}/{animal}_{motion}.anime; pose 0 is frame 0 of the first motion",
            units="longest side of the template's box = 1",
            up="z, turned to y",
            split="none: one identity; NPR trains on one and transfers to others",
            doubts="up axis; how NPR chose its frames",
        ),
        Entry(
            "deepfashion",
            "images",
            what="In-shop Clothes Retrieval: 52,712 photos of people, 256 × 256 (Liu et al., CVPR 2016)",
            licence="research only, password on request",
            home="https://mmlab.ie.cuhk.edu.hk/projects/DeepFashion/InShopRetrieval.html",
            get="img.zip, unpacked with the password they give",
            files=_pattern(
                rf"(?:(?:MEN|WOMEN)/\w+/id_\d{{8}}/\d\d_\d_\w+\.jpg|fasion\w+\.jpg|{LABEL_FILES})"
            ),
            expected=52_712,
            units="pixels",
            up="-",
            naming="{MEN,WOMEN}/{category}/id_{item}/{variation}_{k}_{view}.jpg: outfit = item and variation",
            split="lists of pairs (Deformable GAN, Intrinsic Flow)",
            doubts="their split lists are no longer offered; sizes of the released lists",
        ),
        Entry(
            "market-1501",
            "images",
            what="photos of 1,501 people by 6 cameras, 64 × 128 (Zheng et al., ICCV 2015)",
            licence="research only",
            home="https://zheng-lab.cecs.anu.edu.au/Project/project_reid.html",
            get="Market-1501-v15.09.15.zip",
            files=_pattern(rf"(?:-?\d+_c\ds\d_\d{{6}}_\d\d\.jpg|{LABEL_FILES})"),
            expected=36_036,
            units="pixels",
            up="-",
            naming="{person:04}_c{camera}s{sequence}_{frame:06}_{box:02}.jpg; person -1 is junk, 0000 a distractor",
            split="bounding_box_train; bounding_box_test without -1 and 0000",
            doubts="sizes of the released pair lists",
        ),
    )
}

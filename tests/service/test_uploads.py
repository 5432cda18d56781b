"""Uploads: only scenes, pictures and recordings, and scenes that stay inside of their folder."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from PIL import Image
from service_kit import LocalService, make_settings, serving

from datagen.errors import InputError
from datagen.store import free_bytes
from service.uploads.names import checked_name
from service.uploads.pictures import check_pictures
from service.uploads.scenes import check_scenes
from service.uploads.unpack import Budget, unpack

WALK = b"0.0 0 0 1 0 0 0 1\n1.0 1 0 1 0 0 0 1\n"
BUDGET = Budget(bytes=2_000_000, files=20, room=10**12)
FOREIGN = (
    "/etc/passwd", "../other/scene.usda", "http://example.org/a.usda", "file:///etc/passwd.usda",
    "C:\\\\secret.usda", "absent.usda", "./sub/../../x.usda", "anon:0x1:a.usda", "$HOME/a.usda",
    "near.usda:SDF_FORMAT_ARGS:a=b", "package.usdz[../near.usda]", "~/a.usda",
)  # fmt: skip
PLACES = {
    "sublayer": '#usda 1.0\n(\n    subLayers = [@{}@]\n)\n',
    "reference": '#usda 1.0\ndef "A" (\n    references = @{}@\n)\n{{\n}}\n',
    "payload": '#usda 1.0\ndef "A" (\n    prepend payload = @{}@</B>\n)\n{{\n}}\n',
    "attribute": '#usda 1.0\ndef "A"\n{{\n    asset file = @{}@\n}}\n',
    "array": '#usda 1.0\ndef "A"\n{{\n    asset[] files = [@near.usda@, @{}@]\n}}\n',
    "time sample": '#usda 1.0\ndef "A"\n{{\n    asset file.timeSamples = {{\n        1: @{}@,\n    }}\n}}\n',
    "custom data": '#usda 1.0\ndef "A" (\n    customData = {{\n        asset file = @{}@\n    }}\n)\n{{\n}}\n',
    "variant": (
        '#usda 1.0\ndef "A" (\n    add variantSets = "v"\n)\n{{\n    variantSet "v" = {{\n'
        '        "x" (\n            references = @{}@\n        ) {{\n        }}\n    }}\n}}\n'
    ),
    "clip": (
        '#usda 1.0\ndef "A" (\n    clips = {{\n        dictionary default = {{\n'
        '            asset[] assetPaths = [@{}@]\n            string primPath = "/A"\n        }}\n    }}\n)\n{{\n}}\n'
    ),
    "clip manifest": (
        '#usda 1.0\ndef "A" (\n    clips = {{\n        dictionary default = {{\n'
        '            asset manifestAssetPath = @{}@\n            string primPath = "/A"\n        }}\n    }}\n)\n{{\n}}\n'
    ),
    "clip template": (
        '#usda 1.0\ndef "A" (\n    clips = {{\n        dictionary default = {{\n'
        '            string templateAssetPath = "{}"\n            string primPath = "/A"\n        }}\n    }}\n)\n{{\n}}\n'
    ),
}  # fmt: skip
"""Where a layer can name another file."""


def upload(service: LocalService, name: str, body: bytes, **options: object) -> httpx.Response:
    params = {"name": name}
    return service.http.post("/v1/assets", params=params, content=body, **options)  # type: ignore[arg-type]


def refused(action: Callable[[], object]) -> str:
    """What an action's refusal says."""
    with pytest.raises(InputError) as refusal:
        action()
    return str(refusal.value)


def scene(folder: Path, layer: str) -> list[str]:
    """A folder with a layer and another that it may name."""
    (folder / "scene.usda").write_text(layer)
    (folder / "near.usda").write_text('#usda 1.0\ndef "B"\n{\n}\n')
    return ["scene.usda", "near.usda"]


@pytest.mark.parametrize("place", PLACES)
def test_a_layer_names_no_foreign_file(place: str, tmp_path: Path) -> None:
    """Find a path wherever a layer can hold one, and refuse it when it leads out."""
    names = scene(tmp_path, PLACES[place].format("near.usda"))
    check_scenes(tmp_path, names)
    for path in FOREIGN:
        names = scene(tmp_path, PLACES[place].format(path))
        assert "scene.usda" in refused(lambda n=names: check_scenes(tmp_path, n)), (place, path)


def test_a_package_names_only_its_own(tmp_path: Path) -> None:
    """Look into packages too."""

    def package(layer: str, compression: int = zipfile.ZIP_STORED) -> list[str]:
        with zipfile.ZipFile(tmp_path / "a.usdz", "w", compression) as file:
            file.writestr("scene.usda", layer)
            file.writestr("near.usda", '#usda 1.0\ndef "B"\n{\n}\n')
        return ["a.usdz"]

    layer = PLACES["reference"]
    check_scenes(tmp_path, package(layer.format("near.usda")))
    for path in FOREIGN:
        names = package(layer.format(path))
        assert path.split("\\")[0] in refused(lambda n=names: check_scenes(tmp_path, n))
    names = package(layer.format("near.usda"), zipfile.ZIP_DEFLATED)
    assert "compressed" in refused(lambda: check_scenes(tmp_path, names))


def test_what_is_no_scene(tmp_path: Path) -> None:
    """Refuse a layer and a package that cannot be read."""
    (tmp_path / "a.usda").write_bytes(b"\x7fELF")
    (tmp_path / "b.usdz").write_bytes(b"PK\x03\x04nothing")
    told = refused(lambda: check_scenes(tmp_path, ["a.usda"]))
    assert "cannot be read as USD: <a.usda> is not a valid usda layer" in told
    assert str(tmp_path) not in told
    assert "not a usdz" in refused(lambda: check_scenes(tmp_path, ["b.usdz"]))


@pytest.mark.parametrize(
    "name",
    [
        "../a.usda", "/a.usda", "a/../b.usda", "a//b.usda", "./a.usda", ".hidden.usda", "a.usda/", "",
        "a\\b.usda", "a\x00.usda", "a\n.usda", "a.usda ", "a.", "a.py", "a.so", "a.usda.exe", "a.h5",
        "/".join(["d"] * 13) + "/a.usda", "x" * 250 + ".usda", "~a.usda", "-a.usda", "a:b.usda",
    ],
)  # fmt: skip
def test_file_names(name: str) -> None:
    """Take plain relative names of scenes, pictures and recordings only."""
    assert "file" in refused(lambda: checked_name(name))


def zip_of(path: Path, members: dict[str, bytes], *, link: str | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
        if link is not None:
            info = zipfile.ZipInfo("link.usda")
            info.create_system, info.external_attr = 3, 0o120777 << 16
            file.writestr(info, link)
    return path


def tar_of(path: Path, members: dict[str, bytes], extra: tarfile.TarInfo | None = None) -> Path:
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as file:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
        if extra is not None:
            file.addfile(extra)
    return path


def special(kind: bytes, target: str = "/etc/passwd") -> tarfile.TarInfo:
    info = tarfile.TarInfo("link.usda")
    info.type, info.linkname = kind, target
    return info


def test_archives_are_unpacked(tmp_path: Path) -> None:
    """Write what a good archive holds."""
    members = {"a/walk.txt": WALK, "b.txt": b"1"}
    for index, archive in enumerate(
        (zip_of(tmp_path / "a.zip", members), tar_of(tmp_path / "a.tar", members), tar_of(tmp_path / "a.tar.gz", members))
    ):  # fmt: skip
        target = tmp_path / str(index)
        unpack(archive, archive.name, target, BUDGET)
        assert (target / "a/walk.txt").read_bytes() == WALK


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"../out.txt": b""}, "'..'"),
        ({"/out.txt": b""}, "relative"),
        ({"a.sh": b""}, "expected a scene"),
        ({"a.zip": b""}, "expected a scene"),
        ({"A.txt": b"", "a.TXT": b""}, "clash"),
        ({"a.txt": b"", "a.txt/b.txt": b""}, "both a file and a folder"),
        ({"a.txt/b.txt": b"", "A.txt": b""}, "both a file and a folder"),
        ({f"{i}.txt": b"" for i in range(21)}, "more than 20 members"),
        ({"bomb.txt": bytes(2_000_001)}, "more than 2,000,000 bytes"),
        ({f"{i}.txt": bytes(200_000) for i in range(11)}, "more than 2,000,000 bytes"),
        ({}, "no files"),
    ],
)
@pytest.mark.parametrize("kind", ["a.zip", "a.tar", "a.tar.gz"])
def test_archive_bombs_and_traversals(
    kind: str, members: dict[str, bytes], told: str, tmp_path: Path
) -> None:
    """Refuse an archive by what comes out of it, and write nothing outside."""
    make = zip_of if kind.endswith("zip") else tar_of
    archive = make(tmp_path / kind, members)
    target = tmp_path / "inner" / "target"
    assert told in refused(lambda: unpack(archive, kind, target, BUDGET))
    assert not (tmp_path / "inner" / "out.txt").exists()


def test_many_files(tmp_path: Path) -> None:
    """Look at each name of an archive once: ten thousand files take no minutes."""
    members = {f"walks/{i // 100}/{i}.txt": b"" for i in range(10_000)}
    archive = tar_of(tmp_path / "a.tar", members)
    begin = time.process_time()
    unpack(archive, "a.tar", tmp_path / "target", Budget(bytes=1, files=10_000, room=1))
    assert time.process_time() - begin < 20


def test_unpacking_leaves_the_reserve(tmp_path: Path) -> None:
    """Take no archive that would fill the disk when it is unpacked."""
    settings = make_settings(
        tmp_path / "data", disk_reserve_bytes=free_bytes(tmp_path) - 20 * 2**20
    )
    body = zip_of(tmp_path / "a.zip", {"a.txt": bytes(60 * 2**20)}).read_bytes()
    with serving(settings) as service:
        answer = service.http.post("/v1/assets", params={"name": "a.zip"}, content=body)
    assert (answer.status_code, answer.json()["type"]) == (507, "/problems/storage-full")


def test_links_and_devices_in_archives(tmp_path: Path) -> None:
    """Refuse everything in an archive that is not a plain file."""
    target = tmp_path / "target"
    linked = zip_of(tmp_path / "a.zip", {}, link="/etc/passwd")
    assert "link" in refused(lambda: unpack(linked, "a.zip", target, BUDGET))
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        archive = tar_of(tmp_path / "a.tar", {}, special(kind))
        assert "link or device" in refused(lambda a=archive: unpack(a, "a.tar", target, BUDGET))


def test_a_zip_that_lies_about_sizes(tmp_path: Path) -> None:
    """Count bytes as they come, whatever the archive's index says."""
    archive = zip_of(tmp_path / "a.zip", {"a.txt": bytes(3_000_000)})
    told = struct.pack("<L", 3_000_000)
    archive.write_bytes(archive.read_bytes().replace(told, struct.pack("<L", 10)))
    refused(lambda: unpack(archive, "a.zip", tmp_path / "target", BUDGET))
    written = sum(path.stat().st_size for path in (tmp_path / "target").rglob("*"))
    assert written <= BUDGET.bytes


def test_damaged_archives(tmp_path: Path) -> None:
    """Say of damaged archives that they cannot be unpacked."""
    whole = tar_of(tmp_path / "whole.tar.gz", {"a.txt": WALK * 1000}).read_bytes()
    for name, body in (
        ("a.zip", b"PK\x03\x04"), ("a.tar.gz", whole[:100]), ("a.tar", b"x" * 512), ("b.tar.gz", gzip.compress(b"x")),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(body)
        told = refused(lambda n=name: unpack(tmp_path / n, n, tmp_path / f"of-{n}", BUDGET))
        assert "cannot be unpacked" in told or "no files" in told


def test_pictures(tmp_path: Path) -> None:
    """Refuse a picture that is none, or that would fill the memory."""
    Image.new("RGB", (4, 4)).save(tmp_path / "good.png")
    check_pictures(tmp_path, ["good.png"])
    (tmp_path / "bad.png").write_bytes(b"<svg/>")
    assert "not a picture" in refused(lambda: check_pictures(tmp_path, ["bad.png"]))
    (tmp_path / "bomb.png").write_bytes(png_head(100_000, 100_000))
    assert "bomb.png" in refused(lambda: check_pictures(tmp_path, ["bomb.png"]))
    with zipfile.ZipFile(tmp_path / "pack.usdz", "w") as package:
        package.write(tmp_path / "good.png", "good.png")
        package.write(tmp_path / "bomb.png", "bomb.png")
    assert "bomb.png" in refused(lambda: check_scenes(tmp_path, ["pack.usdz"]))


def png_head(width: int, height: int) -> bytes:
    """A PNG that says it is large, with no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))
        )

    head = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def test_upload_and_use(service: LocalService) -> None:
    """Keep a recording, list it with its digest, and take a job that names it."""
    response = upload(service, "walk.txt", WALK)
    assert response.status_code == 201
    (file,) = response.json()["files"]
    assert file["sha256"] == hashlib.sha256(WALK).hexdigest()
    assert file["path"] == f"{response.json()['id']}/walk.txt"
    assert service.http.get(response.headers["Location"]).json() == response.json()


def test_upload_digest(service: LocalService) -> None:
    """Take an upload with its right digest, and refuse it with another."""
    right = base64.b64encode(hashlib.sha256(WALK).digest()).decode()
    wrong = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    for digest, status in ((right, 201), (wrong, 422)):
        headers = {"Repr-Digest": f"sha-256=:{digest}:"}
        assert upload(service, "walk.txt", WALK, headers=headers).status_code == status
    headers = {"Repr-Digest": "sha-256=:nonsense:"}
    assert upload(service, "walk.txt", WALK, headers=headers).status_code == 400


@pytest.mark.parametrize(
    "name", ["../walk.txt", "a/walk.txt", "walk.py", "\x00", "a\x00.txt", ".txt", "ä" * 150 + ".txt", "-x"]
)  # fmt: skip
def test_upload_names(service: LocalService, name: str) -> None:
    """Refuse an upload by its name, and leave nothing of it."""
    response = upload(service, name, WALK)
    assert response.status_code in (400, 422), response.text
    assert list(service.folders.uploads.glob("*")) == []
    assert str(service.folders.data) not in response.text


def test_upload_of_a_foreign_scene(service: LocalService) -> None:
    """Say which path of which layer leads out."""
    body = PLACES["reference"].format("/etc/passwd").encode()
    response = upload(service, "scene.usda", body)
    assert response.status_code == 422
    assert "'/etc/passwd', which is not a file of this upload" in response.json()["detail"]
    assert service.http.get("/v1/assets").json()["assets"] == []


def test_upload_size_and_quota(tmp_path: Path) -> None:
    """Refuse an upload that is too large by itself or for its owner."""
    settings = make_settings(tmp_path / "data", asset_bytes=10_000, quota_bytes=12_000)
    with serving(settings) as service:
        assert upload(service, "walk.txt", b"1" * 10_001).status_code == 413
        assert upload(service, "walk.txt", b"1" * 9_000).status_code == 201
        assert upload(service, "walk.txt", b"1" * 9_000).status_code == 429
        assert len(list(service.folders.assets.iterdir())) == 1


def test_a_form_is_no_upload(service: LocalService) -> None:
    """Say that the file is the body, to those who send it as browsers do."""
    answer = service.http.post(
        "/v1/assets", params={"name": "walk.txt"}, files={"file": ("walk.txt", WALK)}
    )
    assert answer.status_code == 415
    assert "--data-binary @FILE" in answer.json()["detail"]


def test_uploads_by_owner_and_bytes(service: LocalService) -> None:
    """List one's own alone when asked, and those of certain bytes."""
    alice, root = service.key("submit", owner="alice"), service.key("admin", owner="root")
    other = WALK.replace(b"1.0 1 0 1", b"1.0 2 0 1")
    for headers, body in ((alice, WALK), (root, WALK), (root, other)):
        assert upload(service, "walk.txt", body, headers=headers).status_code == 201

    def owners(**asked: str) -> list[str]:
        answer = service.http.get("/v1/assets", params=asked, headers=root)
        return [asset["owner"] for asset in answer.json()["assets"]]

    assert sorted(owners()) == ["alice", "root", "root"]
    assert owners(own="true") == ["root", "root"]
    assert sorted(owners(sha256=hashlib.sha256(WALK).hexdigest())) == ["alice", "root"]
    assert owners(own="true", sha256=hashlib.sha256(other).hexdigest()) == ["root"]

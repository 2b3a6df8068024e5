"""Kernels: compiled code that is never stale, in a folder that is always there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numba
import numpy as np
import pytest

from formicary.base import kernels
from formicary.base.kernels import CacheUnusable, cache_folder, kernel, kernel_part
from formicary.base.limits import KERNEL_CACHES_KEPT_MAX

MODULE = """
from formicary.base.kernels import kernel, kernel_part

@kernel_part
def increment(value):
    return value + 1

@kernel
def twice(value):
    return increment(increment(value))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a package with a kernel, what it imports, directly and not, and what it does not."""
    folder = tmp_path / "package"
    (folder / "inner").mkdir(parents=True)
    (folder / "kernel.py").write_text("import package.inner\n\n@kernel\ndef one():\n    return A\n")
    (folder / "inner" / "__init__.py").write_text("import numba\nfrom package.inner import two\n")
    (folder / "inner" / "two.py").write_text(
        "    from package import (\n        three,  # (why)\n        deep,\n    )\n"
    )
    (folder / "three.py").write_text("from package.deep.four import F\n")
    (folder / "deep").mkdir()
    (folder / "deep" / "__init__.py").write_text("")
    (folder / "deep" / "four.py").write_text("F = 4\n")
    (folder / "other.py").write_text("from package import kernel\n")
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment that names a cache folder."""
    return {"FORMICARY_CACHE": str(tmp_path / "cache")}


def test_kernel_gives_the_functions_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel computes what the Python function does, compiled, and fills only our cache folder."""
    monkeypatch.setattr(kernels, "_package_cache_folder", lambda: tmp_path)
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
    before = kernels._CONFIG.CACHE_DIR

    @kernel
    def increment(value: int) -> int:
        return value + 1

    assert increment(41) == 42
    assert list(tmp_path.rglob("*.nbc"))
    assert before == kernels._CONFIG.CACHE_DIR


def test_kernel_raises_on_division_by_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiled division by zero raises, as it does in Python."""
    monkeypatch.setattr(kernels, "_package_cache_folder", lambda: tmp_path)
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)

    @kernel
    def divide(numerator: int, denominator: int) -> int:
        return numerator // denominator

    assert divide(7, 2) == 3
    with pytest.raises(ZeroDivisionError):
        divide(7, 0)


def test_part_is_compiled_into_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel calls its parts, and only the kernel is cached."""
    monkeypatch.setattr(kernels, "_package_cache_folder", lambda: tmp_path)
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)

    @kernel_part
    def increment(value: int) -> int:
        return value + 1

    @kernel
    def twice(value: int) -> int:
        return increment(increment(value))

    assert twice(40) == 42
    assert len(list(tmp_path.rglob("*.nbi"))) == 1


def test_kernel_survives_the_loss_of_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that another process pruned before the first call is made again."""
    monkeypatch.setattr(kernels, "_package_cache_folder", lambda: tmp_path / "kernels")
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)

    @kernel
    def increment(value: int) -> int:
        return value + 1

    shutil.rmtree(tmp_path / "kernels")
    assert increment(1) == 2


def test_kernel_without_compiler_is_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where numba is switched off a kernel is the Python function itself."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)

    def increment(value: int) -> int:
        return value + 1

    assert kernel(increment) is increment
    assert kernel_part(increment) is increment


def test_tables_and_prefetching_are_the_same_compiled_and_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fixed read gives what the array holds, of integers and of floats; a prefetch changes nothing."""
    monkeypatch.setattr(kernels, "_package_cache_folder", lambda: tmp_path / "kernels")
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
    whole, real = np.arange(6).reshape(2, 3), np.array([0.5, 1.5])

    @kernel
    def read(table: np.ndarray, reals: np.ndarray) -> float:
        kernels.prefetch(reals, 1)
        return float(kernels.fixed(table, 1, 2)) + float(kernels.fixed(reals, 0, 1))

    assert read(whole, real) == 6.5
    assert kernels._fixed_plain(whole, 1, 2) == 5
    kernels._prefetch_plain(real, 1)
    assert real.tolist() == [0.5, 1.5]


def test_a_tail_is_a_view_compiled_and_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins later, and what is written to it is written to the array; of words and of floats."""
    monkeypatch.setattr(kernels, "_package_cache_folder", lambda: tmp_path / "kernels")
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)

    @kernel
    def change(words: np.ndarray, start: int) -> float:
        rest = kernels.tail(words, start)
        rest[1] += rest[0]
        return float(kernels.tail(rest, 1)[0])

    for array in (np.array([1, 2, 3]), np.array([1.0, 2.0, 3.0])):
        assert change(array, 1) == 5.0
        kernels._tail_plain(array, 1)[0] = 7
        assert array.tolist() == [1, 7, 5]


def test_package_kernels_share_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    """The package's own folder is looked up once, from the process's environment."""
    kernels._package_cache_folder.cache_clear()
    monkeypatch.setenv("FORMICARY_CACHE", environment["FORMICARY_CACHE"])
    try:
        folder = kernels._package_cache_folder()
        assert folder is kernels._package_cache_folder()
        assert folder.parent == tmp_path / "cache"
    finally:
        kernels._package_cache_folder.cache_clear()


def test_another_process_finds_the_compiled_kernels(tmp_path: Path) -> None:
    """A second process loads a kernel, and the parts in it, instead of compiling it."""
    (tmp_path / "module.py").write_text(MODULE)
    command = "import module; print(module.twice(1), sum(module.twice.stats.cache_hits.values()))"
    environment = {
        "FORMICARY_CACHE": str(tmp_path / "cache"),
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(kernels.__file__).parents[2])]),
    }
    outputs = [
        subprocess.run(
            [sys.executable, "-c", command], env=environment, check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    ]
    assert outputs == ["3 0\n", "3 1\n"]


@pytest.mark.parametrize(
    "file", ["kernel.py", "inner/__init__.py", "inner/two.py", "three.py", "deep/__init__.py", "deep/four.py"]
)
def test_folder_depends_on_every_file_behind_a_kernel(
    package: Path, environment: dict[str, str], file: str
) -> None:
    """Any change of a module with a kernel, or of one it imports, leads to another folder; undone, back."""
    first = cache_folder(package, environment)
    assert cache_folder(package, environment) == first
    source = (package / file).read_text()
    (package / file).write_text(f"{source}# changed\n")
    assert cache_folder(package, environment) != first
    (package / file).write_text(source)
    assert cache_folder(package, environment) == first


def test_folder_does_not_depend_on_what_no_kernel_imports(package: Path, environment: dict[str, str]) -> None:
    """A change of a module that only uses kernels compiles nothing again."""
    first = cache_folder(package, environment)
    (package / "other.py").write_text("C = 3\n")
    assert cache_folder(package, environment) == first


def test_folder_depends_on_the_names_of_files(package: Path, environment: dict[str, str]) -> None:
    """The same source under another name is another package."""
    first = cache_folder(package, environment)
    (package / "kernel.py").rename(package / "kernels.py")
    assert cache_folder(package, environment) != first


@pytest.mark.parametrize("setting", ["numba.__version__", "numba.config.BOUNDSCHECK", "numba.config.OPT"])
def test_folder_depends_on_the_compiler(
    package: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    """Another numba, or one with other settings, leads to another folder."""
    first = cache_folder(package, environment)
    monkeypatch.setattr(setting, "other")
    assert cache_folder(package, environment) != first


def test_folder_in_the_users_cache(package: Path, tmp_path: Path) -> None:
    """Without our own variable the folder is in XDG_CACHE_HOME, else below HOME."""
    home = {"HOME": str(tmp_path / "home")}
    assert cache_folder(package, home).parent == tmp_path / "home" / ".cache" / "formicary"
    both = {**home, "XDG_CACHE_HOME": str(tmp_path / "xdg"), "FORMICARY_CACHE": ""}
    assert cache_folder(package, both).parent == tmp_path / "xdg" / "formicary"


def test_named_folder_that_cannot_be_written(package: Path, tmp_path: Path) -> None:
    """A folder that someone asked for is used or reported, not replaced."""
    (tmp_path / "file").touch()
    with pytest.raises(CacheUnusable, match=r"FORMICARY_CACHE=.* cannot be written"):
        cache_folder(package, {"FORMICARY_CACHE": str(tmp_path / "file" / "cache")})


def test_read_only_home_falls_back_to_temporary_files(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where HOME cannot be written a private folder among the temporary files serves."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = cache_folder(package, {"HOME": str(tmp_path / "file")})
    assert folder.parent == tmp_path / f"formicary-{os.getuid()}"
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert cache_folder(package, {"HOME": str(tmp_path / "file")}) == folder


@pytest.mark.parametrize("trap", ["shared", "link", "foreign"])
def test_temporary_folder_of_someone_else_is_not_trusted(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str
) -> None:
    """A folder that others can write, or a link to one, could hold their code and is refused."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    name = tmp_path / f"formicary-{os.getuid()}"
    (tmp_path / "elsewhere").mkdir()
    if trap == "link":
        name.symlink_to(tmp_path / "elsewhere")
    else:
        name.mkdir()
        name.chmod(0o777 if trap == "shared" else 0o700)
    if trap == "foreign":
        mine = os.getuid()
        answers = iter([mine])
        monkeypatch.setattr(os, "getuid", lambda: next(answers, mine + 1))
    with pytest.raises(CacheUnusable, match="not a private folder"):
        cache_folder(package, {"HOME": "/dev/null"})


def test_old_folders_are_pruned(package: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    """The newest few folders stay, older ones go, and nothing that is not ours is touched."""
    parent = tmp_path / "cache"
    old = [parent / f"kernels-{index:032x}" for index in range(KERNEL_CACHES_KEPT_MAX + 2)]
    for age, folder in enumerate(old, start=1):
        folder.mkdir(parents=True)
        os.utime(folder, (1_000_000 - age, 1_000_000 - age))
    (parent / "kernels-of-someone").mkdir()
    current = cache_folder(package, environment)
    kept = {current, parent / "kernels-of-someone", *old[: KERNEL_CACHES_KEPT_MAX - 1]}
    assert set(parent.iterdir()) == kept


def test_pruning_beside_another_process(tmp_path: Path) -> None:
    """A folder that vanishes while it is looked at counts as the oldest."""
    assert kernels._last_use(tmp_path / "gone") == 0

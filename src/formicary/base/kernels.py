"""The one way to compile a kernel: numba, without the GIL, cached where stale code cannot survive.

Choices, and why:

- ``nogil``: a kernel works on packed arrays, so other threads go on (the commit beside it).
- No reference counts (``_nrt``): a kernel makes no arrays, and those it is given are its caller's for as
  long as it runs. Counting took two thirds of the time of kernels that are given a dozen arrays.
- No ``fastmath``: it reorders additions, and results must be the same bits everywhere.
- ``error_model="python"``, numba's default: a division by zero raises. The other model answers
  zero, and a ledger must not go on with that; kernels hardly divide, so it costs nothing.
- Integers wrap around silently when compiled; a kernel checks for overflow before it adds.
- The cache folder's name is a hash of all source that a kernel can be compiled from (every module
  that defines one and whatever those import), numba's version, its settings that change code, and the
  processor. numba's own index watches only the file of the function and keeps stale code of the
  functions it *calls*.

Under ``NUMBA_DISABLE_JIT=1`` kernels are the plain Python functions, for debuggers.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import llvmlite.binding
import llvmlite.ir
import numba
import numba.core.cgutils
import numba.extending

from formicary.base.errors import OperationalFault
from formicary.base.limits import KERNEL_CACHES_KEPT_MAX

__all__ = ["CacheUnusable", "cache_folder", "fixed", "kernel", "kernel_part", "prefetch", "tail"]

Function = TypeVar("Function", bound=Callable[..., Any])

_PACKAGE: Final = Path(__file__).parents[1]
_CONFIG: Final[Any] = numba.config
_FOLDER_NAME: Final = re.compile(r"kernels-[0-9a-f]{32}")
_KERNEL: Final = re.compile(rb"^\s*@kernel(_part)?$", re.MULTILINE)
_IMPORT: Final = re.compile(r"^[ \t]*(?:from|import)[ \t]+(.+)$", re.MULTILINE)
_DOTTED: Final = re.compile(r"[A-Za-z_][\w.]*")
_WORD: Final = re.compile(r"\w+")


class CacheUnusable(OperationalFault):
    """The folder for compiled kernels cannot be used."""


def kernel(function: Function) -> Function:
    """Compile ``function`` on its first call with numba; to type checkers it stays what it was."""
    if _CONFIG.DISABLE_JIT:
        return function
    compile_it: Any = numba.njit
    with _numba_cache_in(_package_cache_folder()):
        compiled = compile_it(nogil=True, cache=True, error_model="python", _nrt=False)(function)
    return cast("Function", compiled)


def kernel_part(function: Function) -> Function:
    """Compile ``function`` into the kernels that call it; compiled, nothing else can call it.

    A part is always inlined: a ledger's state is some hundred machine words, and handing them from
    function to function costs more than most parts do. Without an entry from Python it compiles
    faster, too.
    """
    if _CONFIG.DISABLE_JIT:
        return function
    # numba's type stubs do not know these options.
    no_entry: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}
    return cast(
        "Function", numba.njit(nogil=True, error_model="python", forceinline=True, **no_entry)(function)
    )


def _prefetch_typed(_: Any, array: Any, index: Any) -> Any:  # noqa: ARG001, numba goes by the names
    """Tell numba what ``prefetch`` is: one instruction, which may be left out."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), llvmlite.ir.IntType(8).as_pointer())
        number = llvmlite.ir.IntType(32)
        kind = llvmlite.ir.FunctionType(llvmlite.ir.VoidType(), [address.type, number, number, number])
        cgutils: Any = numba.core.cgutils
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        # To be written to, kept in all caches, data.
        builder.call(function, [address, number(1), number(3), number(1)])
        return context.get_dummy_value()

    return numba.types.void(array, numba.types.intp), generate


def _prefetch_plain(array: Any, index: Any) -> None:
    """Do nothing, where kernels are plain Python."""


prefetch: Final[Any] = _prefetch_plain if _CONFIG.DISABLE_JIT else numba.extending.intrinsic(_prefetch_typed)
"""Ask for the cache line of ``array[index]``, one-dimensional, in advance: rows at random places are each
hundreds of nanoseconds away, but a dozen can be on their way at once. For kernels; changes no result."""


def _fixed_typed(_: Any, array: Any, row: Any, column: Any) -> Any:  # noqa: ARG001, numba goes by the names
    """Tell numba what ``fixed`` is: a load of what nothing changes while a kernel runs."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = context.make_array(signature.args[0])(context, builder, arguments[0])
        columns = builder.extract_value(given.shape, signature.args[0].ndim - 1)
        place = builder.add(builder.mul(arguments[1], columns), arguments[2])
        loaded = builder.load(builder.gep(given.data, [place]))
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
        return loaded

    return array.dtype(array, numba.types.intp, numba.types.intp), generate


def _fixed_plain(array: Any, row: Any, column: Any) -> Any:
    """Read it, where kernels are plain Python."""
    return array[row, column]


fixed: Final[Any] = _fixed_plain if _CONFIG.DISABLE_JIT else numba.extending.intrinsic(_fixed_typed)
"""Read ``array[row, column]`` of a table that no kernel changes; the indexes are not negative.

The compiler may then read it once where the text reads it in every turn of a loop. Of an array of int64 or
float64, contiguous.
"""


def _tail_typed(_: Any, array: Any, start: Any) -> Any:  # noqa: ARG001, numba goes by the names
    """Tell numba what ``tail`` is: the same array with a later beginning."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = context.make_array(signature.args[0])(context, builder, arguments[0])
        given.data = builder.gep(given.data, [arguments[1]])
        return given._getvalue()  # noqa: SLF001, numba's own name for it

    return array(array, numba.types.intp), generate


def _tail_plain(array: Any, start: Any) -> Any:
    """Slice it, where kernels are plain Python."""
    return array[start:]


tail: Final[Any] = _tail_plain if _CONFIG.DISABLE_JIT else numba.extending.intrinsic(_tail_typed)
"""Return ``array[start:]``, one-dimensional, of which only words that are there are looked at.

Compiled, it knows no end and costs an addition. A place in it that is a constant, or counted from zero, needs
no look at whether it is negative; one computed from the array's own beginning does.
"""


def cache_folder(package: Path, environment: Mapping[str, str]) -> Path:
    """Return the folder for the compiled kernels of ``package``; create it and prune older ones.

    Parameters
    ----------
    package
        The folder of the package whose modules, at any depth, define the kernels.
    environment
        ``FORMICARY_CACHE`` names the parent folder; otherwise it is ``formicary`` in the user's
        cache folder (``XDG_CACHE_HOME``, else ``.cache`` in ``HOME``), or in the folder for
        temporary files when that one cannot be written.

    Raises
    ------
    CacheUnusable
        ``FORMICARY_CACHE`` cannot be written, or the temporary folder belongs to someone else.
    """
    parent = _writable_parent(environment)
    folder = parent / f"kernels-{_fingerprint(package)}"
    folder.mkdir(exist_ok=True)
    os.utime(folder)
    _prune(parent)
    return folder


@functools.cache
def _package_cache_folder() -> Path:
    return cache_folder(_PACKAGE, os.environ)


@contextmanager
def _numba_cache_in(folder: Path) -> Iterator[None]:
    # numba reads its setting while it decorates; put back, other packages keep their own folder.
    before = _CONFIG.CACHE_DIR
    _CONFIG.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        _CONFIG.CACHE_DIR = before


def _fingerprint(package: Path) -> str:
    settings = (numba.__version__, llvmlite.binding.get_host_cpu_name(), _CONFIG.BOUNDSCHECK, _CONFIG.OPT)
    digest = hashlib.sha256(repr([str(setting) for setting in settings]).encode())
    for path in _kernel_sources(package):
        source = path.read_bytes()
        # The length keeps two files apart from one file that holds both.
        digest.update(f"\n{path.relative_to(package).as_posix()} {len(source)}\n".encode())
        digest.update(source)
    return digest.hexdigest()[:32]


def _kernel_sources(package: Path) -> list[Path]:
    """Return the files that kernels are compiled from: what defines one, and all that it imports."""
    waiting = [path for path in package.rglob("*.py") if _KERNEL.search(path.read_bytes())]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path, package)
    return sorted(found)


def _imported(path: Path, package: Path) -> list[Path]:
    """Return the package's modules that a module imports, or seems to.

    Every process waits for this, so nothing is parsed: what is imported from a package may be any module of
    it whose name is a word somewhere in the file. One too many only compiles more often.
    """
    source = path.read_text(encoding="utf-8")
    imported = (name.split(".") for line in _IMPORT.findall(source) for name in _DOTTED.findall(line))
    places = {package.joinpath(*inner) for first, *inner in imported if first == package.name}
    words = set(_WORD.findall(source))
    for folder in [place for place in places if place.is_dir()]:
        places.update(child.with_suffix("") for child in folder.iterdir() if child.stem in words)
    files = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
    return [file for file in files if file.is_file() and package in file.parents]


def _writable_parent(environment: Mapping[str, str]) -> Path:
    wanted = environment.get("FORMICARY_CACHE")
    if wanted:
        parent = Path(wanted)
        if not _is_writable(parent):
            message = f"FORMICARY_CACHE={wanted} cannot be written"
            raise CacheUnusable(message)
        return parent
    base = environment.get("XDG_CACHE_HOME") or str(Path(environment.get("HOME", "/nonexistent")) / ".cache")
    parent = Path(base) / "formicary"
    return parent if _is_writable(parent) else _private_temporary_folder()


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _private_temporary_folder() -> Path:
    # Everyone may create this name first, and a cache holds code that is run: trust only our own.
    folder = Path(tempfile.gettempdir()) / f"formicary-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o022
    if not private or status.st_uid != os.getuid():
        message = f"{folder} is not a private folder of this user; set FORMICARY_CACHE"
        raise CacheUnusable(message)
    return folder


def _prune(parent: Path) -> None:
    folders = [path for path in parent.iterdir() if _FOLDER_NAME.fullmatch(path.name)]
    for folder in sorted(folders, key=_last_use, reverse=True)[KERNEL_CACHES_KEPT_MAX:]:
        # Another process may prune the same folder; numba recompiles what it does not find.
        shutil.rmtree(folder, ignore_errors=True)


def _last_use(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except FileNotFoundError:
        return 0

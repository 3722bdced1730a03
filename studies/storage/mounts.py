"""Whether a folder lies on a file system of another machine, where locks and flushes may not hold."""

from pathlib import Path

MOUNTS = Path("/proc/mounts")

NETWORKED = frozenset(
    {"nfs", "nfs3", "nfs4", "cifs", "smb2", "smb3", "smbfs", "lustre", "ceph", "glusterfs", "beegfs", "gpfs", "afs"}
    | {"9p", "virtiofs", "orangefs", "pvfs2", "ocfs2", "gfs2"}
)
"""Types of file systems that several machines write to. Of those in user space (fuse), all are."""


def network_filesystem(folder: Path, mounts: Path = MOUNTS) -> str:
    """Type of the network file system that a folder lies on, or would; "" for a local one, or where nobody can tell.

    Args:
        folder: need not exist.
        mounts: the kernel's list.
    """
    if not mounts.is_file():
        return ""
    where, deepest, kind = folder.resolve(), 0, ""
    for line in mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        _, point, one, *_ = line.split(" ")
        path = Path(_unescaped(point))
        if len(path.parts) >= deepest and (path == where or path in where.parents):
            deepest, kind = len(path.parts), one  # of several at one point, the last covers the others
    return kind if kind in NETWORKED or kind == "fuse" or kind.startswith("fuse.") else ""


def _unescaped(point: str) -> str:
    """A path as the kernel meant it: it writes spaces, tabs, line ends and backslashes as octal numbers."""
    for code in ("\\040", "\\011", "\\012", "\\134"):
        point = point.replace(code, chr(int(code[1:], 8)))
    return point
